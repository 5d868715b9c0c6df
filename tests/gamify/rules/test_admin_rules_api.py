from uuid import uuid4

import pytest
import time_machine

from gamify.facts.engine.operators import OPERATORS
from gamify.rules.models import Rule
from participants.models import Tenant
from tests.client import like, refusal, refused_fields
from tests.factories import BadgeFactory, RuleFactory, TierFactory

RULES = "/admin/rules"
EXPRESSION = {"and": [{"condition": {"field": "amount", "operator": "gte", "value": 100}}]}
RULE = {
    "code": "big_spender",
    "name": "Big spender",
    "description": "Buys much.",
    "priority": 10,
    "is_active": True,
    "starts_at": "2026-02-01T00:00:00Z",
    "ends_at": "2036-02-01T00:00:00Z",
    "when": {"event_types": ["purchase"], "changes": ["tier.upgraded"], "expression": EXPRESSION},
    "then": [{"type": "points", "amount": 10}, {"type": "badge", "code": "vip"}],
    "limits": {"per_day": 3, "per_week": None, "ever": 10, "cooldown_seconds": None},
}
LEAST = {
    "code": "least",
    "name": "Least",
    "when": {"event_types": ["purchase"]},
    "then": [{"type": "points", "amount": 10}],
}


@pytest.fixture(autouse=True)
def vip(tenant):
    BadgeFactory(tenant=tenant, code="vip")


def codes(response):
    assert response.status_code == 200, response.content
    return [item["code"] for item in response.json()["items"]]


def one(row):
    return f"{RULES}/{row.pk}"


def changed(name, **fields):
    """RULE with something else in one of its objects."""
    return {name: RULE[name] | fields}


def test_a_rule_is_created_and_returned_as_sent(tenant, admin_api):
    with time_machine.travel("2026-02-14T10:00:00Z", tick=False):
        response = admin_api.post(RULES, RULE)

    row = Rule.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": str(row.pk),
        "tenant_id": str(tenant.pk),
        **RULE,
        "created_at": "2026-02-14T10:00:00Z",
        "updated_at": "2026-02-14T10:00:00Z",
    }
    assert row.limits == {"per_day": 3, "ever": 10}
    assert admin_api.get(one(row)).json() == response.json()


def test_a_new_rule_reacts_to_the_next_event(api, admin_api):
    purchase = {"participant_id": "ada", "event_name": "purchase"}
    assert api.post("/events", purchase).json()["rewards_granted"] == []

    admin_api.post(RULES, LEAST)

    (given,) = api.post("/events", purchase).json()["rewards_granted"]
    assert like(given, {"type": "points", "amount": 10, "source": {"type": "rule", "code": "least"}})


def test_missing_fields_have_defaults(admin_api):
    response = admin_api.post(RULES, LEAST)

    nothing = dict.fromkeys(("per_day", "per_week", "ever", "cooldown_seconds"))
    assert response.status_code == 201
    assert like(response.json(), {"priority": 0, "is_active": True, "then": LEAST["then"]})
    assert response.json()["when"] == {"event_types": ["purchase"], "changes": [], "expression": None}
    assert response.json()["limits"] == nothing
    assert [response.json()[name] for name in ("description", "starts_at", "ends_at")] == [None] * 3
    assert "display_order" not in response.json()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": ""}, "code"),
        ({"code": "x" * 51}, "code"),
        ({"name": None}, "name"),
        ({"priority": 2**31}, "priority"),
        ({"priority": "high"}, "priority"),
        ({"starts_at": "tomorrow"}, "starts_at"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "starts_at"),
        ({"ends_at": "9999-12-31T23:59:59-14:00"}, "ends_at"),
        ({"ends_at": RULE["starts_at"]}, "ends_at"),
        ({"when": None}, "when"),
        ({"when": ["purchase"]}, "when"),
        ({"when": {}}, "when.event_types"),
        (changed("when", event_types=[], changes=[]), "when.event_types"),
        (changed("when", event_types="purchase"), "when.event_types"),
        (changed("when", event_types=["a,b"]), "when.event_types.0"),
        (changed("when", event_types=["a", ""]), "when.event_types.1"),
        (changed("when", changes=["tier.upgraded", "tier.melted"]), "when.changes.1"),
        (changed("when", changes=["event.recorded"]), "when.changes.0"),
        (changed("when", changes=["participant.created"]), "when.changes.0"),
        (changed("when", changes=[7]), "when.changes.0"),
        (changed("when", expression=[]), "when.expression"),
        (changed("when", expression={"xor": []}), "when.expression.xor"),
        (changed("when", expression={}), "when.expression"),
        (changed("when", expression={"and": [EXPRESSION, {"not": 1}]}), "when.expression.and.1.not"),
        ({"then": None}, "then"),
        ({"then": []}, "then"),
        ({"then": {"type": "points"}}, "then"),
        ({"then": [7]}, "then.0"),
        ({"then": [{"type": "points", "amount": 1}] * 21}, "then"),
        ({"then": [{"type": "points", "amount": 0}]}, "then.0.amount"),
        ({"then": [{"type": "points", "field": "a..b"}]}, "then.0.field"),
        ({"then": [{"type": "karma"}]}, "then.0.type"),
        ({"then": [{"type": ["points"]}]}, "then.0.type"),
        ({"then": [{"type": "points", "amount": 1}, {"type": "badge", "code": "gone"}]}, "then.1.code"),
        ({"then": [{"type": "tier", "code": "gold"}]}, "then.0.code"),
        ({"then": [{"type": "streak_tick", "code": "daily"}]}, "then.0.code"),
        ({"limits": [1]}, "limits"),
        ({"limits": {"per_day": -1}}, "limits.per_day"),
        ({"limits": {"per_week": 1.5}}, "limits.per_week"),
        ({"limits": {"ever": 1_000_001}}, "limits.ever"),
        ({"limits": {"cooldown_seconds": "soon"}}, "limits.cooldown_seconds"),
    ],
)
def test_a_rule_that_does_not_validate_is_422_names_the_path_and_writes_nothing(
    admin_api, nothing_written, change, field
):
    with nothing_written():
        response = admin_api.post(RULES, RULE | change)

    assert refused_fields(response) == [field]


