"""The errors that use cases raise to refuse a request. The two dialects render them; no code below the API knows HTTP bodies."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FieldError:
    """One problem with one field. `field` is a dotted path into the body, such as `awards.0.amount`."""

    field: str
    message: str


def field_errors(detail: Any, *, path: str = "") -> Iterator[FieldError]:
    """Flatten the nested messages of DRF (`detail`) to one list of field errors with dotted paths, which begin with `path`."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from field_errors(inner, path=path if name == "non_field_errors" else _join(path, str(name)))
    elif isinstance(detail, list) and any(isinstance(inner, dict | list) for inner in detail):
        for index, inner in enumerate(detail):
            yield from field_errors(inner, path=_join(path, str(index)))
    elif isinstance(detail, list):
        yield from (FieldError(path, str(message)) for message in detail)
    else:
        yield FieldError(path, str(detail))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


class DomainError(Exception):
    """A refusal with a stable `code`, a sentence for people, and the HTTP status that both dialects use.

    The sentence is `text` of the class, with `values` in its placeholders.
    """

    code = "bad_request"
    status = 400
    text = "{}"

    def __init__(
        self,
        *values: object,
        code: str | None = None,
        status: int | None = None,
        errors: tuple[FieldError, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.message = self.text.format(*values)
        super().__init__(self.message)
        self.code = code or self.code
        self.status = status or self.status
        self.errors = errors
        self.headers = dict(headers or {})


class NotFound(DomainError):
    """A request names something that does not exist. A subclass sets its `code`, and the `noun` with which the message begins."""

    status = 404
    noun: str

    def __init__(self, name: object) -> None:
        super().__init__(f"{self.noun} not found: {name}")


class ParticipantNotFound(NotFound):
    code = "participant_not_found"
    noun = "Participant"


class InvalidFields(DomainError):
    """Well-formed input that breaks rules. The first error is the message."""

    code = "validation_error"
    status = 422

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(f"{errors[0].field}: {errors[0].message}", errors=errors)


class InvalidInput(InvalidFields):
    """The same with one error. Raised by rules below the serializers."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(FieldError(field, message))


class TenantUnavailable(DomainError):
    code = "forbidden"
    status = 403
    text = "Tenant is disabled"
