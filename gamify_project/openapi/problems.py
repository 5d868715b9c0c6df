"""The errors that operations have in common. They follow from the authentication, body and parameters of an operation."""

from collections.abc import Iterator
from itertools import islice

from rest_framework.exceptions import UnsupportedMediaType

from gamify_project import dialects
from gamify_project.dialects import PHOENIX_BASE, Problem
from gamify_project.errors import CRASHED, UNAVAILABLE, problem_of
from gamify_project.openapi.components import Document
from participants.api.authentication import Unauthorized
from participants.api.parsers import BodyTooLarge, MalformedJSON
from participants.api.permissions import ScopeMissing
from participants.api.phoenix import TenantForbidden
from participants.api.schema import EXAMPLE_TIME
from participants.api.signatures import NO_MATCH
from participants.engine import NOT_A_DAY, NOT_AN_INSTANT
from participants.errors import InvalidInput, TenantUnavailable
from participants.limits import AuthenticationLimitExceeded, KeyLimitExceeded, RateLimitStatus
from participants.services.tenants import TenantNotFound


def common_problems(path: str, operation: Document) -> Iterator[Problem]:
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
