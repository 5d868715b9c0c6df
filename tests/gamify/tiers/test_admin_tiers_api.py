from uuid import uuid4

import pytest
import time_machine

from gamify.tiers.models import Tier
from participants.models import Tenant
from tests.client import like, refusal, refused_fields
from tests.factories import TierFactory

TIERS = "/admin/tiers"
PLATINUM = {
    "code": "platinum",
    "name": "Platinum",
    "level": 4,
    "color": "#E5E4E2",
    "criteria_config": {"min_points": 10000},
    "award_type": "automatic",
    "benefits": ["priority_support", "2x_points"],
    "display_order": 4,
}
MANUAL = {"code": "vip", "name": "VIP", "level": 9, "award_type": "manual"}


def codes(response):
    assert response.status_code == 200, response.content
    return [item["code"] for item in response.json()["items"]]


def one(row):
    return f"{TIERS}/{row.pk}"


def test_the_specs_tier_is_created(tenant, admin_api):
    with time_machine.travel("2026-02-14T10:00:00Z", tick=False):
        response = admin_api.post(TIERS, PLATINUM)

    row = Tier.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": str(row.pk),
        "tenant_id": str(tenant.pk),
        **PLATINUM,
        "description": None,
        "icon_url": None,
        "points_multiplier": None,
        "is_active": True,
        "created_at": "2026-02-14T10:00:00Z",
        "updated_at": "2026-02-14T10:00:00Z",
    }
    assert admin_api.get(one(row)).json() == response.json()


def test_a_tier_created_is_reached_by_the_next_award(api, admin_api):
    body = {"participant_id": "user_123", "amount": 10_000}
    assert api.post("/points/award", body).json()["tier_upgrade"] is None

    admin_api.post(TIERS, PLATINUM)

    assert api.post("/points/award", body | {"amount": 1}).json()["tier_upgrade"]["code"] == "platinum"


def test_missing_fields_have_defaults(admin_api):
    response = admin_api.post(TIERS, {"code": "t", "name": "T", "level": 0, "criteria_config": {"min_points": 0}})

    assert response.status_code == 201
    assert like(
        response.json(),
        {"level": 0, "award_type": "automatic", "benefits": [], "is_active": True, "display_order": 0},
    )
    assert [response.json()[name] for name in ("color", "icon_url", "description")] == [None] * 3


def test_a_manual_tier_needs_no_criteria(admin_api):
    response = admin_api.post(TIERS, MANUAL)

    assert response.status_code == 201
    assert response.json()["criteria_config"] == {}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": ""}, "code"),
        ({"code": None}, "code"),
        ({"code": "x" * 51}, "code"),
        ({"code": "a\tb"}, "code"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"level": -1}, "level"),
        ({"level": 1.5}, "level"),
        ({"level": 2**31}, "level"),
        ({"level": None}, "level"),
        ({"level": "high"}, "level"),
        ({"color": "x" * 21}, "color"),
        ({"icon_url": "ftp://example.com/x.png"}, "icon_url"),
        ({"icon_url": "https://example.com/" + "x" * 500}, "icon_url"),
        ({"award_type": "magic"}, "award_type"),
        ({"criteria_config": {}}, "criteria_config.min_points"),
        ({"criteria_config": {"basis": "lifetime"}}, "criteria_config.min_points"),
        ({"criteria_config": {"min_points": -1}}, "criteria_config.min_points"),
        ({"criteria_config": {"min_points": 2**63}}, "criteria_config.min_points"),
        ({"criteria_config": {"min_points": 1.5}}, "criteria_config.min_points"),
        ({"criteria_config": {"min_points": None}}, "criteria_config.min_points"),
        ({"criteria_config": {"min_points": True}}, "criteria_config.min_points"),
        ({"criteria_config": {"min_points": 1, "basis": "karma"}}, "criteria_config.basis"),
        ({"criteria_config": [10000]}, "criteria_config"),
        ({"criteria_config": None}, "criteria_config"),
        ({"benefits": "all"}, "benefits"),
        ({"benefits": ["x"] * 51}, "benefits"),
        ({"benefits": ["x", "y" * 201]}, "benefits.1"),
        ({"benefits": [{"x": 1}]}, "benefits.0"),
        ({"display_order": 2**31}, "display_order"),
        ({"is_active": "perhaps"}, "is_active"),
        ({"description": "x" * 2001}, "description"),
    ],
)
def test_a_tier_that_does_not_validate_is_422_names_the_field_and_writes_nothing(
    admin_api, nothing_written, change, field
):
    with nothing_written():
        response = admin_api.post(TIERS, PLATINUM | change)

    assert refused_fields(response) == [field]


