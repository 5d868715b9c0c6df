"""Every field of every body and query accepts only values of its own type (docs/contract.md §2).

The tables come from the OpenAPI document, so that a new field is held to them without being named here.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any
from urllib.parse import quote

import pytest
from rest_framework import serializers

from gamify.webhooks.api.streaming import _slots
from participants.models import Tenant
from participants.references import RefersTo
from tests.client import Api
from tests.factories import BadgeFactory, ParticipantFactory
from tests.gamify_project.test_schema import (
    Operation,
    _resolved,
    define_what_examples_name,
    operations,
)
from tests.instants import NO_INSTANTS

Path = tuple[str | int, ...]

WRONG: Mapping[str, Sequence[Any]] = {
    "string": [5, 1.1, True, ["a"], {"a": "b"}],
    "integer": [12.5, 12.0, True, "1_0", "１", " 1 ", "1e3", "12.5", "", [1]],  # noqa: RUF001 - a full-width digit
    "number": [True, "1_0", "１", " 1 ", [1]],  # noqa: RUF001
    "boolean": ["true", "yes", 1, 0, "", [True]],
    "array": [5, "a", True, {"a": "b"}],
    "object": [5, "a", True, ["a"]],
}
NO_DAYS = ["2026-W07-6", "20260214", "2026-2-14", "２０２６-02-14", "2026-02-30", "2026-02-14T00:00:00Z"]  # noqa: RUF001
WRONG_TEXTS: Mapping[str, Sequence[str]] = {
    "integer": ["1_0", "１", " 1", "1.5", "1e3", "true", "x"],  # noqa: RUF001
    "boolean": ["1", "0", "True", "yes", "null", "x"],
}


@pytest.fixture
def client(admin_api: Api, tenant: Tenant) -> Api:
    """An admin key, for documented paths, and the participant of the examples."""
    ParticipantFactory(tenant=tenant, external_id="user_123", points=1000)
    return Api(admin_api.key, base="")


# --- bodies -----------------------------------------------------------------------------------------------------------


def fields_of(schema: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, str, Mapping[str, Any]]]:
    """Yield path, type and schema of every value in a body. Of a list, only the first item."""
    schema = _plain(schema)
    kind = _type_of(schema)
    if path and kind:
        yield path, kind, schema
    if "rounding" in schema.get("properties", ()):
        return  # a grant: its fields depend on its type; see the table of grants below
    for name, inner in schema.get("properties", {}).items():
        yield from fields_of(inner, (*path, name))
    if "items" in schema:
        yield from fields_of(schema["items"], (*path, 0))


def _plain(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema without references and without null."""
    schema = _resolved(schema)
    for way in ("allOf", "anyOf", "oneOf"):
        meant = [each for each in schema.get(way, ()) if each.get("type") != "null" and each.get("enum") != [None]]
        if len(meant) == 1:
            return _plain(meant[0])
    return schema


def _type_of(schema: Mapping[str, Any]) -> str | None:
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else [kind for kind in kinds or () if kind != "null"]
    return kinds[0] if len(kinds) == 1 else None


def body_with(body: Any, path: Path, value: Any) -> Any:
    """Return a copy of `body` with `value` at `path`. Missing containers are created."""
    name, rest = path[0], path[1:]
    if isinstance(name, int):
        items = list(body) if isinstance(body, list) else []
        return [body_with(items[0] if items else None, rest, value) if rest else value, *items[1:]]
    fields = deepcopy(body) if isinstance(body, dict) else {}
    return {**fields, name: body_with(fields.get(name), rest, value) if rest else value}


def sent_with(client: Api, operation: Operation, path: Path, value: Any) -> Any:
    assert operation.body
    example = next(iter(operation.body["examples"].values()))["value"]
    return client.send(operation.method, operation.example_path + operation.query, body_with(example, path, value))


def is_refused(response: Any, path: Path) -> bool:
    """Whether the answer refuses the field at `path`, in the format of its dialect."""
    dotted = ".".join(map(str, path))
    if "error" in response.json():
        return response.status_code == 400 and dotted.rpartition(".")[2] in response.json()["error"]["message"]
    errors = response.json().get("errors", ())
    return response.status_code == 422 and any(error["field"].startswith(dotted) for error in errors)


def _with_body(each: Any) -> Any:
    names = [name for name, operation in operations().items() if operation.body]
    return pytest.mark.parametrize("name", names)(each)


