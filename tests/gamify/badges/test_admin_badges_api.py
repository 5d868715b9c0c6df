"""Badge definitions over the admin API, as in the specification."""

from uuid import UUID, uuid4

import pytest
import time_machine
from django.utils import timezone

from gamify.badges.models import Badge
from streaks.services import create_streak
from tests.client import refusal, refused_fields
from tests.factories import BadgeFactory, raw_key

LIST = "/admin/badges"
SPEC = {
    "code": "streak_master",
    "name": "Streak Master",
    "description": "Maintain a 30-day streak",
    "icon_url": "https://cdn.example.com/badges/streak.png",
    "category": "achievement",
    "rarity": "epic",
    "display_order": 10,
}
LEAST = {"code": "first_steps", "name": "First Steps"}


@pytest.fixture
def badge(tenant):
    return BadgeFactory(tenant=tenant, code="first_steps", created_at="2026-01-01T00:00:00Z")


@pytest.fixture
def shelf(tenant):
    """Badges that differ in the fields that lists are filtered by."""
    for number, (category, rarity, is_active) in enumerate(
        [("achievement", "epic", True), ("achievement", "common", False), ("event", "epic", True), (None, "rare", True)]
    ):
        kind = {"category": category, "rarity": rarity, "is_active": is_active}
        BadgeFactory(tenant=tenant, code=f"b{number}", display_order=-number, **kind)


def codes(response):
    assert response.status_code == 200, response.content
    return [item["code"] for item in response.json()["items"]]


# --- create ---------------------------------------------------------------------------------------------------------


@time_machine.travel("2026-02-14T10:00:00Z", tick=False)
def test_the_specs_creation_answers_201_with_the_whole_definition(tenant, admin_api):
    response = admin_api.post(LIST, SPEC)

    assert response.status_code == 201
    assert response.json() == {
        "id": str(Badge.objects.get().pk),
        "tenant_id": str(tenant.pk),
        "code": "streak_master",
        "name": "Streak Master",
        "description": "Maintain a 30-day streak",
        "icon_url": "https://cdn.example.com/badges/streak.png",
        "category": "achievement",
        "rarity": "epic",
        "criteria": None,
        "display_order": 10,
        "is_active": True,
        "created_at": "2026-02-14T10:00:00Z",
        "updated_at": "2026-02-14T10:00:00Z",
    }


def test_a_code_and_a_name_are_enough(admin_api):
    answer = admin_api.post(LIST, LEAST).json()

    assert (answer["rarity"], answer["is_active"], answer["display_order"]) == ("common", True, 0)
    assert (answer["description"], answer["icon_url"], answer["category"]) == (None, None, None)


def test_a_new_badge_can_be_awarded_at_once(api, admin_api):
    award = {"participant_id": "user_123", "badge_code": "streak_master"}
    before = api.post("/badges/award", award)
    admin_api.post(LIST, SPEC)

    after = api.post("/badges/award", award)

    assert (before.status_code, after.status_code) == (404, 200)
    assert after.json()["icon"] == SPEC["icon_url"]


@pytest.mark.parametrize(
    "given",
    [
        {"code": "x"},
        {"code": "x" * 50},
        {"code": "Level 2: der Größte! 🎉"},
        {"name": "x" * 100},
        {"description": ""},
        {"description": "two\nlines"},
        {"description": "x" * 2000},
        {"description": None, "icon_url": None, "category": None},
        {"icon_url": "http://example.com/" + "x" * 481},
        {"category": "x" * 100},
        {"rarity": "legendary"},
        {"display_order": 2**31 - 1},
        {"display_order": 1 - 2**31},
        {"is_active": False},
    ],
)
def test_fields_are_stored_as_sent(admin_api, given):
    created = admin_api.post(LIST, LEAST | given).json()

    assert created == created | given
    assert admin_api.get(f"{LIST}/{created['id']}").json() == created


@pytest.mark.parametrize("rarity", ["common", "uncommon", "rare", "epic", "legendary"])
def test_there_are_five_rarities(admin_api, rarity):
    assert admin_api.post(LIST, LEAST | {"rarity": rarity}).json()["rarity"] == rarity


BUYS = {"metric": "event_count", "event_name": "buy", "min": 3}
SUM = {"metric": "event_sum", "event_name": "buy", "field": "amount", "min": 0.5}