def test_errors_are_sentences(admin_api):
    unknown = {"condition": {"field": "a", "operator": "like", "value": 1}}

    wrong = [
        admin_api.post(RULES, RULE | changed("when", expression={"and": [unknown]})),
        admin_api.post(RULES, RULE | {"then": [{"type": "badge", "code": "gone"}]}),
        admin_api.post(RULES, RULE | {"when": {"event_types": []}}),
    ]

    assert [refusal(response)[2] for response in wrong] == [
        f"when.expression.and.0.condition.operator: unknown operator 'like'; known here: {', '.join(OPERATORS)}",
        "then.0.code: must be the code of an active badge",
        "when.event_types: name at least one event type or change",
    ]


def test_missing_fields_are_all_named(admin_api, nothing_written):
    with nothing_written():
        response = admin_api.post(RULES, {})

    assert sorted(refused_fields(response)) == ["code", "name", "then", "when"]


def test_definitions_of_other_tenants_cannot_be_given(tenant, other_tenant, admin_api):
    TierFactory(tenant=other_tenant, code="gold")
    TierFactory(tenant=tenant.sandbox, code="gold")

    assert refused_fields(admin_api.post(RULES, LEAST | {"then": [{"type": "tier", "code": "gold"}]})) == [
        "then.0.code"
    ]


def test_duplicate_names_are_stored_once(admin_api):
    when = {"event_types": ["a", "b", "a"], "changes": ["tier.upgraded", "tier.upgraded"]}

    answered = admin_api.post(RULES, LEAST | {"when": when}).json()["when"]

    assert (answered["event_types"], answered["changes"]) == (["a", "b"], ["tier.upgraded"])


@pytest.mark.parametrize("is_active", [True, False])
def test_a_taken_code_is_refused_as_in_the_contract(tenant, admin_api, nothing_written, is_active):
    RuleFactory(tenant=tenant, code="big_spender", is_active=is_active)

    with nothing_written():
        response = admin_api.post(RULES, RULE)

    assert refusal(response) == (400, "rule_code_conflict", "Rule with code 'big_spender' already exists")


def test_the_same_code_in_another_tenant_and_in_the_sandbox_is_free(tenant, other_tenant, admin_api):
    RuleFactory(tenant=other_tenant, code="big_spender")
    RuleFactory(tenant=tenant.sandbox, code="big_spender")

    assert admin_api.post(RULES, RULE).status_code == 201


def test_the_list_is_in_the_order_of_evaluation(tenant, admin_api):
    for code, priority in (("c", 1), ("b", 0), ("a", 0), ("d", 2)):
        RuleFactory(tenant=tenant, code=code, priority=priority, is_active=code != "d")

    assert codes(admin_api.get(RULES)) == ["d", "c", "a", "b"]
    assert codes(admin_api.get(RULES + "?is_active=true")) == ["c", "a", "b"]
    assert like(
        admin_api.get(RULES + "?page=2&page_size=3").json(),
        {"items": [{"code": "b"}], "total": 4, "page": 2, "page_size": 3},
    )


def test_a_change_sets_only_the_given_fields(tenant, admin_api):
    row = RuleFactory(tenant=tenant, code="buy", description="Old.", limits={"ever": 3})

    with time_machine.travel("2036-02-14T10:00:00Z", tick=False):
        answered = admin_api.patch(one(row), {"name": "New", "description": None, "code": "other"}).json()

    assert like(answered, {"code": "buy", "name": "New", "limits": {"ever": 3}, "when": {"event_types": ["purchase"]}})
    assert (answered["description"], answered["updated_at"]) == (None, "2036-02-14T10:00:00Z")
    assert [warning["field"] for warning in answered.pop("warnings")] == ["code"]
    assert admin_api.get(one(row)).json() == answered


