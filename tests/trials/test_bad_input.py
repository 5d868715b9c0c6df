"""Requests that schemathesis generates from the OpenAPI document: every status is documented, and every answer matches its schema.

Every operation gets a few requests that follow the document and a few that break it. They are the same in every run, so that a
failure can be repeated; their number is what keeps this below a minute for both databases together.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from schemathesis import GenerationMode

from gamify.webhooks.api.streaming import _slots
from participants.api.idempotency import HEADER
from participants.models import Tenant
from tests.client import Api
from tests.factories import ParticipantFactory
from tests.gamify_project.test_schema import (
    Operation,
    _resolved,
    define_what_examples_name,
    document,
    each_operation,
    operations,
    problems,
)

EXAMPLES = 3  # requests of each mode for an operation; generating them takes about 0.2 s of processor time


@cache
def generators() -> Mapping[str, Any]:
    """Return schemathesis's operations by operation id."""
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(document(), default=float)))
    found = (result.ok() for result in schema.get_all_operations())
    return {operation.definition.raw["operationId"]: operation for operation in found}


def generated(name: str, mode: GenerationMode) -> list[Any]:
    """Return cases for the operation `name`, the same each time."""
    cases: list[Any] = []

    @given(generators()[name].as_strategy(generation_mode=mode))
    @hypothesis_settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def collect(case: Any) -> None:
        cases.append(case)

    collect()
    return cases


def sent(case: Any, path: str) -> Iterator[Any]:
    """Return the arguments of `Api.send`: method, path with query, and body."""
    query = {name: _as_text(value) for name, value in (case.query or {}).items()}
    yield from (case.method, f"{path}?{urlencode(query)}" if query else path)
    if case.media_type == "application/json":
        yield json.dumps(case.body, default=str).encode()
    elif case.media_type:
        yield str(case.body).encode("utf-8", "replace")


def _as_text(value: Any) -> str:
    """Return the query as documented: lists are joined by commas."""
    if isinstance(value, list):
        return ",".join(map(_as_text, value))
    return value if isinstance(value, str) else json.dumps(value, default=str)


@pytest.fixture
def client(admin_api: Api, tenant: Tenant, settings: Any) -> Api:
    """An admin key, for documented paths. Streams end immediately."""
    settings.FEED_STREAM_SECONDS, settings.FEED_STREAMS = 0, 1
    _slots.cache_clear()
    ParticipantFactory(tenant=tenant, external_id="user_123", points=1000)
    return Api(admin_api.key, base="")


@each_operation
def test_requests_generated_from_the_document_are_answered_as_documented(
    name: str, client: Api, tenant: Tenant
) -> None:
    operation = operations()[name]
    define_what_examples_name(tenant, but=name)
    follows, breaks = generated(name, GenerationMode.POSITIVE), generated(name, GenerationMode.NEGATIVE)

    for case, path in [
        *((case, operation.example_path) for case in [*follows, *breaks]),
        *((case, case.formatted_path) for case in breaks),
    ]:
        check(operation, client, case, path)


def check(operation: Operation, client: Api, case: Any, path: str) -> None:
    key = (case.headers or {}).get(HEADER)
    headers = {HEADER: key} if isinstance(key, str) and key.isascii() and key.isprintable() else {}
    request = list(sent(case, path))

    response = client.send(*request, headers=headers, content_type=case.media_type or "application/json")

    if response.streaming:
        assert response.status_code == 200, request
        list(response)  # to its end, which gives its place back
        return
    documented = operation.spec["responses"]
    assert str(response.status_code) in documented, (request, response.status_code, response.content)
    assert response.status_code < 500, (request, response.content)
    content = _resolved(documented[str(response.status_code)])["content"]
    kind = response.headers["Content-Type"].partition(";")[0]
    assert kind in content, (request, kind)
    if kind == "application/json":
        assert problems(response.json(), content[kind]["schema"]) == [], request
