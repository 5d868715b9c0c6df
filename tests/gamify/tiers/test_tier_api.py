import pytest
import time_machine
from django.db import connection

from gamify.tiers.models import Tier, TierChange
from participants.models import DomainEvent, IdempotencyKey, Participant
from tests.client import like, refusal, refused_fields
from tests.conftest import all_rows
from tests.factories import TierFactory

AWARD, DEDUCT, BATCH, ASSIGN = "/points/award", "/points/deduct", "/points/award-batch", "/tiers/assign"
TIER, PROFILE, STATE = "/participants/user_123/tier", "/participants/user_123", "/participants/user_123/state"

pytestmark = pytest.mark.usefixtures("ladder")


def award(api, amount, **given):
    return api.post(AWARD, {"participant_id": "user_123", "amount": amount, **given}).json()


def assign(api, code, **given):
    return api.post(ASSIGN, {"participant_id": "user_123", "tier_code": code, **given})


def current_tier_code(api):
    tier = api.get(TIER).json()
    return tier["current_tier"] and tier["current_tier"]["code"]


def emitted_events():
    """Domain events about tiers, oldest first."""
    events = DomainEvent.objects.filter(type__startswith="tier.").order_by("id")
    return [(event.type, event.data) for event in events]


@pytest.fixture
def jane(api):
    """The participant of the spec: bronze, silver and gold on three days, a balance of 1500."""
    for day, amount in (("2026-01-01", 100), ("2026-01-15", 400), ("2026-02-01", 1000)):
        with time_machine.travel(f"{day}T10:00:00Z", tick=False):
            award(api, amount)


def test_the_specs_current_tier(api, jane):
    response = api.get(TIER)

    assert response.status_code == 200
    assert like(
        response.json(),
        {
            "participant_id": "user_123",
            "current_tier": {
                "code": "gold",
                "name": "Gold",
                "level": 3,
                "color": "#FFD700",
                "achieved_at": "2026-02-01T10:00:00Z",
            },
            "next_tier": {
                "code": "platinum",
                "name": "Platinum",
                "points_required": 10000,
                "points_remaining": 8500,
            },
            "tier_history": [
                {"code": "bronze", "achieved_at": "2026-01-01T10:00:00Z"},
                {"code": "silver", "achieved_at": "2026-01-15T10:00:00Z"},
                {"code": "gold", "achieved_at": "2026-02-01T10:00:00Z"},
            ],
        },
    )


def test_the_specs_award_upgrades_from_silver_to_gold(tenant, api):
    Tier.objects.filter(code="gold").update(name="Gold Tier", criteria_config={"min_points": 1500})
    award(api, 1400)

    assert like(
        award(api, 100, reason="Purchase completed"),
        {
            "participant_id": "user_123",
            "amount": 100,
            "new_balance": 1500,
            "tier_upgrade": {
                "code": "gold",
                "name": "Gold Tier",
                "level": 3,
                "previous_code": "silver",
                "previous_level": 2,
            },
        },
    )


def test_the_specs_quick_start_enters_bronze_quietly(api):
    answer = award(api, 250, reason="Completed onboarding", idempotency_key="onboarding_user123")

    assert answer["tier_upgrade"] is None
    assert api.get(STATE).json()["tier"] == {"code": "bronze", "name": "Bronze", "level": 1}
    assert emitted_events() == [
        ("tier.entered", {"participant_id": "user_123", "tier": {"code": "bronze", "name": "Bronze", "level": 1}})
    ]
    assert [entry["code"] for entry in api.get(TIER).json()["tier_history"]] == ["bronze"]


def test_the_specs_profile_and_state(api, jane):
    assert api.get(PROFILE).json()["tier"] == {
        "code": "gold",
        "name": "Gold",
        "level": 3,
        "color": "#FFD700",
        "achieved_at": "2026-02-01T10:00:00Z",
        "next_tier": {"code": "platinum", "name": "Platinum", "points_required": 10000, "points_remaining": 8500},
    }
    assert api.get(STATE + "?include=points,tier,badges").json()["tier"] == {"code": "gold", "name": "Gold", "level": 3}


def test_the_specs_manual_assignment(api, jane):
    with time_machine.travel("2026-02-14T10:00:00Z", tick=False):
        response = api.post(ASSIGN, {"participant_id": "user_123", "tier_code": "platinum", "reason": "VIP promotion"})

    assert response.status_code == 200
    assert response.json() == {
        "participant_id": "user_123",
        "tier": {"code": "platinum", "name": "Platinum", "level": 4},
        "previous_tier": {"code": "gold", "name": "Gold", "level": 3},
        "reason": "VIP promotion",
        "assigned_at": "2026-02-14T10:00:00Z",
    }
    assert api.get(TIER).json()["tier_history"][-1] == {
        "code": "platinum",
        "name": "Platinum",
        "level": 4,
        "previous_code": "gold",
        "previous_level": 3,
        "how": "manual",
        "reason": "VIP promotion",
        "achieved_at": "2026-02-14T10:00:00Z",
    }


