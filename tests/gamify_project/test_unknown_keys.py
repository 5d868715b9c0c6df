"""Typos are noticed: inside nested objects they are refused, and at the top level the answer reports them."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from gamify.facts.definitions import grant_schema
from gamify.facts.services import grant_kinds
from participants.models import Tenant
from tests.client import Api
from tests.gamify_project.test_schema import Operation, _resolved, operations, problems

POINTS = {"type": "points", "field": "amount", "factor": 2, "rounding": "floor", "max": 5}
ASKED = {"condition": {"field": "plan", "operator": "eq", "value": "pro"}}
CONDITION = {"type": "sum", "field": "amount", "min": 1}
NAMED = {"code": "x", "name": "X"}

# For each kind of definition, a body with all its nested objects.
BODIES: Mapping[str, dict[str, Any]] = {
    "badge": {
        **NAMED,
        "criteria": {"metric": "event_sum", "event_name": "buy", "field": "amount", "filter": {"plan": "pro"}, "min": 1},
    },
    "tier": {**NAMED, "level": 1, "criteria_config": {"min_points": 500, "basis": "lifetime"}},
    "leaderboard": {
        **NAMED,
        "metric": "event_sum",
        "selector": {"event_name": "buy", "field": "amount", "filter": {"plan": {"eq": "pro"}}},
        "participant_filter": {"city": "Berlin"},
    },
    "challenge": {
        **NAMED,
        "objectives": [
            {"code": "a", "label": "A", "event_types": ["buy"], "expression": ASKED, "condition": CONDITION, "prerequisites": []}
        ],
        "milestones": [{"objectives": 1, "grants": [POINTS]}],
        "completion_grants": [POINTS],
    },
    "rule": {
        **NAMED,
        "when": {"event_types": ["buy"], "changes": ["tier.upgraded"], "expression": {"not": ASKED}},
        "then": [POINTS],
        "limits": {"per_day": 1, "per_week": 2, "ever": 3, "cooldown_seconds": 4},
    },
    "reward": {**NAMED, "type": "points_multiplier", "config": {"multiplier": 2, "duration_hours": 24}},
    "boost": {**NAMED, "multiplier": 2},
    "streak": {**NAMED, "fact_type": "buy", "fact_filter": {"plan": "pro"}},
    "webhook": {"url": "https://shop.example/hooks", "event_types": ["*"]},
    "tenant_streak": {
        "name": "X",
        "config": {
            "event_types": ["buy"],
            "expression": {"or": [ASKED]},
            "window": {"type": "calendar", "period": "weekly", "timezone": "UTC", "reset_time": "04:00", "week_start": "monday"},
            "condition": CONDITION,
            "milestones": [{"threshold": 7, "reward_item_id": None, "repeatable": True}],
            "at_risk_seconds": 60,
        },
    },
}  # fmt: skip
AMNESTY = {"name": "X", "from": "2026-02-14", "to": "2026-02-14", "reason": "Outage"}

# Bodies of calls that create no definition.
NO_DEFINITIONS = {
    "simulate_event", "add_reward_codes", "cancel_claim", "fulfil_claim", "reverse_event", "reverse_transaction",
    "freeze_streak", "restore_streak", "create_export", "undo_cause",
}  # fmt: skip

every_kind = pytest.mark.parametrize("noun", BODIES)


def path_of(noun: str) -> str:
    path = operations()[f"create_{noun}"].path
    return path.replace("{tenant_id}", "acme")


@pytest.fixture
def admin(admin_api: Api, tenant: Tenant) -> Api:
    return Api(admin_api.key, base="")


def admin_operations() -> Iterator[tuple[str, Operation]]:
    for name, operation in operations().items():
        is_admin = "/admin/" in operation.path or operation.path.startswith("/v1/tenants")
        if is_admin and operation.body and name not in NO_DEFINITIONS:
            yield name, operation


def described_objects(schema: Mapping[str, Any], path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every object with described properties inside `schema`; 0 means an item of a list."""
    schema = _resolved(schema)
    for part in ("allOf", "oneOf", "anyOf"):
        for each in schema.get(part, ()):
            yield from described_objects(each, path)
    if "items" in schema:
        yield from described_objects(schema["items"], (*path, 0))
    if "properties" in schema:
        yield path
        for name, inner in schema["properties"].items():
            yield from described_objects(inner, (*path, name))


