"""The console's list of streaks at risk: who is listed, bulk nudges and freezes, and what became of the runs of the last day."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from participants.models import DomainEvent, Participant, Tenant
from streaks.models import ParticipantStreak, Streak
from streaks.selectors.due import BREAKS, RISKS
from streaks.services import CareRequest, NotAtRisk, create_streak, nudge, pause, record, sweep
from tests.console import Console, staff, text_of, trail

LIST, CHANGE = "streaks_participantstreak_changelist", "streaks_participantstreak_change"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
EVENING = datetime(2026, 3, 10, 22, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def clock(tenant: Tenant) -> Any:
    """Evening. `late` and `tired` ticked yesterday, so their runs end at midnight; `today` ticked today."""
    data = {"code": "daily_login", "name": "Daily login", "event_types": ["login"]}
    create_streak(tenant=tenant, data=data, now=NOON - 10 * DAY)
    tenant.refresh_from_db()
    for participant_id, days in (("late", (2, 1)), ("tired", (1,)), ("today", (1, 0)), ("long_ago", (5,))):
        for each in days:
            tick(tenant, participant_id, at=NOON - each * DAY)
    with time_machine.travel(EVENING, tick=False) as traveller:
        yield traveller


def tick(tenant: Tenant, participant_id: str, *, at: datetime) -> None:
    record(tenant=tenant, participant_id=participant_id, streak_code="daily_login", at=at, now=at)


def sweep_all(tenant: Tenant, *, now: datetime) -> None:
    for kind in (BREAKS, RISKS):
        sum(sweep(tenant=tenant, kind=kind, now=now))


def listed(console: Console, **query: Any) -> list[str]:
    return [row.participant.external_id for row in console.get(LIST, **query).context["cl"].result_list]


def choose(console: Console, action: str, *people: str, **data: Any) -> Any:
    rows = ParticipantStreak.objects.filter(participant_id__in=_ids(people)).order_by("breaks_at", "id")
    return console.post(LIST, action=action, _selected_action=[str(row.pk) for row in rows], **data)


def _ids(people: Any) -> Any:
    return Participant.objects.filter(external_id__in=people).values("pk")


def nudges() -> list[dict[str, Any]]:
    return [event.data for event in DomainEvent.objects.filter(type="streak.nudged").order_by("id")]


@pytest.mark.parametrize("is_swept", [False, True])
def test_runs_that_break_soon_are_listed_with_the_time_that_is_left(tenant: Tenant, clock: Any, is_swept: bool) -> None:
    if is_swept:
        sweep_all(tenant, now=EVENING)
    console = Console(tenant)

    assert sorted(listed(console)) == ["late", "tired"]
    shown = text_of(console.get(LIST))
    assert "Streaks at risk" in shown
    assert "2\xa0hours" in shown


def test_the_page_of_a_row_is_that_of_its_participant(tenant: Tenant, clock: Any) -> None:
    row = ParticipantStreak.objects.order_by("id")[0]

    answer = Console(tenant).get(CHANGE, row.pk)

    assert (answer.status_code, answer["Location"]) == (
        302,
        f"/console/participants/participant/{row.participant_id}/change/",
    )


def test_a_nudge_asks_for_the_reason_then_tells_webhooks_once(tenant: Tenant, clock: Any) -> None:
    console = Console(tenant)

    asked = choose(console, "nudge", "late", "tired")
    assert "streak.nudged" in text_of(asked)
    assert nudges() == []
    assert "This field is required" in text_of(choose(console, "nudge", "late", confirmed="yes", reason=""))
    choose(console, "nudge", "late", "tired", confirmed="yes", reason="Two hours left")

    assert [(data["participant_id"], data["current_count"], data["reason"]) for data in nudges()] == [
        ("late", 2, "Two hours left"),
        ("tired", 1, "Two hours left"),
    ]
    assert {data["window_ends_at"] for data in nudges()} == {"2026-03-11T00:00:00Z"}
    shown = text_of(console.get(LIST))
    assert "Nudge: done for 2 of 2." in shown
    assert [message for _, _, message in trail()] == ["Nudge: streak daily_login."] * 2

    choose(console, "nudge", "late", confirmed="yes", reason="Again")
    assert len(nudges()) == 2
    assert "late had this nudge already." in text_of(console.get(LIST))


def test_a_run_that_was_saved_meanwhile_is_not_nudged(tenant: Tenant, clock: Any) -> None:
    console = Console(tenant)
    tick(tenant, "late", at=EVENING)

    choose(console, "nudge", "late", "tired", confirmed="yes", reason="Hurry")

    # `late` is no longer in the list, so only the other one was chosen.
    assert [data["participant_id"] for data in nudges()] == ["tired"]
    with pytest.raises(NotAtRisk):
        nudge(tenant=tenant, request=CareRequest("late", "daily_login", "Hurry"), now=EVENING)


def test_a_bulk_freeze_excuses_the_open_period(tenant: Tenant, clock: Any) -> None:
    console = Console(tenant)

    choose(console, "freeze", "late", "tired", confirmed="yes", reason="Outage")

    assert listed(console) == []
    sweep_all(tenant, now=EVENING + 3 * HOUR)
    assert not DomainEvent.objects.filter(type="streak.broken", data__user_id__in=["late", "tired"]).exists()


def test_the_next_day_shows_what_was_saved_and_what_was_lost(tenant: Tenant, clock: Any) -> None:
    sweep_all(tenant, now=EVENING)
    tick(tenant, "late", at=EVENING + HOUR)
    clock.move_to(NOON + DAY)
    sweep_all(tenant, now=NOON + DAY)
    console = Console(tenant)

    assert listed(console, outcome="saved") == ["late"]
    assert listed(console, outcome="lost") == ["tired"]
    clock.move_to(NOON + 3 * DAY)
    console = Console(tenant, user=console.user)  # the first session has ended
    assert listed(console, outcome="saved") == listed(console, outcome="lost") == []


def test_a_paused_streak_puts_nobody_at_risk(tenant: Tenant, clock: Any) -> None:
    pause(Streak.objects.get(), tenant=tenant, now=EVENING)

    assert listed(Console(tenant)) == []


def test_the_number_of_queries_does_not_grow(tenant: Tenant, clock: Any, django_assert_max_num_queries: Any) -> None:
    console = Console(tenant)
    console.get(LIST)
    for number in range(50):
        tick(tenant, f"more_{number}", at=NOON - DAY)

    with django_assert_max_num_queries(14):
        assert len(listed(console)) == 52


def test_staff_who_may_only_look_cannot_act(tenant: Tenant, clock: Any) -> None:
    clerk = staff("streaks.view_participantstreak")
    console = Console(tenant, user=clerk)

    assert sorted(listed(console)) == ["late", "tired"]
    choose(console, "nudge", "late", confirmed="yes", reason="Hurry")
    assert nudges() == []


def test_another_tenant_sees_none_of_it(tenant: Tenant, other_tenant: Tenant, clock: Any) -> None:
    assert listed(Console(other_tenant)) == []