def test_the_admin_list_shows_the_tier_and_filters_by_it(api, admin_api, jane):
    api.post(AWARD, {"participant_id": "bob", "amount": 5})

    [item] = admin_api.get("/admin/participants?tier=gold").json()["items"]

    assert (item["participant_id"], item["current_tier"]) == ("user_123", "gold")
    assert admin_api.get("/admin/participants?tier=silver").json()["total"] == 0


def test_an_unknown_participant_has_no_tier_and_is_not_created(api, nothing_written):
    with nothing_written():
        response = api.get("/participants/unknown/tier")

    assert response.status_code == 200
    assert response.json() == {
        "participant_id": "unknown",
        "current_tier": None,
        "next_tier": {"code": "bronze", "name": "Bronze", "points_required": 0, "points_remaining": 0},
        "tier_history": [],
    }


def test_a_participant_without_awards_has_no_tier(api):
    profile = api.post("/participants", {"participant_id": "user_123"}).json()

    assert profile["tier"] is None
    assert api.get(STATE).json()["tier"] is None
    assert api.get(TIER).json()["current_tier"] is None


def test_without_definitions_there_is_neither_a_tier_nor_a_next(tenant, other_api):
    other_api.post(AWARD, {"participant_id": "user_123", "amount": 5000})

    assert like(other_api.get(TIER).json(), {"current_tier": None, "next_tier": None, "tier_history": []})


def test_a_first_award_past_a_threshold_is_an_upgrade_from_nowhere(api):
    assert award(api, 600)["tier_upgrade"] == {
        "code": "silver",
        "name": "Silver",
        "level": 2,
        "previous_code": None,
        "previous_level": None,
    }


def test_an_award_past_several_thresholds_is_one_change(api):
    award(api, 10)

    assert award(api, 20_000)["tier_upgrade"]["code"] == "platinum"
    assert list(TierChange.objects.oldest_first().values_list("number", "code", "previous_code")) == [
        (1, "bronze", None),
        (2, "platinum", "bronze"),
    ]


def test_an_upgrade_is_emitted_once_and_its_row_has_the_entry_id(api):
    award(api, 10)
    answer = award(api, 490)
    award(api, 1)

    assert emitted_events()[1:] == [("tier.upgraded", {"participant_id": "user_123", **answer["tier_upgrade"]})]
    change = TierChange.objects.get(code="silver")
    assert (str(change.entry_id), change.how, change.level) == (answer["transaction_id"], "automatic", 2)
    assert change.tier_id == Tier.objects.get(code="silver").pk


def test_spending_never_demotes_and_points_remaining_follow_the_balance(api, jane):
    api.post(DEDUCT, {"participant_id": "user_123", "amount": 1500})

    assert current_tier_code(api) == "gold"
    assert api.get(TIER).json()["next_tier"]["points_remaining"] == 10_000
    assert award(api, 700)["tier_upgrade"] is None


def test_a_lifetime_threshold_is_reached_by_points_ever_earned(tenant, api):
    TierFactory(tenant=tenant, code="veteran", level=9, criteria_config={"min_points": 2000, "basis": "lifetime"})
    award(api, 1999)
    api.post(DEDUCT, {"participant_id": "user_123", "amount": 1900})

    Tier.objects.filter(code="platinum").update(is_active=False)
    assert award(api, 1)["tier_upgrade"]["code"] == "veteran"


def test_at_the_top_there_is_no_next_tier(api):
    award(api, 10_000)

    assert api.get(TIER).json()["next_tier"] is None
    assert api.get(PROFILE).json()["tier"]["next_tier"] is None


def test_every_item_of_a_batch_is_evaluated(api):
    awards = [{"participant_id": name, "amount": 300} for name in ("a", "b", "a", "a", "a")]

    assert api.post(BATCH, {"awards": awards}).json()["processed"] == 5
    assert api.get("/participants/a/tier").json()["current_tier"]["code"] == "gold"
    assert [entry["code"] for entry in api.get("/participants/a/tier").json()["tier_history"]] == [
        "bronze",
        "silver",
        "gold",
    ]
    assert api.get("/participants/b/tier").json()["current_tier"]["code"] == "bronze"


def test_a_replayed_award_has_the_original_upgrade(api, nothing_written):
    first = award(api, 600, idempotency_key="k")
    assign(api, "platinum")

    with nothing_written():
        again = award(api, 600, idempotency_key="k")

    assert again == first
    assert again["tier_upgrade"]["code"] == "silver"
    assert current_tier_code(api) == "platinum"


