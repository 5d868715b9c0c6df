"""The two dialects of the product: which paths speak which, and how each tells that something went wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from participants.errors import FieldError

GAMIFY_BASE = "/api/v1/gamify"
PHOENIX_BASE = "/v1"


@dataclass(frozen=True)
class Problem:
    """Anything that went wrong, before a dialect renders it."""

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
    """The body for `problem` in the dialect that `path` speaks."""
    if is_under(path, PHOENIX_BASE):
        return _phoenix(problem, is_admin_gateway=is_admin_gateway(path))
    return _gamify(problem)


def is_admin_gateway(path: str) -> bool:
    """Phoenix has two gateways with a table of codes each: definitions are managed by one, progress read from the other."""
    return path == f"{PHOENIX_BASE}/streaks" or is_under(path, f"{PHOENIX_BASE}/tenants")


def _gamify(problem: Problem) -> dict[str, Any]:
    body: dict[str, Any] = {"detail": problem.message, "code": problem.code}
    if problem.errors:
        body["errors"] = [{"field": error.field, "message": error.message} for error in problem.errors]
    return body


def phoenix_status(problem: Problem) -> int:
    """Phoenix has no 422: what does not validate is a bad request."""
    return 400 if problem.status == 422 else problem.status


def _phoenix(problem: Problem, *, is_admin_gateway: bool) -> dict[str, Any]:
    status = phoenix_status(problem)
    code = _PHOENIX_CODES.get(status) or ("VALIDATION_ERROR" if is_admin_gateway else "INVALID_INPUT")
    return {"error": {"code": code, "message": problem.message, "status": status}}


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
    503: "SERVICE_UNAVAILABLE",
}
