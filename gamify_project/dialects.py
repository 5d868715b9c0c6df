"""The two dialects of the API: their paths, and the format of their errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from participants.errors import FieldError

GAMIFY_BASE = "/api/v1/gamify"
PHOENIX_BASE = "/v1"


@dataclass(frozen=True)
class Problem:
    """An error, before a dialect renders it."""

    status: int
    code: str
    message: str
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def is_api_path(path: str) -> bool:
    return is_under(path, GAMIFY_BASE) or is_under(path, PHOENIX_BASE)


def is_under(path: str, base: str) -> bool:
    return path == base or path.startswith(f"{base}/")


def render(problem: Problem, *, path: str) -> dict[str, Any]:
    """Return the body for `problem` in the dialect of `path`."""
    if is_under(path, PHOENIX_BASE):
        return _phoenix(problem, path=path)
    return _gamify(problem)


def is_admin_gateway(path: str) -> bool:
    """Whether `path` belongs to the admin gateway of Phoenix (definitions); else it is the query gateway (progress).

    Each gateway has its own error codes.
    """
    return path == f"{PHOENIX_BASE}/streaks" or is_under(path, f"{PHOENIX_BASE}/tenants")


def _gamify(problem: Problem) -> dict[str, Any]:
    body: dict[str, Any] = {"detail": problem.message, "code": problem.code}
    if problem.errors:
        body["errors"] = [{"field": error.field, "message": error.message} for error in problem.errors]
    return body


def phoenix_status(problem: Problem) -> int:
    """Return the HTTP status of `problem` in Phoenix, which has 400 instead of 422."""
    return 400 if problem.status == 422 else problem.status


def wire_code(problem: Problem, *, path: str) -> str:
    """Return the error code of `problem` in the dialect of `path`."""
    if not is_under(path, PHOENIX_BASE):
        return problem.code
    invalid = "VALIDATION_ERROR" if is_admin_gateway(path) else "INVALID_INPUT"
    return _PHOENIX_CODES.get(phoenix_status(problem), invalid)


def _phoenix(problem: Problem, *, path: str) -> dict[str, Any]:
    message = _phoenix_sentence(problem.errors[0]) if problem.errors else problem.message
    return {"error": {"code": wire_code(problem, path=path), "message": message, "status": phoenix_status(problem)}}


def _phoenix_sentence(error: FieldError) -> str:
    """Word an error as the Phoenix specification does: `config: event_types cannot be empty`, `name: must be alphanumeric`."""
    if not error.field:
        return error.message
    field, _, inner = error.field.partition(".")
    predicate = _predicate(error.message)
    if not inner:
        return f"{field}: {predicate}"
    return f"{field}: {inner} {predicate}" if predicate[:1].islower() else f"{field}: {inner}: {predicate}"


def _predicate(message: str) -> str:
    """Remove the subject: `This field is required.` becomes `is required`. Other sentences stay as they are."""
    for subject in ("This field ", "This list ", "This value "):
        if message.startswith(subject):
            return message.removeprefix(subject).removesuffix(".")
    return f"m{message[1:]}".removesuffix(".") if message.startswith("Must ") else message


_PHOENIX_CODES = {
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "RATE_LIMITED",
    500: "INTERNAL_ERROR",
    501: "NOT_IMPLEMENTED",
    503: "SERVICE_UNAVAILABLE",
}
