"""Adds to the OpenAPI document what drf-spectacular cannot know: the errors of each operation, in the dialect of its path.

The same code renders these bodies and the real answers, so they cannot differ.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice
from typing import Any

from rest_framework.exceptions import UnsupportedMediaType

from gamify_project import dialects
from gamify_project.dialects import PHOENIX_BASE, Problem
from gamify_project.errors import CRASHED, UNAVAILABLE, problem_of
from participants.api.authentication import Unauthorized
from participants.api.idempotency import HEADER
from participants.api.parsers import BodyTooLarge, MalformedJSON
from participants.api.permissions import ScopeMissing
from participants.api.phoenix import TenantForbidden
from participants.api.schema import ERRORS, EXAMPLE_TIME
from participants.api.signatures import NO_MATCH
from participants.engine import NOT_A_DAY, NOT_AN_INSTANT
from participants.errors import InvalidInput, TenantUnavailable
from participants.limits import AuthenticationLimitExceeded, KeyLimitExceeded, RateLimitStatus
from participants.services.tenants import TenantNotFound

Document = dict[str, Any]

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}

SCHEMAS: Document = {
    "GamifyError": {
        "type": "object",
        "description": "The body of every error under `/api/v1/gamify`.",
        "required": ["detail", "code"],
        "properties": {
            "detail": {**_TEXT, "description": "One sentence for people. Its wording may change."},
            "code": {**_TEXT, "description": "For programs. It does not change."},
            "errors": {
                "type": "array",
                "description": "With status 422: all errors in the request, by field.",
                "items": {"$ref": "#/components/schemas/FieldProblem"},
            },
        },
    },
    "FieldProblem": {
        "type": "object",
        "description": "An error in one field.",
        "required": ["field", "message"],
        "properties": {
            "field": {**_TEXT, "description": "Dotted path in the body or the query, such as `awards.0.amount`."},
            "message": {**_TEXT, "description": "What is wrong with the field."},
        },
    },
    "PhoenixError": {
        "type": "object",
        "description": "The body of every error under `/v1`.",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "description": "The error.",
                "required": ["code", "message", "status"],
                "properties": {
                    "code": {**_TEXT, "description": "For programs. It does not change."},
                    "message": {**_TEXT, "description": "One sentence for people. Its wording may change."},
                    "status": {**_COUNT, "description": "The HTTP status code."},
                },
            }
        },
    },
}

HEADERS: Document = {
    "X-Request-Id": {
        "description": "The `X-Request-Id` that you sent, or a generated one. The logs contain it.",
        "schema": _TEXT,
    },
    "X-RateLimit-Limit": {"description": "Requests per minute that the limit allows.", "schema": _COUNT},
    "X-RateLimit-Remaining": {"description": "Remaining requests.", "schema": _COUNT},
    "X-RateLimit-Reset": {"description": "When the count restarts, in Unix seconds.", "schema": _COUNT},
    "WWW-Authenticate": {"description": "Required authentication: a key as bearer token.", "schema": _TEXT},
    "Retry-After": {"description": "Seconds to wait before a retry.", "schema": _COUNT},
    "Idempotency-Replayed": {
        "description": "`true` if this is the stored answer of an earlier call with the same key.",
        "schema": {**_TEXT, "enum": ["true"]},
    },
}

_USER_ID = {**_TEXT, "pattern": ".+", "minLength": 1, "maxLength": 255}

# Descriptions of path parameters, by name. Django routes have no place for them.
PARAMETERS: Document = {
    "participant_id": {
        "name": "participant_id",
        "in": "path",
        "required": True,
        "description": "Your participant identifier, percent-encoded: `a/b` is sent as `a%2Fb`.",
        "schema": _USER_ID,
        "example": "user_123",
    },
    "user_id": {
        "name": "user_id",
        "in": "path",
        "required": True,
        "description": "Your user identifier (the `participant_id`), percent-encoded.",
        "schema": _USER_ID,
        "example": "user_123",
    },
    "tenant_id": {
        "name": "tenant_id",
        "in": "path",
        "required": True,
        "description": "Slug or UUID of your tenant. With a `bq_test_…` key it means the sandbox.",
        "schema": {**_TEXT, "minLength": 1, "maxLength": 64},
        "example": "acme",
    },
    "event_id": {
        "name": "event_id",
        "in": "path",
        "required": True,
        "description": "Id of the event, from the answer that recorded it.",
        "schema": {"type": "string", "format": "uuid"},
        "example": "01a20030-2f11-7c0e-9b6a-0d8c7a5e4f31",
    },
    "code": {
        "name": "code",
        "in": "path",
        "required": True,
        "description": "The definition's code, percent-encoded.",
        "schema": {**_TEXT, "pattern": ".+", "minLength": 1, "maxLength": 50},
        "example": "daily_login",
    },
    "reward_id": {
        "name": "reward_id",
        "in": "path",
        "required": True,
        "description": "The reward's id, from the list.",
        "schema": {**_TEXT, "format": "uuid"},
        "example": "01a20030-16b8-773b-a1f2-79a6f16a65ee",
    },
    "claim_id": {
        "name": "claim_id",
        "in": "path",
        "required": True,
        "description": "Id of the claim, from the answer that created it.",
        "schema": {**_TEXT, "format": "uuid"},
        "example": "01a20031-5d10-7f2a-8c3b-2b6f0a1c9d77",
    },
    "transaction_id": {
        "name": "transaction_id",
        "in": "path",
        "required": True,
        "description": "Id of the ledger entry: `transaction_id` in the answer that created it.",
        "schema": {**_TEXT, "format": "uuid"},
        "example": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    },
    "webhook_id": {
        "name": "webhook_id",
        "in": "path",
        "required": True,
        "description": "The webhook's id, from the answer that created it or from the list.",
        "schema": {**_TEXT, "format": "uuid"},
        "example": "01a20030-16b8-773b-a1f2-79a6f16a65ee",
    },
    "delivery_id": {
        "name": "delivery_id",
        "in": "path",
        "required": True,
        "description": "The delivery's id, from the webhook's list.",
        "schema": {**_TEXT, "format": "uuid"},
        "example": "01a20033-0c5e-7d11-8a4c-90f1b2a3c4d5",
    },
    "amnesty_id": {
        "name": "amnesty_id",
        "in": "path",
        "required": True,
        "description": "The amnesty's id, from the answer that declared it or from the list.",
        "schema": {**_TEXT, "format": "uuid"},
        "example": "01a20030-16b8-773b-a1f2-79a6f16a65ee",
    },
    "definition_id": {
        "name": "definition_id",
        "in": "path",
        "required": True,
        "description": "The definition's id, from the answer that created it or from the list.",
        "schema": {**_TEXT, "format": "uuid"},
        "example": "01a20030-16b8-773b-a1f2-79a6f16a65ee",
    },
}

_RATE_LIMIT_HEADERS = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]
_UNCOUNTED = {401, 403}  # refused before the rate limit of the key is counted
_RETRIED = {429, 503}
_SUCCESSES = {"200", "201"}


def document_errors(result: Document, **kwargs: Any) -> Document:
    """drf-spectacular's postprocessing hook: add errors, headers and parameter descriptions to all operations."""
    for path, operation in _operations(result):
        declared = operation.pop(ERRORS, ())
        problems = [*map(problem_of, declared), *_common_problems(path, operation)]
        operation["responses"].update(_responses(path, problems))
        _add_dry_run(operation)
        _polish_parameters(operation)
        _add_headers(operation)
    components = result["components"]
    components["schemas"].update(SCHEMAS)
    components.update(headers=HEADERS, parameters=PARAMETERS, responses=_shared_errors(result))
    return result


