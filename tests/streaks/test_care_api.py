"""Freezes, restores, pauses and amnesties over the admin API."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from participants.models import DomainEvent, Participant
from participants.services import participants
from streaks.models import Amnesty, ParticipantStreak, Streak
from streaks.services import create_streak, record, review_streak
from tests.client import refusal, refused_fields

NOW = datetime(2026, 2, 14, 8, 15, tzinfo=UTC)
DAY = timedelta(days=1)
OF_USER = "/admin/participants/user_42/streaks/daily_login"
AMNESTIES = "/admin/amnesties"
UNKNOWN = "01a20030-16b8-773b-a1f2-79a6f16a65ee"
OUTAGE = {
    "name": "Outage",
    "from": "2026-02-12",
    "to": "2026-02-13",
    "timezone": "UTC",
    "reason": "Nobody could log in",
}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def streak(tenant):
    return define(tenant)


def define(tenant, code="daily_login", **data):
    row = create_streak(tenant=tenant, data={"code": code, "name": code, "event_types": [code], **data}, now=NOW)
    tenant.refresh_from_db()
    return row


def tick(tenant, *ages, code="daily_login", user="user_42"):
    """Record ticks of the given ages in days."""
    for age in sorted(ages, reverse=True):
        record(tenant=tenant, participant_id=user, streak_code=code, at=NOW - age * DAY, now=NOW)


def current(api, user="user_42"):
    return api.get(f"/participants/{user}/streaks").json()["streaks"][0]["current_count"]


def emitted_types():
    return list(DomainEvent.objects.order_by("id").exclude(type="streak.incremented").values_list("type", flat=True))


# --- freeze -----------------------------------------------------------------------------------------------------------


def test_a_freeze_of_past_days_revives_a_broken_run(api, admin_api, tenant, streak):
    tick(tenant, 5, 4, 3)
    assert current(api) == 0

    answer = admin_api.post(f"{OF_USER}/freeze", {"from": "2026-02-12", "to": "2026-02-13", "reason": "Ill"})

    assert answer.status_code == 200
    assert answer.json() == {
        "code": "daily_login",
        "name": "daily_login",
        "current_count": 3,
        "longest_count": 3,
        "last_recorded_at": "2026-02-11T08:15:00Z",
        "is_at_risk": False,
        "period": "daily",
    }
    assert current(api) == 3
    frozen = DomainEvent.objects.get(type="streak.frozen").data
    assert (frozen["from"], frozen["to"], frozen["reason"]) == ("2026-02-12T00:00:00Z", "2026-02-14T00:00:00Z", "Ill")


def test_without_dates_the_open_window_is_excused(api, admin_api, tenant, streak):
    tick(tenant, 1)

    admin_api.post(f"{OF_USER}/freeze", {"reason": "Travelling"})

    with time_machine.travel(NOW + DAY, tick=False):
        assert current(api) == 1
    with time_machine.travel(NOW + 2 * DAY, tick=False):
        assert current(api) == 0


def test_a_freeze_in_advance_preserves_a_run_during_a_holiday(api, admin_api, tenant, streak):
    tick(tenant, 0)

    admin_api.post(f"{OF_USER}/freeze", {"from": "2026-02-15", "to": "2026-02-21", "reason": "Holiday"})

    with time_machine.travel(datetime(2026, 2, 22, 23, 59, tzinfo=UTC), tick=False):
        assert current(api) == 1
    with time_machine.travel(datetime(2026, 2, 23, tzinfo=UTC), tick=False):
        assert current(api) == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "a", "from": "yesterday"}, "from"),
        ({"reason": "a", "from": 20260214}, "from"),
        ({"reason": "a", "from": "2026-02-30"}, "from"),
        ({"reason": "a", "from": "1969-12-31"}, "from"),
        ({"reason": "a", "from": "0001-01-01T00:00:00+14:00"}, "from"),
        ({"reason": "a", "to": "9999-12-31"}, "to"),
        ({"reason": "a", "from": "2026-02-14", "to": "2026-02-13"}, "to"),
        ({"reason": "a", "to": "2026-02-14T08:14:59Z"}, "to"),
    ],
)
def test_a_freeze_that_does_not_validate_is_422_and_writes_nothing(
    admin_api, tenant, streak, nothing_written, body, field
):
    tick(tenant, 1)

    with nothing_written():
        assert refused_fields(admin_api.post(f"{OF_USER}/freeze", body)) == [field]


@pytest.mark.parametrize("action", ["freeze", "restore"])
def test_care_of_missing_objects_is_404_and_writes_nothing(
    admin_api, other_admin_api, tenant, other_tenant, streak, nothing_written, action
):
    define(tenant, "weekly", period="weekly")
    define(other_tenant)
    tick(tenant, 1)
    base, body = "/admin/participants", {"reason": "a"}

    with nothing_written():
        unknown = admin_api.post(f"{base}/nobody/streaks/daily_login/{action}", body)
        no_streak = admin_api.post(f"{base}/user_42/streaks/daily_logins/{action}", body)
        not_started = admin_api.post(f"{base}/user_42/streaks/weekly/{action}", body)
        foreign = other_admin_api.post(f"{OF_USER}/{action}", body)

    assert refusal(unknown) == (404, "participant_not_found", "Participant not found: nobody")
    assert refusal(no_streak) == (404, "streak_not_found", "Streak 'daily_logins' not found")
    assert refusal(not_started) == (404, "streak_not_started", "Participant 'user_42' has not started streak 'weekly'")
    assert refusal(foreign)[:2] == (404, "participant_not_found")


@pytest.mark.parametrize(
    "path",
    [
        f"{OF_USER}/freeze",
        f"{OF_USER}/restore",
        AMNESTIES,
        f"/admin/streaks/{UNKNOWN}/pause",
        f"/admin/streaks/{UNKNOWN}/resume",
        f"/admin/streaks/{UNKNOWN}/archive",
    ],
)
def test_care_needs_the_admin_scope(api, path):
    assert refusal(api.post(path, {"reason": "a"})) == (403, "forbidden", "API key requires 'admin' scope")


def test_anonymising_removes_reasons_and_preserves_excuses(admin_api, tenant, streak):
    tick(tenant, 5, 4, 3)
    admin_api.post(f"{OF_USER}/freeze", {"from": "2026-02-12", "to": "2026-02-13", "reason": "Ill"})

    participants.anonymize(tenant=tenant, external_id="user_42", now=NOW)

    freeze = ParticipantStreak.objects.get().freezes[0]
    assert (freeze["reason"], freeze["from"]) == (None, "2026-02-12T00:00:00+00:00")


# --- restore ----------------------------------------------------------------------------------------------------------


def test_a_broken_run_is_restored_and_has_the_open_window_to_go_on(api, admin_api, tenant, streak):
    tick(tenant, 9, 8, 7)

    answer = admin_api.post(f"{OF_USER}/restore", {"reason": "Our outage"})

    assert (answer.status_code, answer.json()["current_count"]) == (200, 3)
    tick(tenant, 0)
    assert current(api) == 4
    restored = DomainEvent.objects.get(type="streak.restored").data
    assert (restored["new_count"], restored["reason"]) == (3, "Our outage")


def test_a_restored_run_joins_the_one_that_began_since(api, admin_api, tenant, streak):
    tick(tenant, 9, 8, 7, 1, 0)

    assert admin_api.post(f"{OF_USER}/restore", {"reason": "Our outage"}).json()["current_count"] == 5


@pytest.mark.parametrize("ages", [(2, 1, 0), (1,)])
def test_a_live_run_cannot_be_restored(admin_api, tenant, streak, nothing_written, ages):
    tick(tenant, *ages)

    with nothing_written():
        answer = admin_api.post(f"{OF_USER}/restore", {"reason": "a"})

    assert refusal(answer) == (400, "nothing_to_restore", "Streak 'daily_login' has no broken run to restore")


def test_a_milestone_is_not_paid_again_for_a_restored_run(admin_api, tenant):
    define(tenant, milestones=[{"threshold": 3, "reward_item_id": None, "repeatable": True}])
    tick(tenant, 9, 8, 7)

    admin_api.post(f"{OF_USER}/restore", {"reason": "Our outage"})
    tick(tenant, 0)

    assert emitted_types().count("streak.milestone_reached") == 1


# --- pause, resume and archive --------------------------------------------------------------------------------------------


def test_pausing_counts_affected_participants_and_preserves_live_runs(api, admin_api, tenant, streak):
    tick(tenant, 1, 0)
    tick(tenant, 9, user="long_gone")

    answer = admin_api.post(f"/admin/streaks/{streak.pk}/pause")

    body = answer.json()
    assert (answer.status_code, body["is_active"], body["touches"]) == (
        200,
        False,
        {"participants": 2, "alive": 1, "at_risk": 0},
    )
    with time_machine.travel(NOW + 9 * DAY, tick=False):
        assert admin_api.post(f"/admin/streaks/{streak.pk}/resume").json()["is_active"] is True
        assert current(api) == 2
    with time_machine.travel(NOW + 11 * DAY, tick=False):
        assert current(api) == 0


def test_archiving_counts_affected_participants_and_can_be_repeated(api, admin_api, tenant, streak):
    tick(tenant, 1, 0)

    first, again = (admin_api.post(f"/admin/streaks/{streak.pk}/archive") for _ in range(2))

    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert first.json()["touches"] == {"participants": 1, "alive": 1, "at_risk": 0}
    assert Streak.objects.get().status == "archived"
    assert api.get("/participants/user_42/streaks").json()["streaks"] == []


@pytest.mark.parametrize("action", ["pause", "resume", "archive"])
def test_a_dry_run_only_counts_participants(admin_api, tenant, streak, nothing_written, action):
    tick(tenant, 0)

    with nothing_written():
        answer = admin_api.post(f"/admin/streaks/{streak.pk}/{action}?dry_run=true")

    assert (answer.status_code, answer.json()["touches"]["alive"]) == (200, 1)


def test_an_archived_streak_is_neither_paused_nor_resumed(admin_api, streak):
    admin_api.delete(f"/admin/streaks/{streak.pk}")

    assert refusal(admin_api.post(f"/admin/streaks/{streak.pk}/pause")) == (
        400,
        "streak_inactive",
        "Streak 'daily_login' is not active",
    )
    assert refusal(admin_api.post(f"/admin/streaks/{streak.pk}/resume")) == (
        400,
        "streak_not_paused",
        "Streak 'daily_login' is not paused",
    )
    assert Streak.objects.get().status == "archived"


@pytest.mark.parametrize("definition_id", [UNKNOWN, "not-a-uuid"])
def test_an_unknown_streak_is_not_paused(admin_api, definition_id):
    answer = admin_api.post(f"/admin/streaks/{definition_id}/pause")

    assert refusal(answer) == (404, "streak_not_found", "Streak not found")


def test_another_tenants_streak_is_not_paused(other_admin_api, streak):
    assert refusal(other_admin_api.post(f"/admin/streaks/{streak.pk}/pause"))[0] == 404


# --- amnesties --------------------------------------------------------------------------------------------------------


def test_an_amnesty_revives_what_broke_and_undoing_it_breaks_it_again(api, admin_api, tenant, streak):
    tick(tenant, 4, 3)
    assert current(api) == 0

    answer = admin_api.post(AMNESTIES, OUTAGE)

    body = answer.json()
    assert answer.status_code == 201
    assert body == {
        **OUTAGE,
        "id": str(Amnesty.objects.get().pk),
        "streak_codes": None,
        "created_at": "2026-02-14T08:15:00Z",
        "undone_at": None,
        "touches": {"participants": 1, "alive": 0, "at_risk": 0},
    }
    assert current(api) == 2
    answer_of_undo = admin_api.delete(f"{AMNESTIES}/{body['id']}")
    assert (answer_of_undo.status_code, answer_of_undo.json()["undone_at"]) == (200, "2026-02-14T08:15:00Z")
    assert current(api) == 0


def test_reviews_announce_who_is_alive_after_an_amnesty_and_who_breaks_after_its_end(admin_api, tenant, streak):
    tick(tenant, 4, 3)
    amnesty = admin_api.post(AMNESTIES, OUTAGE).json()["id"]
    sum(review_streak(streak=Streak.objects.get(), now=NOW))

    admin_api.delete(f"{AMNESTIES}/{amnesty}")
    sum(review_streak(streak=Streak.objects.get(), now=NOW))
    sum(review_streak(streak=Streak.objects.get(), now=NOW))

    assert emitted_types() == ["participant.created", "streak.restored", "streak.broken"]
    assert Streak.objects.get().review_due_at is None


def test_an_amnesty_may_concern_some_streaks_only(api, admin_api, tenant, streak):
    define(tenant, "daily_lesson")
    tick(tenant, 4, 3)
    tick(tenant, 4, 3, code="daily_lesson")

    admin_api.post(AMNESTIES, {**OUTAGE, "streak_codes": ["daily_lesson"]})

    entries = api.get("/participants/user_42/streaks").json()["streaks"]
    assert {entry["code"]: entry["current_count"] for entry in entries} == {"daily_login": 0, "daily_lesson": 2}


def test_dates_are_in_the_named_zone(api, admin_api, tenant, streak):
    tick(tenant, 3)
    body = {
        **OUTAGE,
        "from": "2026-02-13",
        "to": "2026-02-13",
        "timezone": "Pacific/Kiritimati",
    }  # from 10:00 the day before

    admin_api.post(AMNESTIES, body)

    assert current(api) == 1


def test_the_zone_defaults_to_the_tenants_zone(admin_api, tenant):
    body = {name: value for name, value in OUTAGE.items() if name != "timezone"}

    assert admin_api.post(AMNESTIES, body).json()["timezone"] == "UTC"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"reason": None}, "reason"),
        ({"from": "2026-02-14"}, "to"),
        ({"to": "2027-03-01"}, "to"),
        ({"to": "tomorrow"}, "to"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"streak_codes": []}, "streak_codes"),
        ({"streak_codes": ["daily_logins"]}, "streak_codes"),
        ({"streak_codes": "daily_login"}, "streak_codes"),
    ],
)
def test_an_amnesty_that_does_not_validate_is_422_and_writes_nothing(
    admin_api, tenant, streak, nothing_written, change, field
):
    with nothing_written():
        assert refused_fields(admin_api.post(AMNESTIES, {**OUTAGE, **change})) == [field]


def test_a_dry_run_of_an_amnesty_only_counts_participants(admin_api, tenant, streak, nothing_written):
    tick(tenant, 0)

    with nothing_written():
        answer = admin_api.post(f"{AMNESTIES}?dry_run=true", OUTAGE)

    body = answer.json()
    assert (answer.status_code, body["id"], body["touches"]["alive"]) == (200, None, 1)


def test_amnesties_are_visible_only_within_their_tenant(admin_api, other_admin_api, tenant):
    created = admin_api.post(AMNESTIES, OUTAGE).json()
    shown = {name: value for name, value in created.items() if name != "touches"}

    assert admin_api.get(AMNESTIES).json() == {"items": [shown], "total": 1, "page": 1, "page_size": 50}
    assert admin_api.get(f"{AMNESTIES}/{created['id']}").json() == shown
    assert other_admin_api.get(AMNESTIES).json()["items"] == []
    for send in (other_admin_api.get, other_admin_api.delete):
        assert refusal(send(f"{AMNESTIES}/{created['id']}")) == (
            404,
            "amnesty_not_found",
            f"Amnesty not found: {created['id']}",
        )
    assert refusal(admin_api.get(f"{AMNESTIES}/x"))[:2] == (404, "amnesty_not_found")
    assert Participant.objects.count() == 0
