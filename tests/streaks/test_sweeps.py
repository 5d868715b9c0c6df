"""Breaks and risks are announced once, by whichever sweep, review or tick comes first (docs/contract.md §10, At risk)."""

from datetime import date

import pytest
import time_machine

from gamify.facts.engine.outcomes import Grant, Source
from gamify.facts.services import Consumer
from participants.models import Participant, Tenant
from participants.services.participants import delete
from streaks import tasks
from streaks.models import ParticipantStreak, Status, Streak
from streaks.selectors import reach_of
from streaks.selectors.due import BREAKS, RISKS
from streaks.services import (
    declare_amnesty,
    record_many,
    review_in_chunks,
    set_status,
    sweep,
    undo_amnesty,
    update_streak,
)
from streaks.services.recording import Tick
from streaks.services.sweeps import RETRY_DELAY
from tests.streaks.sweeping import (
    DAY,
    HOUR,
    MIDNIGHT,
    MINUTE,
    NOON,
    announcement_types,
    announcements,
    define,
    fresh,
    run_reviews,
    run_sweep,
    tick,
)

BREAK = MIDNIGHT + 2 * DAY  # the break of a run that ended today
WARNING = BREAK - 4 * HOUR


@pytest.fixture
def daily(tenant):
    return define(tenant)


def row_of(who="u"):
    return ParticipantStreak.objects.get(participant__external_id=who)


# --- announced once ---------------------------------------------------------------------------------------------------


def test_a_break_is_announced_once_with_the_length_of_the_run(tenant, daily):
    tick(tenant, NOON - 2 * DAY, NOON - DAY, NOON)

    processed = [run_sweep(tenant, BREAK + minutes * MINUTE, BREAKS) for minutes in (-1, 0, 1, 2)]

    assert processed == [0, 1, 0, 0]
    assert announcements() == [
        (
            "streak.broken",
            {
                "participant_id": "u",
                "user_id": "u",
                "definition_id": str(daily.pk),
                "streak_code": "daily",
                "final_count": 3,
            },
        )
    ]


def test_a_risk_is_announced_once_with_the_end_of_the_window(tenant, daily):
    tick(tenant, NOON - DAY, NOON)

    processed = [run_sweep(tenant, WARNING + minutes * MINUTE, RISKS) for minutes in (-1, 0, 1, 60)]

    assert processed == [0, 1, 0, 0]
    assert announcements() == [
        (
            "streak.at_risk",
            {
                "participant_id": "u",
                "user_id": "u",
                "definition_id": str(daily.pk),
                "streak_code": "daily",
                "current_count": 2,
                "window_ends_at": "2026-02-16T00:00:00Z",
            },
        )
    ]


def test_a_risk_is_announced_again_in_the_next_window(tenant, daily):
    tick(tenant, NOON)
    run_sweep(tenant, WARNING)
    tick(tenant, WARNING + HOUR)

    run_sweep(tenant, WARNING + DAY)

    assert [data["window_ends_at"] for _, data in announcements()] == ["2026-02-16T00:00:00Z", "2026-02-17T00:00:00Z"]


def test_a_sweep_that_is_days_late_announces_only_the_break(tenant, daily):
    tick(tenant, NOON)

    run_sweep(tenant, BREAK + 9 * DAY)

    assert announcement_types() == ["streak.broken"]


def test_after_an_announced_break_a_new_run_breaks_and_is_announced_too(tenant, daily):
    tick(tenant, NOON)
    run_sweep(tenant, BREAK)
    tick(tenant, BREAK + HOUR, BREAK + DAY + HOUR)

    run_sweep(tenant, BREAK + 3 * DAY)

    assert [data["final_count"] for _, data in announcements("streak.broken")] == [1, 2]


def test_only_the_tenant_named_is_swept(tenant, other_tenant, daily):
    define(other_tenant)
    for each in (tenant, other_tenant):
        tick(each, NOON)

    assert run_sweep(tenant, BREAK) == 1

    assert ParticipantStreak.objects.get(tenant=other_tenant).breaks_at == BREAK


def test_a_chunk_of_any_size_needs_the_same_number_of_statements(tenant, daily, queries):
    record_many(tenant=fresh(tenant), ticks=[Tick(f"user_{n}", "daily", NOON) for n in range(50)], now=NOON)
    tick(tenant, NOON - DAY, who="early")
    ready = fresh(tenant)
    sweep(tenant=ready, kind=BREAKS, now=BREAK - DAY)

    with queries(6):  # due rows with locks, and the version, twice; events, streaks
        processed = sweep(tenant=ready, kind=BREAKS, now=BREAK)

    assert processed == 50


def _console(fact, work, *, now):
    yield Grant("points", {"type": "points", "amount": 5}, Source("rule", "comfort"), f"{fact.key}/0")