WRONG = [
    ({"criteria": []}, "criteria"),
    ({"criteria": {"min": 1}}, "criteria.metric"),
    ({"criteria": {"metric": "likes", "min": 1}}, "criteria.metric"),
    ({"criteria": {"metric": "balance"}}, "criteria.min"),
    ({"criteria": {"metric": "balance", "min": 0}}, "criteria.min"),
    ({"criteria": {"metric": "balance", "min": 1.5}}, "criteria.min"),
    ({"criteria": {"metric": "balance", "min": "5"}}, "criteria.min"),
    ({"criteria": {"metric": "balance", "min": 10**16}}, "criteria.min"),
    ({"criteria": {"metric": "event_count", "min": 1}}, "criteria.event_name"),
    ({"criteria": {**BUYS, "event_name": "x" * 101}}, "criteria.event_name"),
    ({"criteria": {**BUYS, "min": 2.5}}, "criteria.min"),
    ({"criteria": {**BUYS, "filter": {"amount": {"like": 1}}}}, "criteria.filter.amount.like"),
    ({"criteria": {"metric": "event_sum", "event_name": "buy", "min": 1}}, "criteria.field"),
    ({"criteria": {**SUM, "field": "a..b"}}, "criteria.field"),
    ({"criteria": {"metric": "streak_count", "min": 1}}, "criteria.streak_code"),
    ({"criteria": {"metric": "streak_count", "streak_code": "gone", "min": 1}}, "criteria.streak_code"),
    ({"criteria": {"metric": "streak_count", "streak_code": "foreign", "min": 1}}, "criteria.streak_code"),
    ({"name": ""}, "name"),
    ({"name": "  "}, "name"),
    ({"name": None}, "name"),
    ({"name": "x" * 101}, "name"),
    ({"name": "two\nlines"}, "name"),
    ({"description": "x" * 2001}, "description"),
    ({"description": ["x"]}, "description"),
    ({"icon_url": "cdn.example.com/a.png"}, "icon_url"),
    ({"icon_url": "javascript:alert(1)"}, "icon_url"),
    ({"icon_url": "https://example.com/" + "x" * 481}, "icon_url"),
    ({"category": "x" * 101}, "category"),
    ({"category": "two\nlines"}, "category"),
    ({"rarity": "mythic"}, "rarity"),
    ({"rarity": "Epic"}, "rarity"),
    ({"rarity": None}, "rarity"),
    ({"rarity": ""}, "rarity"),
    ({"display_order": 2**31}, "display_order"),
    ({"display_order": "first"}, "display_order"),
    ({"display_order": None}, "display_order"),
    ({"is_active": "maybe"}, "is_active"),
    ({"is_active": None}, "is_active"),
]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        *WRONG,
        ({"code": None}, "code"),
        ({"code": ""}, "code"),
        ({"code": "  "}, "code"),
        ({"code": "x" * 51}, "code"),
        ({"code": "a\tb"}, "code"),
        ({"code": "a\x00b"}, "code"),
        ({"code": ["x"]}, "code"),
    ],
)
def test_an_invalid_badge_is_422_and_not_created(admin_api, other_tenant, nothing_written, change, field):
    create_streak(tenant=other_tenant, data={"code": "foreign", "name": "F", "event_types": ["x"]}, now=timezone.now())
    with nothing_written():
        response = admin_api.post(LIST, SPEC | change)

    assert refused_fields(response) == [field]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (BUYS, BUYS),
        (
            {**BUYS, "event_name": "*", "filter": {"plan": "pro"}},
            {**BUYS, "event_name": "*", "filter": {"plan": "pro"}},
        ),
        ({**BUYS, "filter": None, "field": "x", "streak_code": "y"}, BUYS),
        (SUM, SUM),
        ({"metric": "balance", "min": 10.0, "event_name": "buy"}, {"metric": "balance", "min": 10.0}),
        (
            {"metric": "streak_count", "streak_code": "mine", "min": 7},
            {"metric": "streak_count", "min": 7, "streak_code": "mine"},
        ),
        (None, None),
    ],
)
def test_criteria_are_stored_without_fields_that_the_metric_does_not_have(tenant, admin_api, given, stored):
    create_streak(tenant=tenant, data={"code": "mine", "name": "Mine", "event_types": ["x"]}, now=timezone.now())

    assert admin_api.post(LIST, LEAST | {"criteria": given}).json()["criteria"] == stored


@pytest.mark.parametrize("missing", ["code", "name"])
def test_a_missing_field_is_named(admin_api, nothing_written, missing):
    with nothing_written():
        response = admin_api.post(LIST, {name: value for name, value in SPEC.items() if name != missing})

    assert refused_fields(response) == [missing]


