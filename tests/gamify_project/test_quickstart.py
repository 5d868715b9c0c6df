"""The tenant `quickstart` after any changes since the last start."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from gamify.badges.models import Badge
from gamify.tiers.models import Tier
from gamify_project.quickstart import reset_quickstart
from participants.models import DomainEvent, IdempotencyKey, Participant, Tenant
from participants.services.definitions import create_definition, update_definition
from participants.services.tenants import create_tenant, set_tenant_status, update_tenant
from streaks.models import Streak
from streaks.services import update_streak
from tests.client import Api, like
from tests.conftest import all_rows
from tests.factories import raw_key

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
DAY = timedelta(days=1)
RECORDED = {"new_count": 3, "longest_count": 14, "is_new_record": False, "already_recorded": False}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def go_through_quick_start(tenant):
    api = Api(raw_key(tenant))
    award = {"participant_id": "user_123", "amount": 250, "idempotency_key": "onboarding_user123"}
    return [
        api.post("/points/award", award).json(),
        api.post("/badges/award", {"participant_id": "user_123", "badge_code": "first_steps"}).json(),
        api.post("/streaks/record", {"participant_id": "user_123", "streak_code": "daily_login"}).json(),
        api.get("/participants/user_123/state").json(),
    ]


def is_as_printed(answers):
    awarded, badge, recorded, state = answers
    return (
        like(awarded, {"new_balance": 250, "tier_upgrade": None})
        and like(badge, {"badge_name": "First Steps", "rarity": "common", "already_earned": False})
        and like(recorded, RECORDED)
        and like(
            state,
            {
                "points": {"balance": 250, "total_earned": 250, "total_spent": 0},
                "tier": {"code": "bronze", "name": "Bronze", "level": 1},
                "badges": [{"code": "first_steps", "name": "First Steps", "earned": True}],
                "streaks": {"current": 3, "longest": 14},
            },
        )
    )


def test_a_participant_without_calls_has_a_current_streak():
    tenant = reset_quickstart(now=NOW)

    state = Api(raw_key(tenant)).get("/participants/user_123/state").json()

    assert like(state, {"points": {"balance": 0}, "streaks": {"current": 2, "longest": 14}})
    assert state["tier"] is None
    assert [badge["earned"] for badge in state["badges"]] == [False]


def test_the_quick_start_works_after_every_start():
    for _ in range(3):
        assert is_as_printed(go_through_quick_start(reset_quickstart(now=NOW)))

    assert Tenant.objects.count() == 2  # live and sandbox


def test_a_server_started_yesterday_still_answers_as_printed(clock):
    tenant = reset_quickstart(now=NOW)
    clock.move_to(NOW + DAY)

    assert is_as_printed(go_through_quick_start(tenant))


@pytest.mark.parametrize("hour", [0, 23])
def test_it_works_at_any_hour(clock, hour):
    now = NOW.replace(hour=hour, minute=59)
    clock.move_to(now)

    assert is_as_printed(go_through_quick_start(reset_quickstart(now=now)))


def test_other_participants_are_deleted_with_all_their_data():
    tenant = reset_quickstart(now=NOW)
    go_through_quick_start(tenant)
    api = Api(raw_key(tenant))
    for number in range(3):
        api.post("/points/award", {"participant_id": f"other_{number}", "amount": 5, "idempotency_key": "once"})

    reset_quickstart(now=NOW)

    assert list(Participant.objects.values_list("external_id", flat=True)) == ["user_123"]
    assert not IdempotencyKey.objects.exists()
    assert set(DomainEvent.objects.values_list("type", flat=True)) == {
        "participant.created",
        "participant.deleted",
        "streak.incremented",
    }


def test_a_reset_restores_definitions_and_deactivates_others():
    tenant = reset_quickstart(now=NOW)
    badge, tier, streak = Badge.objects.get(), Tier.objects.get(), Streak.objects.get(code="daily_login")
    update_definition(badge, tenant=tenant, changes={"name": "Renamed", "is_active": False}, now=NOW)
    update_definition(tier, tenant=tenant, changes={"criteria_config": {"min_points": 1000}}, now=NOW)
    update_streak(streak, tenant=tenant, changes={"period": "weekly", "grace_periods": 0}, now=NOW)
    create_definition(Badge, noun="badge", tenant=tenant, data={"code": "mine", "name": "Mine"}, now=NOW)
    tenant.timezone = "Pacific/Auckland"
    update_tenant(tenant, now=NOW)
    set_tenant_status(slug="quickstart", is_active=False, now=NOW)

    assert is_as_printed(go_through_quick_start(reset_quickstart(now=NOW)))
    assert not Badge.objects.get(code="mine").is_active


def test_a_reset_of_unchanged_definitions_changes_none():
    def definitions():
        rows = all_rows()
        return [rows[label] for label in ("badges.Badge", "tiers.Tier", "streaks.Streak", "streaks.StreakRevision")]

    reset_quickstart(now=NOW)
    before = definitions()

    reset_quickstart(now=NOW + DAY)

    assert definitions() == before


def test_no_other_tenant_is_touched(tenant, api):
    api.post("/points/award", {"participant_id": "user_123", "amount": 5})
    theirs = list(Participant.objects.of(tenant).values())

    reset_quickstart(now=NOW)

    assert list(Participant.objects.of(tenant).values()) == theirs


def test_a_tenant_with_that_slug_that_the_user_created_is_not_changed():
    tenant = create_tenant(slug="quickstart", name="Quickstart GmbH", now=NOW)
    Api(raw_key(tenant)).post("/points/award", {"participant_id": "user_123", "amount": 5})
    before = all_rows()

    assert reset_quickstart(now=NOW) is None
    assert all_rows() == before