COMFORTER = Consumer(loads=lambda catalog, events: [], consume=_console, changes=lambda catalog: ["streak.broken"])


def test_definitions_react_to_a_break(tenant, daily, settings):
    tick(tenant, NOON)
    settings.FACT_CONSUMERS = [f"{__name__}.COMFORTER"]

    assert run_sweep(tenant, BREAK, BREAKS) == 1

    assert announcement_types() == ["streak.broken"]
    assert Participant.objects.get().balance == 5


# --- ticks between the instant and the sweep ---------------------------------------------------------------------------


def test_a_late_tick_before_the_sweep_saves_the_run_and_nothing_is_announced(tenant, daily):
    tick(tenant, NOON)

    tick(tenant, BREAK - HOUR, now=BREAK + MINUTE)

    assert run_sweep(tenant, BREAK + MINUTE) == 0
    assert announcement_types() == []


def test_a_tick_that_begins_a_new_run_before_the_sweep_announces_the_break(tenant, daily):
    tick(tenant, NOON - DAY, NOON)

    tick(tenant, BREAK + MINUTE)
    run_sweep(tenant, BREAK + MINUTE)

    assert [(name, data["final_count"]) for name, data in announcements()] == [("streak.broken", 2)]


def test_a_late_tick_after_the_announced_break_revives_the_run_and_its_next_break_is_announced(tenant, daily):
    tick(tenant, NOON)
    run_sweep(tenant, BREAK)

    tick(tenant, BREAK - HOUR, now=BREAK + MINUTE)
    run_sweep(tenant, BREAK + DAY)

    assert [data["final_count"] for _, data in announcements("streak.broken")] == [1, 2]


# --- breaks that are prevented or postponed ----------------------------------------------------------------------------


def test_grace_postpones_the_break(tenant):
    define(tenant, grace_periods=1)
    tick(tenant, NOON)

    assert run_sweep(tenant, BREAK + DAY - MINUTE, BREAKS) == 0
    assert run_sweep(tenant, BREAK + DAY, BREAKS) == 1


def test_a_streak_that_never_resets_is_never_due(tenant):
    define(tenant, reset_on_miss=False)
    tick(tenant, NOON)

    assert run_sweep(tenant, BREAK + 400 * DAY) == 0
    assert announcement_types() == []


def test_nothing_breaks_and_nothing_is_at_risk_while_a_streak_is_paused(tenant, daily):
    tick(tenant, NOON)
    set_status(daily, tenant=tenant, status=Status.PAUSED, now=NOON + HOUR)

    run_sweep(tenant, WARNING)
    run_sweep(tenant, BREAK + 30 * DAY)

    assert announcement_types() == []


def test_after_a_pause_a_review_stores_when_the_run_will_break(tenant, daily):
    tick(tenant, NOON)
    set_status(daily, tenant=tenant, status=Status.PAUSED, now=NOON + HOUR)
    run_sweep(tenant, BREAK + DAY)
    resumed = NOON + 5 * DAY
    set_status(daily, tenant=tenant, status=Status.ACTIVE, now=resumed)

    assert run_reviews(tenant, resumed) == 1

    assert row_of().breaks_at == MIDNIGHT + 7 * DAY  # the day of the resumption is excused too
    run_sweep(tenant, MIDNIGHT + 7 * DAY)
    assert announcement_types() == ["streak.broken"]


def test_a_break_before_a_pause_is_announced_during_the_pause(tenant, daily):
    tick(tenant, NOON)
    set_status(daily, tenant=tenant, status=Status.PAUSED, now=BREAK + MINUTE)

    run_sweep(tenant, BREAK + 2 * MINUTE)

    assert announcement_types() == ["streak.broken"]


def test_a_deleted_participant_is_not_announced(tenant, daily):
    tick(tenant, NOON)
    tick(tenant, NOON, who="v")
    delete(tenant=fresh(tenant), external_id="u", now=NOON)

    assert run_sweep(tenant, BREAK) == 1

    assert [data["user_id"] for _, data in announcements()] == ["v"]


def test_a_row_without_its_participant_is_ignored(tenant, daily):
    tick(tenant, NOON)
    Participant.objects.all().delete()

    assert run_sweep(tenant, BREAK) == 0


# --- changes that concern all participants -----------------------------------------------------------------------------


def amnesty(tenant, *, now):
    return declare_amnesty(
        tenant=fresh(tenant),
        name="Outage",
        first=date(2026, 2, 15),
        last=date(2026, 2, 15),
        timezone="UTC",
        streak_codes=None,
        reason="Servers were down",
        now=now,
    )