@pytest.mark.parametrize("is_active", [True, False])
def test_a_code_in_use_is_400(tenant, admin_api, nothing_written, is_active):
    BadgeFactory(tenant=tenant, code="streak_master", is_active=is_active)

    with nothing_written():
        response = admin_api.post(LIST, SPEC)

    assert refusal(response) == (400, "badge_code_conflict", "Badge with code 'streak_master' already exists")


def test_the_same_code_may_be_used_in_another_tenant_and_in_the_sandbox(tenant, other_admin_api, admin_api):
    BadgeFactory(tenant=tenant.sandbox, code="streak_master")

    assert [api.post(LIST, SPEC).status_code for api in (admin_api, other_admin_api)] == [201, 201]


# --- get, update, delete --------------------------------------------------------------------------------------------


@time_machine.travel("2026-02-14T10:00:00Z", tick=False)
def test_the_specs_patch_changes_only_the_given_fields(admin_api, badge):
    before = admin_api.get(f"{LIST}/{badge.pk}").json()

    response = admin_api.patch(f"{LIST}/{badge.pk}", {"name": "Updated Name", "rarity": "legendary"})

    assert response.status_code == 200
    assert response.json() == before | {
        "name": "Updated Name",
        "rarity": "legendary",
        "updated_at": "2026-02-14T10:00:00Z",
    }
    assert admin_api.get(f"{LIST}/{badge.pk}").json() == response.json()


@pytest.mark.parametrize(
    ("body", "ignored"),
    [({}, []), ({"code": "other", "id": str(uuid4()), "tenant_id": None, "created_at": None}, ["code", "id"])],
)
def test_a_patch_never_changes_what_identifies_a_badge(admin_api, badge, body, ignored):
    before = admin_api.get(f"{LIST}/{badge.pk}").json()

    after = admin_api.patch(f"{LIST}/{badge.pk}", body).json()

    assert [warning["field"] for warning in after.pop("warnings", [])] == ignored
    assert after == before | {"updated_at": after["updated_at"]}


def test_null_clears_nullable_fields(admin_api):
    created = admin_api.post(LIST, SPEC).json()
    cleared = {"description": None, "icon_url": None, "category": None}

    after = admin_api.patch(f"{LIST}/{created['id']}", cleared).json()

    assert after == created | cleared | {"updated_at": after["updated_at"]}


NULLS = [name for change, name in WRONG if change == {name: None}]


@pytest.mark.parametrize("name", NULLS)
def test_a_patch_treats_null_as_unchanged_for_fields_that_cannot_be_null(admin_api, badge, name):
    before = admin_api.get(f"{LIST}/{badge.pk}").json()

    assert admin_api.patch(f"{LIST}/{badge.pk}", {name: None}).json() == before


@pytest.mark.parametrize(
    ("change", "field"), [wrong for wrong in WRONG if wrong[1] not in NULLS or None not in wrong[0].values()]
)
def test_an_invalid_patch_is_422_and_changes_nothing(admin_api, badge, nothing_written, change, field):
    with nothing_written():
        response = admin_api.patch(f"{LIST}/{badge.pk}", {"name": "Fine"} | change)

    assert refused_fields(response) == [field]


def test_the_specs_delete_deactivates(admin_api, badge):
    response = admin_api.delete(f"{LIST}/{badge.pk}")

    assert (response.status_code, response.json()) == (200, {"message": "Badge deactivated"})
    assert admin_api.get(f"{LIST}/{badge.pk}").json()["is_active"] is False
    assert admin_api.delete(f"{LIST}/{badge.pk}").json() == {"message": "Badge deactivated"}


def test_a_deleted_badge_is_hidden_from_participants_without_it_until_it_is_activated(api, admin_api, badge):
    api.post("/badges/award", {"participant_id": "has_it", "badge_code": "first_steps"})

    def totals():
        return [api.get(f"/participants/{pid}/badges").json()["total"] for pid in ("has_it", "lacks_it")]

    before = totals()
    admin_api.delete(f"{LIST}/{badge.pk}")
    deleted = totals()
    admin_api.patch(f"{LIST}/{badge.pk}", {"is_active": True})

    assert (before, deleted, totals()) == ([1, 1], [1, 0], [1, 1])


