"""OpenAPI documentation of endpoints: `@operation` declares what drf-spectacular cannot derive from the view.

    @operation("award_points", body=ChangeBody, answer=AwardedAnswer, idempotent=True, errors=[BalanceLimit()],
               example=examples.AWARD)
    def award(self, request: Request) -> Response:
        '''Add points to a participant's balance.'''

The summary is the operation's id as a sentence, the description is the view's docstring, and the tag is the name of its app.
Errors are passed as instances, so that the document shows the exact body of the answer. `gamify_project.openapi` adds the errors
that every endpoint can answer (401, 429, 500 and so on).
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from django.apps import apps
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.serializers import BaseSerializer, Serializer

from participants.api.idempotency import HEADER, KEY_PATTERN, IdempotencyKeyInvalid, IdempotencyKeyMismatch
from participants.api.signatures import SIGNATURE, TENANT, TIMESTAMP, TOLERANCE_SECONDS
from participants.errors import DomainError
from participants.limits import ParticipantLimitExceeded, RateLimitStatus
from participants.work.idempotency import IdempotencyKeyReused

View = TypeVar("View", bound=Callable[..., Any])

# `document_errors` in gamify_project.openapi reads the errors under this key and removes it from the document.
ERRORS = "x-errors"

CSV = "text/csv"
YAML = "application/yaml"
EXAMPLE_TIME = 1_771_063_260  # 2026-02-14T10:01:00Z
PARTICIPANT_CAP = ParticipantLimitExceeded(RateLimitStatus(limit=300, remaining=0, reset_at=EXAMPLE_TIME))

_KEY_HEADER = OpenApiParameter(
    HEADER,
    {"type": "string", "pattern": KEY_PATTERN},
    OpenApiParameter.HEADER,
    description="If the same request is sent again with the same key, the first answer is returned and nothing else happens.",
)


@dataclass(frozen=True)
class Example:
    """An example of a call: the request `body`, and the `answer` as JSON or as text of another media type."""

    answer: Any
    body: Mapping[str, Any] | None = None


def operation(
    operation_id: str,
    *,
    answer: type[BaseSerializer[Any]] | BaseSerializer[Any] | OpenApiTypes,
    example: Example,
    body: type[Serializer[Any]] | None = None,
    query: type[Serializer[Any]] | None = None,
    status: int = 200,
    errors: Sequence[DomainError] = (),
    idempotent: bool = False,
    csv: str | None = None,
    yaml: str | None = None,
    media_type: str = "application/json",
    more: Callable[[], str] | None = None,
) -> Callable[[View], View]:
    """Decorator: document a view method without changing what it does.

    `more` returns Markdown that follows the view's docstring, for what is derived from a registry.

    `csv` is an example of a CSV body, for endpoints that accept CSV as well as JSON, and `yaml` of a YAML body, for endpoints that
    accept nothing else.
    """
    texts = {media: text for media, text in ((CSV, csv), (YAML, yaml)) if text is not None}
    bodies = {**({} if body is None else {"application/json": body}), **dict.fromkeys(texts, OpenApiTypes.STR)}
    summary = operation_id.replace("_", " ").capitalize()
    described: dict[str, Any] = {
        "operation_id": operation_id,
        "summary": summary,
        "parameters": [*([query] if query else []), *([_KEY_HEADER] if idempotent else [])],
        "request": bodies if texts else body,
        "responses": {(status, media_type): OpenApiResponse(answer, description=f"{HTTPStatus(status).phrase}.")},
        "examples": _examples(summary, example, status=status, media_type=media_type, texts=texts),
        "extensions": {ERRORS: [*errors, *(_key_errors(body) if idempotent else ())]},
    }
    return lambda view: extend_schema(**described, description=_about(view, more), tags=_tags_of(view))(view)


def _about(view: Callable[..., Any], more: Callable[[], str] | None) -> str | None:
    """Return the docstring of a view, and what `more` adds."""
    about = inspect.getdoc(view)
    return about if more is None else f"{about}\n\n{more()}"


def _key_errors(body: type[Serializer[Any]] | None) -> Sequence[DomainError]:
    """Errors about idempotency keys. A mismatch is only possible if the body has a key field as well."""
    errors: list[DomainError] = [IdempotencyKeyInvalid(), IdempotencyKeyReused("purchase_ord_abc")]
    if body is not None and "idempotency_key" in body().fields:
        errors.append(IdempotencyKeyMismatch())
    return errors


def _tags_of(view: Callable[..., Any]) -> list[str]:
    """Return the tag of a view: the name of its app, as in "Events" for `gamify.facts.api.participant`.

    Views of the Phoenix dialect have a tag of their own, as in "Phoenix streaks" for `streaks.api.phoenix.admin`. Views outside
    of any app (in tests) have no tag.
    """
    domain = apps.get_containing_app_config(view.__module__)
    if domain is None:
        return []
    is_phoenix = ".api.phoenix." in view.__module__
    return [f"Phoenix {domain.verbose_name.lower()}" if is_phoenix else str(domain.verbose_name)]


def _examples(
    summary: str, example: Example, *, status: int, media_type: str, texts: Mapping[str, str]
) -> list[OpenApiExample]:
    answer = OpenApiExample(
        summary, value=example.answer, response_only=True, status_codes=[status], media_type=media_type
    )
    body = OpenApiExample(summary, value=example.body, request_only=True)
    of_texts = (
        OpenApiExample(summary, value=text, request_only=True, media_type=media) for media, text in texts.items()
    )
    return [*([] if example.body is None else [body]), answer, *of_texts]


class OperationSchema(AutoSchema):
    """drf-spectacular's schema with shorter component names: `ParticipantPage` for a page of participants."""

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}Page"


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """An API key, sent in one of two headers. The roles are the scopes that the view's permissions require."""

    target_class = "participants.api.authentication.KeyAuthentication"
    name = ["ApiKey", "BearerKey"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[str]]]:
        roles = [role for permission in auto_schema.view.get_permissions() for role in getattr(permission, "roles", ())]
        return [{name: roles} for name in self.name]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, str]]:
        about = "A key of your tenant: `bq_live_…` for live data, `bq_test_…` for the sandbox."
        return [
            {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": about},
            {"type": "http", "scheme": "bearer", "description": f"{about} The same keys work in `X-API-Key`."},
        ]


class SignatureScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """A partner's signature in three headers. OpenAPI needs a security scheme for each header."""

    target_class = "participants.api.signatures.SignatureAuthentication"
    name = ["PartnerTenant", "PartnerTimestamp", "PartnerSignature"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[str]]:
        return {name: [] for name in self.name}

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, str]]:
        headers = {
            TENANT: "Slug or UUID of the tenant whose secret the request is signed with.",
            TIMESTAMP: f"Time of signing in Unix seconds, at most {TOLERANCE_SECONDS} seconds from now.",
            SIGNATURE: "`hmac-sha256=` followed by the hexadecimal HMAC-SHA256 of method, path, timestamp and body, joined by line feeds.",
        }
        return [
            {"type": "apiKey", "in": "header", "name": header, "description": about}
            for header, about in headers.items()
        ]