def nested_paths(operation: Operation) -> set[tuple[str | int, ...]]:
    assert operation.body
    return set(described_objects(operation.body["schema"])) - {()}


def at(body: Any, path: tuple[str | int, ...]) -> Any:
    for name in path:
        body = body[name]
    return body


def objects_in(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every object in `value`, except for filters, whose keys are names of event properties."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if isinstance(value, dict) and path:
        yield path
    for name, inner in pairs:
        if name not in {"filter", "fact_filter", "participant_filter"}:
            yield from objects_in(inner, (*path, name))


def test_every_admin_body_is_a_definition_or_listed_as_an_exception() -> None:
    changed = {f"{verb}_{noun}" for noun in BODIES for verb in ("create", "update")}
    assert {name for name, _ in admin_operations()} == changed | {"declare_amnesty", "set_tenant_streak_status"}


@pytest.mark.parametrize("verb", ["create", "update"])
@every_kind
def test_every_documented_object_is_covered_here(noun: str, verb: str) -> None:
    for path in nested_paths(operations()[f"{verb}_{noun}"]):
        assert at(BODIES[noun], path), path


def test_only_filters_and_expressions_are_objects_whose_keys_the_document_leaves_open() -> None:
    found = {name for _, operation in admin_operations() for name in open_objects((operation.body or {})["schema"])}

    assert found == {"expression", "filter", "fact_filter", "participant_filter"}


def open_objects(schema: Mapping[str, Any], name: str = "") -> Iterator[str]:
    """Yield the names of objects inside `schema` without described properties."""
    schema = _resolved(schema)
    inner = [each for part in ("allOf", "oneOf", "anyOf") for each in schema.get(part, ())]
    for each in [*inner, *([schema["items"]] if "items" in schema else [])]:
        yield from open_objects(each, name)
    for child, described in schema.get("properties", {}).items():
        yield from open_objects(described, child)
    if "object" in [schema.get("type"), *schema.get("type", ())] and "properties" not in schema:
        yield name


@pytest.mark.parametrize("verb", ["create", "update"])
@every_kind
def test_every_nested_object_refuses_an_unknown_key_and_suggests_the_nearest(
    admin: Api, nothing_written: Any, noun: str, verb: str
) -> None:
    path, method = path_of(noun), "POST"
    if verb == "update":
        created = admin.post(path, BODIES[noun])
        assert created.status_code == 201, created.json()
        path, method = f"{path}/{created.json()['id']}", "PATCH"

    with nothing_written():
        for inside, typo, known in typos(BODIES[noun]):
            body = json.loads(json.dumps(BODIES[noun]))  # equal objects at two places become two objects
            at(body, inside)[typo] = 1
            answer = admin.send(method, path, body)
            field = ".".join(map(str, (*inside, typo)))
            assert refused(answer, field) == f"is not a known key; did you mean {known}?", field


def typos(body: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Yield for every key of every object in `body`: its path, a misspelling, and the key."""
    for inside in objects_in(body):
        for known in at(body, inside):
            yield inside, f"{known[0].upper()}{known[1:]}s", known


def refused(answer: Any, field: str) -> str:
    """Return the message about `field`."""
    body = answer.json()
    if "error" in body:
        assert (answer.status_code, body["error"]["code"]) == (400, "VALIDATION_ERROR")
        head, _, inner = field.partition(".")
        start = f"{head}: {inner} "
        assert body["error"]["message"].startswith(start), body
        return str(body["error"]["message"].removeprefix(start))
    assert answer.status_code == 422, body
    assert [each["field"] for each in body["errors"]] == [field]
    return str(body["errors"][0]["message"])


def test_the_keys_of_grants_are_those_that_the_document_describes() -> None:
    keys = {key for kind in grant_kinds for key in grant_kinds[kind].fields}

    assert {"type"} | keys == set(grant_schema()["properties"])


@pytest.mark.parametrize(
    ("spec", "key"),
    [
        ({"type": "points", "amount": 1, "code": "x"}, "code"),
        ({"type": "badge", "code": "x", "amount": 1}, "amount"),
        ({"type": "tier", "code": "x", "id": "x"}, "id"),
        ({"type": "streak_tick", "code": "x", "at": "x"}, "at"),
        ({"type": "reward", "id": "x", "code": "x"}, "code"),
    ],
)
def test_each_kind_of_grant_has_keys_of_its_own(admin: Api, spec: Mapping[str, Any], key: str) -> None:
    known = ", ".join(("type", *grant_kinds[spec["type"]].fields))

    answer = admin.post(path_of("rule"), {**BODIES["rule"], "then": [spec]})

    assert refused(answer, f"then.0.{key}") == f"is not a known key; known here: {known}"


# --- fields at the top level --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["create", "update"])
@every_kind
def test_unknown_fields_are_ignored_and_reported_with_a_suggestion(admin: Api, noun: str, verb: str) -> None:
    path, body = path_of(noun), BODIES[noun]
    typo = "urll" if noun == "webhook" else "Name"
    nearest = "url" if noun == "webhook" else "name"
    if verb == "create":
        answer = admin.post(path, {**body, typo: "Y", "zzzzz": None})
    else:
        row = admin.post(path, body).json()
        answer = admin.patch(f"{path}/{row['id']}", {typo: "Y", "zzzzz": None})

    first, second = answer.json()["warnings"]
    assert first == {"field": typo, "message": f"is not a known field and was ignored; did you mean {nearest}?"}
    assert second["field"] == "zzzzz"
    assert second["message"].startswith("is not a known field and was ignored; known here: ")
    assert answer.json()[nearest] == body[nearest]
    assert problems(answer.json(), operations()[f"{verb}_{noun}"].answer["schema"]) == []


@every_kind
def test_there_are_no_warnings_about_known_fields_or_fields_of_a_read_sent_back(admin: Api, noun: str) -> None:
    path = path_of(noun)
    row = admin.post(path, BODIES[noun]).json()
    read = admin.get(f"{path}/{row['id']}").json()

    changed = admin.patch(f"{path}/{row['id']}", read)

    assert changed.status_code == 200, changed.json()
    assert [answer for answer in (row, read, changed.json()) if "warnings" in answer] == []


@pytest.mark.parametrize(
    ("noun", "change", "message"),
    [
        ("tier", {"min_points": 650}, "is not a known field and was ignored; did you mean criteria_config.min_points?"),
        ("rule", {"per_dya": 1}, "is not a known field and was ignored; did you mean limits.per_day?"),
        ("rule", {"event_types": []}, "is not a known field and was ignored; did you mean when.event_types?"),
        ("reward", {"multiplier": 3}, "is not a known field and was ignored; did you mean config.multiplier?"),
        ("tenant_streak", {"windw": {}}, "is not a known field and was ignored; did you mean config.window?"),
        ("tenant_streak", {"status": "paused"}, "cannot be set by this request and was ignored"),
        ("tier", {"code": "another"}, "cannot be set by this request and was ignored"),
        ("webhook", {"secret": "x"}, "is not a known field and was ignored; known here: url, event_types, description, is_active"),
    ],
)  # fmt: skip
def test_a_change_reports_ignored_fields(admin: Api, noun: str, change: Mapping[str, Any], message: str) -> None:
    row = admin.post(path_of(noun), BODIES[noun]).json()

    answer = admin.patch(f"{path_of(noun)}/{row['id']}", change)

    assert answer.status_code == 200
    assert answer.json()["warnings"] == [{"field": next(iter(change)), "message": message}]


def test_an_amnesty_and_a_status_change_report_ignored_fields(admin: Api) -> None:
    path = operations()["declare_amnesty"].path
    amnesty = admin.post(path, {**AMNESTY, "streak_code": ["x"]}).json()
    row = admin.post(path_of("tenant_streak"), BODIES["tenant_streak"]).json()
    status = admin.send("PUT", f"{path_of('tenant_streak')}/{row['id']}/status", {"status": "paused", "statsu": 1})

    assert [each["field"] for each in amnesty["warnings"]] == ["streak_code"]
    assert amnesty["warnings"][0]["message"].endswith("did you mean streak_codes?")
    assert status.json()["warnings"][0]["message"].endswith("did you mean status?")
    assert "warnings" not in admin.post(path, AMNESTY).json()


def test_event_properties_and_attributes_are_stored_as_sent(admin: Api, api: Api) -> None:
    at_noon = datetime(2026, 2, 14, 12, tzinfo=UTC).isoformat()
    event = {
        "participant_id": "ada",
        "event_name": "buy",
        "properties": {"zzz": 1, "event_name": 2},
        "timestamp": at_noon,
    }

    assert api.post("/events", {**event, "zzzzz": 1}).status_code == 200
    assert api.post("/participants", {"participant_id": "ada", "attributes": {"zzz": {"y": 1}}}).status_code == 201