def test_an_amnesty_after_the_break_revives_the_run_and_undoing_it_breaks_the_run(tenant, daily):
    tick(tenant, NOON - DAY, NOON)
    run_sweep(tenant, BREAK, BREAKS)

    declared = amnesty(tenant, now=BREAK + HOUR)
    run_reviews(tenant, BREAK + HOUR)
    undo_amnesty(tenant=fresh(tenant), amnesty_id=declared.pk, now=BREAK + 2 * HOUR)
    run_reviews(tenant, BREAK + 2 * HOUR)

    assert announcement_types() == ["streak.broken", "streak.restored", "streak.broken"]
    assert announcements("streak.restored")[0][1]["new_count"] == 2
    assert [data["final_count"] for _, data in announcements("streak.broken")] == [2, 2]


def test_after_an_amnesty_the_sweep_announces_no_break(tenant, daily):
    tick(tenant, NOON)
    amnesty(tenant, now=BREAK + MINUTE)

    run_sweep(tenant, BREAK + 2 * MINUTE)

    assert announcement_types() == []
    assert row_of().breaks_at == BREAK + DAY


def test_terms_that_change_while_a_row_is_due_do_not_affect_the_past(tenant, daily):
    tick(tenant, NOON - DAY, NOON)
    update_streak(daily, tenant=fresh(tenant), changes={"grace_periods": 9}, now=BREAK + MINUTE)

    run_sweep(tenant, BREAK + 2 * MINUTE)
    run_reviews(tenant, BREAK + 2 * MINUTE)

    assert [(name, data["final_count"]) for name, data in announcements()] == [("streak.broken", 2)]


def test_more_grace_before_the_break_postpones_it_without_a_review(tenant, daily):
    tick(tenant, NOON)
    update_streak(daily, tenant=fresh(tenant), changes={"grace_periods": 2}, now=BREAK - HOUR)

    run_sweep(tenant, BREAK, BREAKS)

    assert announcement_types() == []
    assert row_of().breaks_at > BREAK


def test_a_risk_under_a_longer_lead_is_announced_by_the_review(tenant, daily):
    tick(tenant, NOON)
    update_streak(daily, tenant=fresh(tenant), changes={"at_risk_seconds": 20 * 3600}, now=BREAK - 10 * HOUR)

    run_reviews(tenant, BREAK - 10 * HOUR)
    run_sweep(tenant, BREAK - HOUR, RISKS)

    assert announcement_types() == ["streak.at_risk"]


def test_with_a_lead_of_zero_no_risk_is_announced_but_the_break_is(tenant):
    define(tenant, at_risk_seconds=0)
    tick(tenant, NOON)

    run_sweep(tenant, BREAK - MINUTE, RISKS)
    run_sweep(tenant, BREAK, RISKS)
    run_sweep(tenant, BREAK)

    assert announcement_types() == ["streak.broken"]
    assert row_of().at_risk_at is None


def test_a_lead_that_becomes_zero_ends_an_announced_risk(tenant, daily):
    tick(tenant, NOON)
    run_sweep(tenant, WARNING, RISKS)
    assert reach_of(fresh(tenant), [daily.pk], now=WARNING).at_risk == 1

    update_streak(daily, tenant=fresh(tenant), changes={"at_risk_seconds": 0}, now=WARNING)
    run_reviews(tenant, WARNING)

    assert reach_of(fresh(tenant), [daily.pk], now=WARNING).at_risk == 0
    assert announcement_types() == ["streak.at_risk"]


def test_a_review_runs_once(tenant, daily):
    tick(tenant, NOON)
    update_streak(daily, tenant=fresh(tenant), changes={"at_risk_seconds": 60}, now=NOON)

    assert [run_reviews(tenant, NOON), run_reviews(tenant, NOON)] == [1, 0]


def test_the_slower_of_two_reviews_of_one_streak_stops(tenant, daily, monkeypatch):
    monkeypatch.setattr("streaks.services.reviews.CHUNK", 1)
    for who in "abc":
        tick(tenant, NOON, who=who)
    update_streak(daily, tenant=fresh(tenant), changes={"at_risk_seconds": 60}, now=NOON)
    fast, slow = (
        review_in_chunks(streak=Streak.objects.select_related("tenant").get(pk=daily.pk), now=NOON) for _ in range(2)
    )

    next(fast)
    processed_by_the_slow = list(slow)

    assert processed_by_the_slow == [1]
    assert list(fast) == [1, 1]
    assert not Streak.objects.awaiting_review().exists()


# --- rows that fail ----------------------------------------------------------------------------------------------------