def test_missing_fields_are_all_named(admin_api, nothing_written):
    with nothing_written():
        response = admin_api.post(TIERS, {})

    assert sorted(refused_fields(response)) == ["code", "level", "name"]


def test_an_automatic_tier_needs_min_points(admin_api):
    response = admin_api.post(TIERS, PLATINUM | {"criteria_config": {}})

    assert refusal(response)[2] == "criteria_config.min_points: Required for an automatic tier."


@pytest.mark.parametrize("criteria", [{"min_points": 2**63 - 1}, {"min_points": 0, "basis": "lifetime"}])
def test_criteria_come_back_as_sent(admin_api, criteria):
    assert admin_api.post(TIERS, PLATINUM | {"criteria_config": criteria}).json()["criteria_config"] == criteria


def test_the_maximum_number_of_benefits_is_accepted(admin_api):
    benefits = ["x" * 200] * 50

    assert admin_api.post(TIERS, PLATINUM | {"benefits": benefits}).json()["benefits"] == benefits


@pytest.mark.parametrize("is_active", [True, False])
def test_a_code_that_is_taken_is_refused_in_the_contracts_words(tenant, admin_api, nothing_written, is_active):
    TierFactory(tenant=tenant, code="platinum", is_active=is_active)

    with nothing_written():
        response = admin_api.post(TIERS, PLATINUM)

    assert refusal(response) == (400, "tier_code_conflict", "Tier with code 'platinum' already exists")


def test_the_same_code_in_another_tenant_and_in_the_sandbox_is_free(tenant, other_tenant, admin_api):
    TierFactory(tenant=other_tenant, code="platinum")
    TierFactory(tenant=tenant.sandbox, code="platinum")

    assert admin_api.post(TIERS, PLATINUM).status_code == 201


def test_the_list_is_in_display_order_then_by_code(tenant, admin_api):
    for code, order in (("c", 1), ("b", 2), ("a", 2), ("d", 0)):
        TierFactory(tenant=tenant, code=code, display_order=order, is_active=code != "d")

    assert codes(admin_api.get(TIERS)) == ["d", "c", "a", "b"]
    assert codes(admin_api.get(TIERS + "?is_active=true")) == ["c", "a", "b"]
    assert codes(admin_api.get(TIERS + "?is_active=false")) == ["d"]
    assert like(
        admin_api.get(TIERS + "?page=2&page_size=3").json(),
        {"items": [{"code": "b"}], "total": 4, "page": 2, "page_size": 3},
    )
    assert like(admin_api.get(TIERS + "?page=9").json(), {"items": [], "total": 4, "page": 9, "page_size": 50})


@pytest.mark.parametrize("query", ["page=0", "page_size=101", "page_size=x", "is_active=maybe", "is_active=yes"])
def test_a_list_query_that_is_not_understood_is_422(admin_api, query):
    assert refused_fields(admin_api.get(f"{TIERS}?{query}")) == [query.partition("=")[0]]


def test_a_change_sets_only_the_given_fields(tenant, admin_api):
    row = TierFactory(tenant=tenant, code="gold", color="#FFD700", benefits=["a"])

    with time_machine.travel("2036-02-14T10:00:00Z", tick=False):
        changed = admin_api.patch(one(row), {"name": "Golden", "color": None, "code": "other"}).json()

    assert like(changed, {"code": "gold", "name": "Golden", "level": 4, "benefits": ["a"]})
    assert (changed["color"], changed["updated_at"]) == (None, "2036-02-14T10:00:00Z")
    assert changed["created_at"] < changed["updated_at"]
    assert [warning["field"] for warning in changed.pop("warnings")] == ["code"]
    assert admin_api.get(one(row)).json() == changed


def test_an_empty_change_changes_nothing_visible(tenant, admin_api):
    row = TierFactory(tenant=tenant)
    before = admin_api.get(one(row)).json()

    after = admin_api.patch(one(row), {}).json()

    assert {**after, "updated_at": before["updated_at"]} == before


def test_criteria_are_replaced_as_a_whole(tenant, admin_api):
    row = TierFactory(tenant=tenant, criteria_config={"min_points": 1, "basis": "lifetime"})

    changed = admin_api.patch(one(row), {"criteria_config": {"min_points": 2}}).json()

    assert changed["criteria_config"] == {"min_points": 2}