def _operations(result: Document) -> Iterator[tuple[str, Document]]:
    for path, methods in result["paths"].items():
        if dialects.is_api_path(path):
            yield from ((path, operation) for operation in methods.values())


def _common_problems(path: str, operation: Document) -> Iterator[Problem]:
    """Yield the errors that an operation can answer because of its authentication, body and parameters."""
    if security := operation.get("security"):
        yield from map(problem_of, _key_errors(is_admin=any(roles for scheme in security for roles in scheme.values())))
        if any("PartnerSignature" in scheme for scheme in security):
            yield problem_of(Unauthorized(NO_MATCH))
    if "requestBody" in operation:
        yield from map(problem_of, _body_errors())
    yield from map(problem_of, _parameter_errors(path, operation))
    yield from (CRASHED, UNAVAILABLE)


def _parameter_errors(path: str, operation: Document) -> Iterator[Exception]:
    """Yield an example of each validation error. Bodies of definitions declare their own errors, so they are not covered here."""
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    if "page_size" in names:
        yield _PAGE_SIZE
    else:
        yield from _query_errors(operation)
    if "participant_id" in names or ("requestBody" in operation and _takes_participants(path)):
        yield _PARTICIPANT_ID
    if "user_id" in names:
        yield InvalidInput("user_id", _PARTICIPANT_ID.errors[0].message)
    if "tenant_id" in names:
        yield from (TenantForbidden(), TenantNotFound("nobody"))


def _query_errors(operation: Document) -> Iterator[Exception]:
    """Yield an example for the first query parameter that can be invalid."""
    in_query = [parameter for parameter in operation.get("parameters", ()) if parameter["in"] == "query"]
    errors = (_query_error(parameter["name"], parameter["schema"]) for parameter in in_query)
    yield from islice(filter(None, errors), 1)


def _query_error(name: str, schema: Document) -> InvalidInput | None:
    if "enum" in schema:
        return InvalidInput(name, '"nothing" is not a valid choice.')
    message = _TYPE_ERRORS.get((schema["type"], schema.get("format")))
    return InvalidInput(name, message) if message else None