def test_an_unreadable_row_is_postponed_and_does_not_stop_the_others(tenant, daily):
    record_many(tenant=fresh(tenant), ticks=[Tick(f"user_{n}", "daily", NOON) for n in range(20)], now=NOON)
    broken = ParticipantStreak.objects.filter(participant__external_id="user_7")
    broken.update(runs=["garbage"])

    processed = [run_sweep(tenant, BREAK, BREAKS), run_sweep(tenant, BREAK + MINUTE, BREAKS)]

    assert processed == [19, 0]
    assert {data["user_id"] for _, data in announcements("streak.broken")} == {f"user_{n}" for n in range(20) if n != 7}
    assert broken.get().breaks_at == BREAK + RETRY_DELAY


def test_a_repaired_row_is_announced_when_it_is_due_again(tenant, daily):
    tick(tenant, NOON)
    rows = ParticipantStreak.objects.all()
    runs = rows.get().runs
    rows.update(runs=["garbage"])
    run_sweep(tenant, BREAK)
    rows.update(runs=runs)

    run_sweep(tenant, BREAK + RETRY_DELAY)

    assert announcement_types() == ["streak.broken"]


# --- answers do not depend on sweeps -----------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [WARNING - MINUTE, WARNING, BREAK - MINUTE, BREAK, BREAK + 3 * DAY])
def test_answers_are_the_same_whether_or_not_a_sweep_has_run(tenant, api, daily, at):
    define(tenant, code="weekly", period="weekly", grace_periods=1)
    tick(tenant, NOON - DAY, NOON)
    tick(tenant, NOON - 7 * DAY, NOON, code="weekly")
    paths = ("/participants/u/streaks", "/participants/u/state", "/participants/u")
    with time_machine.travel(at, tick=False):
        before = [api.get(path).json() for path in paths]

        run_sweep(tenant, at)

        assert [api.get(path).json() for path in paths] == before


# --- periodic tasks ----------------------------------------------------------------------------------------------------


def test_the_tasks_announce_for_every_tenant_including_disabled_ones(tenant, other_tenant):
    for each in (tenant, other_tenant, tenant.sandbox):
        define(each)
        tick(each, NOON)
    Tenant.objects.filter(pk=other_tenant.pk).update(is_active=False)

    with time_machine.travel(WARNING, tick=False):
        tasks.announce_risks()
    with time_machine.travel(BREAK, tick=False):
        tasks.announce_breaks()

    assert announcement_types() == ["streak.at_risk"] * 3 + ["streak.broken"] * 3


def test_the_task_needs_one_query_if_nothing_is_due(tenant, daily, queries):
    tick(tenant, NOON)

    with queries(1), time_machine.travel(NOON, tick=False):
        tasks.announce_breaks()


def test_the_failure_of_one_tenant_does_not_stop_others(tenant, other_tenant):
    for each in (tenant, other_tenant):
        define(each)
        tick(each, NOON)
    Streak.objects.of(tenant).update(condition={"type": "unheard of"})
    Tenant.objects.filter(pk=tenant.pk).update(catalog_version=99)

    with time_machine.travel(BREAK, tick=False):
        tasks.announce_breaks()

    assert announcement_types() == ["streak.broken"]
    assert not ParticipantStreak.objects.filter(tenant=other_tenant, breaks_at__isnull=False).exists()


def test_the_task_reviews_streaks_after_changes(tenant, daily):
    tick(tenant, NOON)
    run_sweep(tenant, BREAK)
    amnesty(tenant, now=BREAK + HOUR)

    with time_machine.travel(BREAK + HOUR, tick=False):
        tasks.review()

    assert announcement_types() == ["streak.broken", "streak.restored"]
    assert not Streak.objects.awaiting_review().exists()


def test_rows_beyond_the_time_budget_are_left_to_the_next_task(tenant, daily, monkeypatch):
    record_many(tenant=fresh(tenant), ticks=[Tick(f"user_{n}", "daily", NOON) for n in range(5)], now=NOON)
    monkeypatch.setattr("streaks.services.sweeps.CHUNK", 2)
    with time_machine.travel(BREAK, tick=False):
        monkeypatch.setattr(tasks, "BUDGET_SECONDS", 0.0)
        tasks.announce_breaks()
        types_without_time = announcement_types()

        monkeypatch.setattr(tasks, "BUDGET_SECONDS", 60.0)
        tasks.announce_breaks()

    assert types_without_time == []
    assert announcement_types() == ["streak.broken"] * 5


def test_tenants_are_swept_in_turns(tenant, other_tenant, monkeypatch):
    monkeypatch.setattr("streaks.services.sweeps.CHUNK", 1)
    for each in (tenant, other_tenant):
        define(each)
        ticks = [Tick(f"{each.slug}_{n}", "daily", NOON) for n in range(3)]
        record_many(tenant=fresh(each), ticks=ticks, now=NOON)

    with time_machine.travel(BREAK, tick=False):
        tasks.announce_breaks()

    order = [data["user_id"].split("_")[0] for _, data in announcements()]
    assert order == [tenant.slug, other_tenant.slug] * 3