@pytest.mark.parametrize(
    ("given", "change"),
    [
        ({}, {"criteria_config": {}}),
        ({}, {"criteria_config": {"basis": "lifetime"}}),
        ({"award_type": "manual", "criteria_config": {}}, {"award_type": "automatic"}),
    ],
)
def test_a_change_is_validated_together_with_the_unchanged_fields(tenant, admin_api, nothing_written, given, change):
    row = TierFactory(tenant=tenant, **given)

    with nothing_written():
        response = admin_api.patch(one(row), change)

    assert refused_fields(response) == ["criteria_config.min_points"]


def test_an_automatic_tier_can_become_manual_and_back(tenant, admin_api):
    row = TierFactory(tenant=tenant)

    assert admin_api.patch(one(row), {"award_type": "manual", "criteria_config": {}}).status_code == 200
    back = {"award_type": "automatic", "criteria_config": {"min_points": 5}}
    assert like(admin_api.patch(one(row), back).json(), back)


@pytest.mark.parametrize("change", [{"name": ""}, {"level": -1}, {"is_active": "maybe"}, {"benefits": "gold"}])
def test_a_change_that_does_not_validate_is_422(tenant, admin_api, nothing_written, change):
    row = TierFactory(tenant=tenant)

    with nothing_written():
        response = admin_api.patch(one(row), change)

    assert refused_fields(response) == list(change)


def test_delete_deactivates_and_can_be_undone(tenant, admin_api):
    row = TierFactory(tenant=tenant)

    response = admin_api.delete(one(row))

    assert response.status_code == 200
    assert response.json() == {"message": "Tier deactivated"}
    assert admin_api.get(one(row)).json()["is_active"] is False
    assert admin_api.delete(one(row)).status_code == 200
    assert admin_api.patch(one(row), {"is_active": True}).json()["is_active"] is True


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_every_change_reaches_every_process(tenant, admin_api, method):
    row = TierFactory(tenant=tenant)
    path = TIERS if method == "POST" else one(row)

    admin_api.send(method, path, PLATINUM if method == "POST" else {"name": "New"})

    assert Tenant.objects.get(pk=tenant.pk).catalog_version == tenant.catalog_version + 1
    assert Tenant.objects.get(pk=tenant.sandbox.pk).catalog_version == tenant.sandbox.catalog_version


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("whose", ["nobody", "another tenant", "the sandbox", "no uuid"])
def test_a_tier_of_another_tenant_is_404_and_unchanged(tenant, other_tenant, admin_api, nothing_written, method, whose):
    row = {
        "another tenant": lambda: TierFactory(tenant=other_tenant).pk,
        "the sandbox": lambda: TierFactory(tenant=tenant.sandbox).pk,
        "nobody": uuid4,
        "no uuid": lambda: "platinum",
    }[whose]()

    with nothing_written():
        response = admin_api.send(method, f"{TIERS}/{row}", {"name": "Mine"} if method == "PATCH" else None)

    assert refusal(response) == (404, "tier_not_found", f"Tier definition not found: {row}")


def test_a_second_tenant_and_the_sandbox_see_nothing(tenant, admin_api, other_admin_api):
    TierFactory(tenant=tenant)
    TierFactory(tenant=tenant.sandbox, code="toy")

    assert codes(other_admin_api.get(TIERS)) == []
    assert len(codes(admin_api.get(TIERS))) == 1


@pytest.mark.parametrize(("method", "path"), [("GET", TIERS), ("POST", TIERS), ("GET", f"{TIERS}/platinum")])
def test_without_the_admin_scope_everything_is_403(api, method, path):
    assert refusal(api.send(method, path, {})) == (403, "forbidden", "API key requires 'admin' scope")


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_other_methods_are_405(tenant, admin_api, method):
    assert refusal(admin_api.send(method, one(TierFactory(tenant=tenant)), {}))[:2] == (405, "method_not_allowed")


@pytest.mark.django_db(transaction=True)
def test_statements_do_not_grow_with_the_number_of_tiers(tenant, admin_api, queries):
    rows = [TierFactory(tenant=tenant) for _ in range(5)]
    admin_api.get(TIERS)

    with queries(3):  # key, count, page
        admin_api.get(TIERS)
    with queries(2):
        admin_api.get(one(rows[0]))
    with queries(4):  # key, tier, catalog version, change log
        admin_api.post(TIERS, PLATINUM)
    with queries(6):
        admin_api.patch(one(rows[0]), {"name": "New"})