@pytest.mark.parametrize("badge_id", [uuid4(), UUID(int=0), "first_steps", "%00", "%20"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_unknown_id_is_404(admin_api, badge, nothing_written, method, badge_id):
    with nothing_written():
        response = admin_api.send(method, f"{LIST}/{badge_id}", {"name": "New"} if method == "PATCH" else None)

    assert refusal(response)[:2] == (404, "badge_not_found")
    assert response.json()["detail"].startswith("Badge definition not found: ")


# --- list -----------------------------------------------------------------------------------------------------------


def test_the_specs_list(admin_api, shelf):
    response = admin_api.get(LIST + "?page=1&page_size=50&is_active=true")

    assert codes(response) == ["b3", "b2", "b0"]
    assert set(response.json()) == {"items", "total", "page", "page_size"}
    assert [response.json()[name] for name in ("total", "page", "page_size")] == [3, 1, 50]
    assert response.json()["items"][0] == admin_api.get(f"{LIST}/{response.json()['items'][0]['id']}").json()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["b3", "b2", "b1", "b0"]),
        ("?is_active=false", ["b1"]),
        ("?category=achievement", ["b1", "b0"]),
        ("?category=Achievement", []),
        ("?category=unknown", []),
        ("?rarity=epic", ["b2", "b0"]),
        ("?rarity=legendary", []),
        ("?category=achievement&rarity=epic&is_active=true", ["b0"]),
        ("?page_size=3&page=2", ["b0"]),
        ("?page_size=1&rarity=epic", ["b2"]),
        ("?page=9", []),
    ],
)
def test_the_list_is_filtered_and_paged(admin_api, shelf, query, expected):
    assert codes(admin_api.get(LIST + query)) == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?rarity=mythic", "rarity"),
        ("?is_active=maybe", "is_active"),
        ("?category=a%00b", "category"),
        ("?page=0", "page"),
        ("?page_size=101", "page_size"),
        ("?page_size=x", "page_size"),
    ],
)
def test_an_invalid_query_is_422(admin_api, shelf, query, field):
    assert refused_fields(admin_api.get(LIST + query)) == [field]


def test_badges_with_equal_display_order_are_sorted_by_code(tenant, admin_api):
    for code in ("c", "a", "b"):
        BadgeFactory(tenant=tenant, code=code)

    assert codes(admin_api.get(LIST)) == ["a", "b", "c"]


@pytest.mark.parametrize("number", [1, 50])
def test_a_page_of_any_length_takes_three_statements(tenant, admin_api, queries, number):
    BadgeFactory.create_batch(number, tenant=tenant)
    admin_api.get(LIST)

    with queries(3):  # key, count, page
        assert len(codes(admin_api.get(LIST))) == number


# --- permissions ----------------------------------------------------------------------------------------------------------


def every_call(api, badge_id):
    yield api.get(LIST)
    yield api.post(LIST, SPEC)
    yield api.get(f"{LIST}/{badge_id}")
    yield api.patch(f"{LIST}/{badge_id}", {"name": "Mine"})
    yield api.delete(f"{LIST}/{badge_id}")


def test_without_the_scope_every_call_is_403(api, badge, nothing_written):
    with nothing_written():
        refusals = [refusal(response) for response in every_call(api, badge.pk)]

    assert refusals == [(403, "forbidden", "API key requires 'admin' scope")] * 5


def test_without_a_key_every_call_is_401(api, badge, nothing_written):
    api.key = None

    with nothing_written():
        assert {refusal(response)[:2] for response in every_call(api, badge.pk)} == {(401, "unauthorized")}


def test_the_scope_gamify_admin_opens_them_too(tenant, api, badge):
    api.key = raw_key(tenant, "gamify:admin")

    assert [response.status_code for response in every_call(api, badge.pk)] == [200, 201, 200, 200, 200]


def test_another_tenant_and_the_sandbox_see_and_change_nothing(tenant, api, other_admin_api, badge, nothing_written):
    api.key = raw_key(tenant.sandbox, "admin")

    for stranger in (other_admin_api, api):
        with nothing_written():
            assert stranger.get(LIST).json()["items"] == []
            for method in ("GET", "PATCH", "DELETE"):
                response = stranger.send(method, f"{LIST}/{badge.pk}", {"name": "Mine"} if method == "PATCH" else None)
                assert refusal(response) == (404, "badge_not_found", f"Badge definition not found: {badge.pk}")


@pytest.mark.parametrize(("method", "path"), [("PUT", LIST), ("DELETE", LIST), ("PUT", f"{LIST}/{UUID(int=0)}")])
def test_other_methods_are_405(admin_api, method, path):
    assert refusal(admin_api.send(method, path, {}))[:2] == (405, "method_not_allowed")