def test_a_tier_assigned_downwards_stays_until_a_higher_threshold_is_crossed(api, jane):
    assign(api, "bronze")

    assert award(api, 100)["tier_upgrade"] is None
    assert current_tier_code(api) == "bronze"
    assert award(api, 8400)["tier_upgrade"] == {
        "code": "platinum",
        "name": "Platinum",
        "level": 4,
        "previous_code": "bronze",
        "previous_level": 1,
    }
    assert Participant.objects.get().tier_is_manual is False


def test_a_tier_assigned_upwards_is_not_left_for_a_lower_one(api):
    assign(api, "gold")

    assert award(api, 600)["tier_upgrade"] is None
    assert award(api, 9400)["tier_upgrade"]["previous_code"] == "gold"


def test_a_manual_tier_is_not_reached_by_points(api):
    award(api, 1_000_000)
    assert current_tier_code(api) == "platinum"

    assert assign(api, "ambassador").json()["tier"]["level"] == 5
    assert api.get(TIER).json()["next_tier"] is None


def test_assigning_to_an_unknown_participant_creates_them(api):
    response = assign(api, "silver")

    assert like(response.json(), {"tier": {"code": "silver"}, "previous_tier": None, "reason": None})
    assert response.json()["previous_tier"] is None
    assert set(DomainEvent.objects.values_list("type", flat=True)) == {"participant.created", "tier.assigned"}
    assert emitted_events()[0][1] == {
        "participant_id": "user_123",
        "tier": {"code": "silver", "name": "Silver", "level": 2},
        "previous_tier": None,
        "reason": None,
    }


def test_assigning_the_current_tier_is_no_change_but_makes_it_manual(tenant, api, admin_api, jane):
    admin_api.post(
        "/admin/tiers", {"code": "opal", "name": "Opal", "level": 6, "criteria_config": {"min_points": 1200}}
    )

    again = assign(api, "gold", reason="Stay")

    assert again.json()["previous_tier"] == again.json()["tier"] == {"code": "gold", "name": "Gold", "level": 3}
    assert len(api.get(TIER).json()["tier_history"]) == 3
    assert api.get(TIER).json()["current_tier"]["achieved_at"] == "2026-02-01T10:00:00Z"
    assert award(api, 1)["tier_upgrade"] is None


@pytest.mark.parametrize("code", ["diamond", "Gold", "retired"])
def test_an_unknown_or_inactive_tier_is_404_and_creates_no_participant(tenant, api, nothing_written, code):
    TierFactory(tenant=tenant, code="retired", is_active=False)

    with nothing_written():
        response = assign(api, code)

    assert refusal(response) == (404, "tier_not_found", f"Tier definition not found: {code}")


def test_another_tenants_and_the_sandboxs_tiers_are_unknown(tenant, other_tenant, api, other_api, sandbox_api):
    TierFactory(tenant=other_tenant, code="theirs")
    TierFactory(tenant=tenant.sandbox, code="toy")

    assert [assign(api, code).status_code for code in ("theirs", "toy")] == [404, 404]
    assert [assign(client, "gold").status_code for client in (other_api, sandbox_api)] == [404, 404]
    assert sandbox_api.get(TIER).json()["next_tier"]["code"] == "toy"


def test_participants_of_two_tenants_have_separate_tiers(api, other_api, sandbox_api, jane):
    for client in (other_api, sandbox_api):
        assert like(client.get(TIER).json(), {"tier_history": []})
        assert client.get(TIER).json()["current_tier"] is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"participant_id": ""}, "participant_id"),
        ({"participant_id": "a\tb"}, "participant_id"),
        ({"participant_id": None}, "participant_id"),
        ({"tier_code": ""}, "tier_code"),
        ({"tier_code": None}, "tier_code"),
        ({"tier_code": "x" * 51}, "tier_code"),
        ({"tier_code": ["gold"]}, "tier_code"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": {}}, "reason"),
    ],
)
def test_an_assignment_that_does_not_validate_is_422(api, nothing_written, change, field):
    with nothing_written():
        response = api.post(ASSIGN, {"participant_id": "user_123", "tier_code": "gold"} | change)

    assert refused_fields(response) == [field]


def test_a_repeated_assignment_is_replayed(api, nothing_written):
    headers = {"Idempotency-Key": "vip-1"}
    body = {"participant_id": "user_123", "tier_code": "gold", "reason": "VIP"}
    first = api.post(ASSIGN, body, headers=headers)
    Tier.objects.filter(code="gold").update(is_active=False)

    with nothing_written():
        again = api.post(ASSIGN, body | {"reason": "Another"}, headers=headers)

    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert IdempotencyKey.objects.get().operation == "tiers.assign"


