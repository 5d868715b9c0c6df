"""Bad input at every endpoint: no crash, no status and no shape that is not documented, and no trace of a refused request.

- schemathesis generates requests from the OpenAPI document: some follow it and some break it. At full size there are 25,000.
- 150 hand-made inputs (`bad_inputs.py`) go to every operation.

Requests that are accepted are undone, so that each meets the same rows.
"""

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from schemathesis import GenerationMode

from gamify.webhooks.api.streaming import _slots
from gamify.webhooks.services.sequencing import assign_all_positions
from participants import catalog
from participants.api.idempotency import HEADER
from participants.models import Tenant
from tests.client import Api
from tests.conftest import all_rows
from tests.factories import ParticipantFactory
from tests.gamify_project.test_schema import (
    NOW,
    Operation,
    _resolved,
    define_what_examples_name,
    document,
    each_operation,
    operations,
    problems,
)
from tests.trials.bad_inputs import BAD_INPUTS, BadInput, BadRequest, example_of
from tests.trials.reporting import SEED, size

EXAMPLES = size(2, 77)  # requests of each mode for an operation; generating one takes about 0.03 s of processor time
HAND_MADE = size(4, len(BAD_INPUTS))


@cache
def generators() -> Mapping[str, Any]:
    """Return schemathesis's operations by operation id."""
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(document(), default=float)))
    found = (result.ok() for result in schema.get_all_operations())
    return {operation.definition.raw["operationId"]: operation for operation in found}


def generated(name: str, mode: GenerationMode) -> list[Any]:
    """Return cases for the operation `name`, the same for the same seed."""
    cases: list[Any] = []

    @seed(SEED)
    @given(generators()[name].as_strategy(generation_mode=mode))
    @hypothesis_settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
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
def test_bad_input_is_answered_as_documented_and_leaves_no_trace_if_refused(
    name: str, client: Api, tenant: Tenant, chance: random.Random
) -> None:
    operation = operations()[name]
    define_what_examples_name(tenant, but=name)
    assign_all_positions(now=NOW)  # else a read of the feed does it, as any reader would, whatever the answer is
    before = all_rows()

    send_generated(operation, client, name)
    send_hand_made(operation, client, sorted(chance.sample(range(len(BAD_INPUTS)), k=HAND_MADE)))

    assert all_rows() == before


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL refuses this text")
def test_without_the_check_of_texts_a_request_crashes(
    client: Api, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("participants.engine._text_problem", lambda text: None)
    operation = operations()["award_points"]

    with pytest.raises(AssertionError):
        send_in_each_field(operation, client, {"a": "\u0000"})


def send_generated(operation: Operation, client: Api, name: str) -> None:
    """Send requests that follow the document and that break it, to the rows of the examples; those that break it also elsewhere."""
    follows, breaks = generated(name, GenerationMode.POSITIVE), generated(name, GenerationMode.NEGATIVE)
    for case, path in [
        *((case, operation.example_path) for case in [*follows, *breaks]),
        *((case, case.formatted_path) for case in breaks),
    ]:
        key = (case.headers or {}).get(HEADER)
        headers = {HEADER: key} if isinstance(key, str) and key.isascii() and key.isprintable() else {}
        check(operation, client, list(sent(case, path)), headers, case.media_type or "application/json")


def send_hand_made(operation: Operation, client: Api, numbers: Iterable[int]) -> None:
    for number in numbers:
        check_request(operation, client, BAD_INPUTS[number].request_to(operation, number))


def send_in_each_field(operation: Operation, client: Api, value: Any) -> None:
    for number in range(len(example_of(operation))):
        check_request(operation, client, BadInput("value", value).request_to(operation, number))


def check_request(operation: Operation, client: Api, request: BadRequest) -> None:
    check(operation, client, list(request.arguments), request.headers, request.content_type)


def check(operation: Operation, client: Api, request: list[Any], headers: Mapping[str, str], content_type: str) -> None:
    """Send the request. Raises AssertionError if the answer is not documented. What an accepted request did is undone."""
    with transaction.atomic():
        response = client.send(*request, headers=headers, content_type=content_type)
        if response.streaming:
            list(response)  # to its end, which gives its place back
        transaction.set_rollback(response.status_code < 400)
    catalog._catalogs.clear()
    if response.streaming:
        assert response.status_code == 200, request
        return
    documented = operation.spec["responses"]
    assert response.status_code < 500, (request, response.content)
    assert str(response.status_code) in documented, (request, response.status_code, response.content)
    content = _resolved(documented[str(response.status_code)])["content"]
    kind = response.headers["Content-Type"].partition(";")[0]
    assert kind in content, (request, kind)
    if kind == "application/json":
        assert problems(response.json(), content[kind]["schema"]) == [], request