def test_when_then_and_limits_are_replaced_as_a_whole(tenant, admin_api):
    row = RuleFactory(tenant=tenant, expression=EXPRESSION, limits={"per_day": 1, "ever": 3}, grants=RULE["then"])
    change = {
        "when": {"changes": ["points.awarded"]},
        "then": [{"type": "badge", "code": "vip"}],
        "limits": {"per_week": 5},
    }

    answered = admin_api.patch(one(row), change).json()

    assert answered["when"] == {"event_types": [], "changes": ["points.awarded"], "expression": None}
    assert answered["then"] == change["then"]
    assert answered["limits"] == {"per_day": None, "per_week": 5, "ever": None, "cooldown_seconds": None}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"starts_at": "2037-01-01T00:00:00Z"}, "ends_at"),
        ({"ends_at": "2026-01-01T00:00:00Z"}, "ends_at"),
        ({"when": {}}, "when.event_types"),
        ({"when": {"expression": EXPRESSION}}, "when.event_types"),
        ({"then": []}, "then"),
        ({"then": [{"type": "badge", "code": "gone"}]}, "then.0.code"),
        ({"limits": {"ever": -1}}, "limits.ever"),
        ({"is_active": "maybe"}, "is_active"),
    ],
)
def test_a_change_is_validated_together_with_stored_values(tenant, admin_api, nothing_written, change, field):
    row = RuleFactory(tenant=tenant, starts_at="2026-02-01T00:00:00Z", ends_at="2036-02-01T00:00:00Z")

    with nothing_written():
        response = admin_api.patch(one(row), change)

    assert refused_fields(response) == [field]


def test_a_rule_whose_badge_is_gone_can_still_be_deactivated(tenant, admin_api):
    row = RuleFactory(tenant=tenant, grants=[{"type": "badge", "code": "gone"}])

    assert admin_api.patch(one(row), {"is_active": False}).status_code == 200


def test_delete_deactivates_and_can_be_undone(tenant, admin_api):
    row = RuleFactory(tenant=tenant)

    response = admin_api.delete(one(row))

    assert (response.status_code, response.json()) == (200, {"message": "Rule deactivated"})
    assert admin_api.get(one(row)).json()["is_active"] is False
    assert admin_api.patch(one(row), {"is_active": True}).json()["is_active"] is True


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_every_change_is_noticed_by_every_process(tenant, admin_api, method):
    row = RuleFactory(tenant=tenant)
    path = RULES if method == "POST" else one(row)

    admin_api.send(method, path, RULE if method == "POST" else {"name": "New"})

    assert Tenant.objects.get(pk=tenant.pk).catalog_version == tenant.catalog_version + 1


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("whose", ["nobody", "another tenant", "the sandbox", "no uuid"])
def test_rules_of_others_are_404_and_stay(tenant, other_tenant, admin_api, nothing_written, method, whose):
    row = {
        "another tenant": lambda: RuleFactory(tenant=other_tenant).pk,
        "the sandbox": lambda: RuleFactory(tenant=tenant.sandbox).pk,
        "nobody": uuid4,
        "no uuid": lambda: "big_spender",
    }[whose]()

    with nothing_written():
        response = admin_api.send(method, f"{RULES}/{row}", {"name": "Mine"} if method == "PATCH" else None)

    assert refusal(response) == (404, "rule_not_found", f"Rule not found: {row}")


def test_a_second_tenant_and_the_sandbox_see_nothing(tenant, admin_api, other_admin_api):
    RuleFactory(tenant=tenant)
    RuleFactory(tenant=tenant.sandbox)

    assert codes(other_admin_api.get(RULES)) == []
    assert len(codes(admin_api.get(RULES))) == 1


@pytest.mark.parametrize(("method", "path"), [("GET", RULES), ("POST", RULES), ("GET", f"{RULES}/x")])
def test_without_the_admin_scope_everything_is_403(api, method, path):
    assert refusal(api.send(method, path, {})) == (403, "forbidden", "API key requires 'admin' scope")


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_other_methods_are_405(tenant, admin_api, method):
    assert refusal(admin_api.send(method, one(RuleFactory(tenant=tenant)), {}))[:2] == (405, "method_not_allowed")


@pytest.mark.django_db(transaction=True)
def test_statements_do_not_grow_with_the_number_of_rules(tenant, admin_api, queries):
    rows = [RuleFactory(tenant=tenant) for _ in range(5)]
    admin_api.get(RULES)

    with queries(3):  # key, count, page
        admin_api.get(RULES)
    with queries(2):
        admin_api.get(one(rows[0]))
    with queries(7):  # key, badge, lock, the rules that may trigger it, rule, catalog version, change log
        admin_api.post(RULES, RULE)
    with queries(6):
        admin_api.patch(one(rows[0]), {"name": "New"})