def test_a_key_used_for_another_tier_is_refused(api, nothing_written):
    headers = {"Idempotency-Key": "vip-1"}
    api.post(ASSIGN, {"participant_id": "user_123", "tier_code": "gold"}, headers=headers)

    with nothing_written():
        response = api.post(ASSIGN, {"participant_id": "user_123", "tier_code": "silver"}, headers=headers)

    assert refusal(response)[:2] == (422, "IDEMPOTENCY_KEY_REUSED")


def test_a_key_belongs_to_one_participant_and_one_operation(api):
    for participant in ("a", "b"):
        api.post(ASSIGN, {"participant_id": participant, "tier_code": "gold"}, headers={"Idempotency-Key": "k"})
    api.post(AWARD, {"participant_id": "a", "amount": 1, "idempotency_key": "k"})

    assert IdempotencyKey.objects.count() == 3


def test_a_malformed_key_is_refused(api, nothing_written):
    with nothing_written():
        response = api.post(
            ASSIGN, {"participant_id": "user_123", "tier_code": "gold"}, headers={"Idempotency-Key": "a b"}
        )

    assert refusal(response)[:2] == (400, "IDEMPOTENCY_KEY_INVALID")


def test_an_assignment_counts_as_a_write(tenant, api, nothing_written):
    tenant.participant_writes_per_minute = 1
    tenant.save()
    first = assign(api, "gold")

    with nothing_written():
        second = assign(api, "gold")

    assert (first["X-RateLimit-Limit"], first["X-RateLimit-Remaining"]) == ("1", "0")
    assert refusal(second)[:2] == (429, "RATE_LIMIT_PARTICIPANT_EXCEEDED")


def test_participants_keep_a_deactivated_tier_but_it_is_no_longer_reached_or_next(api, admin_api, jane):
    api.post(AWARD, {"participant_id": "bob", "amount": 600})
    admin_api.delete(f"/admin/tiers/{Tier.objects.get(code='gold').pk}")

    assert current_tier_code(api) == "gold"
    assert api.get(STATE).json()["tier"]["code"] == "gold"
    assert api.get("/participants/bob/tier").json()["next_tier"]["code"] == "platinum"
    bob = api.post(AWARD, {"participant_id": "bob", "amount": 5000}).json()
    assert bob["tier_upgrade"] is None
    assert award(api, 8500)["tier_upgrade"]["previous_code"] == "gold"


def test_answers_show_the_current_name_of_a_tier_and_the_history_the_former_one(api, admin_api, jane):
    admin_api.patch(f"/admin/tiers/{Tier.objects.get(code='gold').pk}", {"name": "Golden", "level": 30})

    tier = api.get(TIER).json()

    assert (tier["current_tier"]["name"], tier["current_tier"]["level"]) == ("Golden", 30)
    assert (tier["tier_history"][-1]["name"], tier["tier_history"][-1]["level"]) == ("Gold", 3)


def test_an_award_with_a_catalog_older_than_the_current_tier_changes_no_tier(tenant, api):
    award(api, 1)
    Participant.objects.update(tier_code="defined-a-moment-ago")

    assert award(api, 2000)["tier_upgrade"] is None
    assert Participant.objects.get().tier_code == "defined-a-moment-ago"


def test_deleting_a_participant_deletes_their_changes(api, admin_api, jane):
    api.post(AWARD, {"participant_id": "bob", "amount": 5})

    admin_api.delete("/admin/participants/user_123")

    assert [change.code for change in TierChange.objects.all()] == ["bronze"]
    assert api.get(TIER).json()["tier_history"] == []


def test_anonymizing_keeps_the_changes_and_clears_the_reasons(api, admin_api, jane):
    assign(api, "platinum", reason="Married our Jane")

    new_id = admin_api.delete("/admin/participants/user_123?anonymize=true").json()["participant_id"]

    history = api.get(f"/participants/{new_id}/tier").json()["tier_history"]
    assert [(entry["code"], entry["reason"]) for entry in history][-1] == ("platinum", None)
    assert "Married" not in repr(all_rows())


@pytest.mark.django_db(transaction=True)
def test_an_upgrade_costs_one_statement_more_and_reads_three(api, queries):
    award(api, 1)

    with queries(7):  # key; lock, version; domain events, entry, participant, and the tier change
        assert award(api, 500)["tier_upgrade"]
    # On PostgreSQL the key is cached now, and its look-up brings the version.
    with queries(5 if connection.vendor == "postgresql" else 6):
        assert award(api, 1)["tier_upgrade"] is None
    with queries(3):  # key, participant, history
        api.get(TIER)
    with queries(2):
        api.get(STATE + "?include=tier")


def test_a_long_history_is_cut_to_the_newest_changes(api, monkeypatch):
    monkeypatch.setattr("gamify.tiers.selectors.MAX_HISTORY", 3)
    for code in ("gold", "silver", "gold", "platinum", "bronze"):
        assign(api, code)

    assert [entry["code"] for entry in api.get(TIER).json()["tier_history"]] == ["gold", "platinum", "bronze"]