_TYPE_ERRORS: dict[tuple[str, str | None], str] = {
    ("boolean", None): "Must be true or false.",
    ("integer", None): "A valid integer is required.",
    ("string", "date"): NOT_A_DAY,
    ("string", "date-time"): NOT_AN_INSTANT,
    ("string", None): "Null characters are not allowed.",
    ("array", None): "Null characters are not allowed.",
}


def _takes_participants(path: str) -> bool:
    return "/admin/" not in path and not dialects.is_under(path, PHOENIX_BASE)


_PAGE_SIZE = InvalidInput("page_size", "Ensure this value is less than or equal to 100.")
_PARTICIPANT_ID = InvalidInput("participant_id", "Must be 1 to 255 characters long.")


def _key_errors(*, is_admin: bool) -> Iterator[Exception]:
    yield Unauthorized("API key missing: send it as X-API-Key or as Authorization: Bearer")
    yield Unauthorized("API key is unknown, expired or revoked")
    yield TenantUnavailable()
    if is_admin:
        yield ScopeMissing()
    yield KeyLimitExceeded(RateLimitStatus(limit=60_000, remaining=0, reset_at=EXAMPLE_TIME))
    yield AuthenticationLimitExceeded(RateLimitStatus(limit=60, remaining=0, reset_at=EXAMPLE_TIME))


def _body_errors() -> Iterator[Exception]:
    yield MalformedJSON("Request body is not valid JSON: Expecting value: line 1 column 1 (char 0)")
    yield BodyTooLarge()
    yield UnsupportedMediaType("text/plain")


def _responses(path: str, problems: Iterable[Problem]) -> Document:
    by_status: dict[int, list[Problem]] = defaultdict(list)
    for problem in problems:
        is_phoenix = dialects.is_under(path, PHOENIX_BASE)
        by_status[dialects.phoenix_status(problem) if is_phoenix else problem.status].append(problem)
    return {str(status): _response(path, status, found) for status, found in sorted(by_status.items())}


def _response(path: str, status: int, problems: Sequence[Problem]) -> Document:
    codes = dict.fromkeys(f"`{dialects.wire_code(problem, path=path)}`" for problem in problems)
    content = {"schema": {"$ref": f"#/components/schemas/{_component(path)}"}, "examples": _examples(path, problems)}
    return {
        "description": f"{'Refused' if status < 500 else 'Failed'}: {', '.join(codes)}.",
        "content": {"application/json": content},
    }


def _component(path: str) -> str:
    return "PhoenixError" if dialects.is_under(path, PHOENIX_BASE) else "GamifyError"


def _examples(path: str, problems: Sequence[Problem]) -> Document:
    """Return the example bodies by error code. Further bodies with the same code get a number."""
    examples: Document = {}
    seen: Counter[str] = Counter()
    for problem in problems:
        seen[problem.code] += 1
        name = problem.code if seen[problem.code] == 1 else f"{problem.code}_{seen[problem.code]}"
        examples[name] = {"value": dialects.render(problem, path=path)}
    return examples


def _polish_parameters(operation: Document) -> None:
    for index, parameter in enumerate(operation.get("parameters", ())):
        if parameter["in"] == "path" and parameter["name"] in PARAMETERS:
            operation["parameters"][index] = {"$ref": f"#/components/parameters/{parameter['name']}"}
            continue
        parameter["description"] = parameter.get("description", "").strip()
        if parameter["schema"].get("type") == "array":
            parameter["explode"] = False  # lists are comma-separated: include=points,tier


def _add_dry_run(operation: Document) -> None:
    """Document that a dry run of a creating operation answers the same body with status 200."""
    responses = operation["responses"]
    names = {parameter.get("name") for parameter in operation.get("parameters", ())}
    if "201" in responses and "dry_run" in names:
        responses["200"] = responses["201"] | {"description": "OK. A dry run: nothing was created."}


def _add_headers(operation: Document) -> None:
    is_idempotent = any(parameter.get("name") == HEADER for parameter in operation.get("parameters", ()))
    for status, response in operation["responses"].items():
        names = [*_headers_of(int(status)), *(["Idempotency-Replayed"] if is_idempotent and status == "200" else [])]
        response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _headers_of(status: int) -> Iterator[str]:
    yield "X-Request-Id"
    if status not in _UNCOUNTED:
        yield from _RATE_LIMIT_HEADERS
    if status == 401:
        yield "WWW-Authenticate"
    if status in _RETRIED:
        yield "Retry-After"


def _shared_errors(result: Document) -> Document:
    """Move error responses into the components, where equal ones are shared. Return them by name."""
    shared: Document = {}
    for path, operation in _operations(result):
        responses = operation["responses"]
        for status in [status for status in responses if status not in _SUCCESSES]:
            name = _name_of(responses[status], shared, f"{_component(path)}{status}")
            responses[status] = {"$ref": f"#/components/responses/{name}"}
    return shared


def _name_of(response: Document, shared: Document, base: str) -> str:
    names = (base if number == 1 else f"{base}_{number}" for number in count(1))
    return next(name for name in names if shared.setdefault(name, response) == response)