@_with_body
def test_every_field_of_a_body_refuses_values_of_another_type(name: str, client: Api, tenant: Tenant) -> None:
    operation = operations()[name]
    define_what_examples_name(tenant, but=name)
    assert operation.body

    taken = [
        (path, value, response.status_code, response.content)
        for path, kind, schema in fields_of(operation.body["schema"])
        for value in [*WRONG[kind], *_wrong_texts(schema)]
        if not is_refused(response := sent_with(client, operation, path, value), path)
    ]

    assert taken == []


def _wrong_texts(schema: Mapping[str, Any]) -> Sequence[str]:
    return {"date-time": NO_INSTANTS, "date": NO_DAYS}.get(schema.get("format", ""), [])


@_with_body
def test_no_field_of_a_body_crashes_on_null_or_an_empty_value(name: str, client: Api, tenant: Tenant) -> None:
    operation = operations()[name]
    define_what_examples_name(tenant, but=name)
    assert operation.body

    for path, _, _ in fields_of(operation.body["schema"]):
        for value in (None, "", [], {}, [None], " "):
            response = sent_with(client, operation, path, value)

            assert response.status_code < 500, (path, value, response.content)


@pytest.mark.parametrize("sent", [7, "7", "+7", "007"])
def test_an_integer_may_be_sent_as_its_digits(client: Api, sent: Any) -> None:
    answer = client.post("/api/v1/gamify/points/award", {"participant_id": "user_123", "amount": sent})

    assert answer.json()["amount"] == 7


@pytest.mark.parametrize(("grant", "field"), [
    ({"type": 5}, "type"),
    ({"type": "badge", "code": 5}, "code"),
    ({"type": "tier", "code": True}, "code"),
    ({"type": "streak_tick", "code": 1.1}, "code"),
    ({"type": "reward", "id": 5}, "id"),
    *[({"type": "points", "amount": value}, "amount") for value in WRONG["integer"]],
    ({"type": "points", "field": 5}, "field"),
    ({"type": "points", "field": "amount", "factor": True}, "factor"),
    ({"type": "points", "field": "amount", "rounding": 5}, "rounding"),
    ({"type": "points", "field": "amount", "max": True}, "max"),
    ({"type": "points", "field": "amount", "max": 1.5}, "max"),
])  # fmt: skip
def test_a_grant_refuses_values_of_another_type(client: Api, grant: Mapping[str, Any], field: str) -> None:
    body = {"code": "welcome", "name": "Welcome", "when": {"event_types": ["login"]}, "then": [grant]}

    response = client.post("/api/v1/gamify/admin/rules", body)

    assert is_refused(response, ("then", 0, field)), response.content


# --- queries ----------------------------------------------------------------------------------------------------------


def parameters_of(operation: Operation) -> Iterator[Mapping[str, Any]]:
    parameters = map(_resolved, operation.spec.get("parameters", ()))
    return (parameter for parameter in parameters if parameter["in"] == "query")


def asked(client: Api, operation: Operation, name: str, text: str) -> Any:
    """Return `name=text` with the other parameters that the operation needs."""
    needed = [each["name"] for each in parameters_of(operation) if each.get("required") and each["name"] != name]
    query = "&".join([f"{name}={quote(text)}", *(f"{each}=2026-02-14T10:00:00Z" for each in needed)])
    example = next(iter(operation.body["examples"].values()))["value"] if operation.body else None
    return client.send(operation.method, f"{operation.example_path}?{query}", example)


def texts_refused_by(schema: Mapping[str, Any]) -> Sequence[str]:
    if "enum" in schema:
        return ["nothing", "1"]
    return [*WRONG_TEXTS.get(schema["type"], ()), *_wrong_texts(schema)]


@pytest.mark.parametrize("name", [
    name
    for name, operation in operations().items()
    if any(texts_refused_by(parameter["schema"]) for parameter in parameters_of(operation))
])  # fmt: skip
def test_every_parameter_of_a_query_refuses_texts_of_another_type(name: str, client: Api, tenant: Tenant) -> None:
    operation = operations()[name]
    define_what_examples_name(tenant, but=name)

    taken = [
        (parameter["name"], text, response.status_code)
        for parameter in parameters_of(operation)
        for text in texts_refused_by(parameter["schema"])
        if not is_refused(response := asked(client, operation, parameter["name"], text), (parameter["name"],))
    ]

    assert taken == []


@pytest.mark.parametrize("name", [
    name for name, operation in operations().items() if operation.method == "GET" and any(parameters_of(operation))
])  # fmt: skip
def test_an_empty_parameter_counts_as_not_given(name: str, client: Api, tenant: Tenant, settings: Any) -> None:
    settings.FEED_STREAM_SECONDS, settings.FEED_STREAMS = 0, 1
    _slots.cache_clear()
    operation = operations()[name]
    define_what_examples_name(tenant, but=name)
    empty = "&".join(f"{parameter['name']}=" for parameter in parameters_of(operation))

    plain, response = (_answered(client, f"{operation.example_path}{query}") for query in ("", f"?{empty}"))

    assert response == plain


@pytest.mark.parametrize("name", [
    name for name, operation in operations().items() if operation.method != "GET" and any(parameters_of(operation))
])  # fmt: skip
def test_an_empty_parameter_of_a_write_is_refused(name: str, client: Api, tenant: Tenant, nothing_written: Any) -> None:
    operation = operations()[name]
    define_what_examples_name(tenant, but=name)

    for parameter in parameters_of(operation):
        with nothing_written():
            assert is_refused(asked(client, operation, parameter["name"], ""), (parameter["name"],))


def _answered(client: Api, path: str) -> tuple[int, Any]:
    """Status and body; a stream is read to its end, which gives its place back."""
    response = client.get(path)
    return response.status_code, list(response) if response.streaming else response.json()


@pytest.mark.parametrize(("path", "name"), [
    ("/participants/user_123/state", "include"),
    ("/participants/user_123/badges", "badge_codes"),
    ("/admin/feed", "types"),
])  # fmt: skip
def test_a_list_may_be_given_by_repeating_its_parameter(admin_api: Api, tenant: Tenant, path: str, name: str) -> None:
    ParticipantFactory(tenant=tenant, external_id="user_123")
    BadgeFactory(tenant=tenant, code="other")
    define_what_examples_name(tenant, but="")
    first, second = {"include": ("points", "tier"), "badge_codes": ("streak_master", "other")}.get(
        name, ("points.awarded", "streak.*")
    )

    joined = admin_api.get(f"{path}?{name}={first},{second}")
    repeated = admin_api.get(f"{path}?{name}={first}&{name}={second}")

    assert joined.status_code == repeated.status_code == 200
    assert joined.json() == repeated.json() != admin_api.get(f"{path}?{name}={first}").json()


# --- the classes of fields --------------------------------------------------------------------------------------------

OWN_PACKAGES = ("participants.", "gamify.", "streaks.", "rewards.")
NONSENSE = (None, "", " ", "x", 0, 1.5, True, [], {}, [None], [[]], {"event_name": None}, {"x": {}})
NEEDED: Mapping[str, Mapping[str, Any]] = {
    "PatternField": {"regex": "a"},
    "FractionField": {"max_digits": 5, "decimal_places": 2},
    "MetricField": {"names": lambda: ("balance",)},
    "ReferenceCodeField": {"refers_to": RefersTo("badge")},
    "ReferenceIdField": {"refers_to": RefersTo("badge", is_by_id=True, name_in_file="badge")},
}


def own_fields(base: type[Any] = serializers.Field) -> Iterator[type[Any]]:
    """Return the fields that read values; not read-only fields, nor query strings, whose values are all text."""
    for child in base.__subclasses__():
        is_read = child.to_internal_value is not serializers.Field.to_internal_value
        if child.__module__.startswith(OWN_PACKAGES) and is_read and not child.__name__.endswith("Query"):
            yield child
        yield from own_fields(child)


def instance_of(field: type[Any]) -> Any:
    try:
        return field(allow_null=True, **NEEDED.get(field.__name__, {}))
    except TypeError:  # the field has its own validation of the value
        return field(**({"help_text": ""} if field.__name__ == "LimitField" else {}))


@pytest.mark.parametrize("field", sorted(set(own_fields()), key=str), ids=lambda field: field.__qualname__)
def test_no_field_of_ours_crashes_on_nonsense(field: type[Any]) -> None:
    """Check that the field accepts or refuses the value; anything else would be a 500."""
    for value in NONSENSE:
        try:
            instance_of(field).run_validation(value)
        except (serializers.ValidationError, serializers.SkipField):
            continue
