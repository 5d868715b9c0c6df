"""The calendar of the form of a streak: clicked days are played to the engine with the unsaved settings. Nothing is written."""

from datetime import date

from django.urls import reverse

from streaks.admin.trial import try_days
from streaks.models import Streak
from streaks.selectors.catalog import milestones_of
from streaks.selectors.terms import Terms
from tests.console import Console, sent_by, text_of

THREE_A_WEEK = {
    "period": "weekly",
    "timezone": "Europe/Berlin",
    "grace_periods": 1,
    "condition": {"type": "count", "min": 3},
    "milestones": [{"threshold": 2, "reward_item_id": None, "repeatable": False}],
}


def days(*numbers: int) -> list[date]:
    return [date(2026, 3, number) for number in numbers]


def trial_of(*clicked: int, **fields):
    row = Streak(**THREE_A_WEEK | fields)
    return try_days(Terms.of(row, "UTC").rules, milestones_of(row), days(*clicked))


def test_a_week_that_is_missed_once_is_forgiven_and_the_milestone_is_reached():
    trial = trial_of(2, 4, 6, 16, 18, 20)

    assert [(on, milestone.threshold) for on, milestone in trial.reached] == [(date(2026, 3, 20), 2)]


def test_two_missed_weeks_end_the_run():
    assert trial_of(2, 4, 6, 23, 25, 27).reached == []


def test_a_milestone_is_reached_once():
    trial = trial_of(2, 3, 4, 9, 10, 11, 12, 16, 17, 18)

    assert [on for on, _ in trial.reached] == days(11)


def test_no_day_is_no_trial():
    assert trial_of() is None


def test_the_form_answers_for_unsaved_settings_and_marks_days_on_which_clocks_change(tenant, nothing_written):
    console = Console(tenant)
    fields = sent_by(console.get("streaks_streak_add")) | {
        "period": "weekly",
        "timezone": "Europe/Berlin",
        "condition_type": "count",
        "condition_min": "3",
        "week_start": "0",
        "status": "draft",
        "try-from": "2026-03-16",
        "try-day": ["2026-03-16", "2026-03-18", "2026-03-20"],
    }

    with nothing_written():
        answer = console.client.post(reverse("admin:streaks_streak_new_summary"), fields, headers={"X-Fragment": "1"})

    shown = text_of(answer)
    assert "After the last of these days: a run of 1 week; the longest was 1 week." in shown
    assert "It breaks on 2026-03-30 at 00:00 unless another week is completed." in shown
    assert shown.count("clocks change: the day has 23 hours") == 2  # the tooltip, and the words for screen readers
    assert 'id="try-2026-03-29" form="streak_form">' in shown


def test_what_is_not_a_day_of_the_grid_is_ignored(tenant):
    console = Console(tenant)
    fields = sent_by(console.get("streaks_streak_add")) | {"period": "daily", "week_start": "0", "status": "draft"}
    url = reverse("admin:streaks_streak_new_summary")

    for day in ("", "tomorrow", "1800-01-01", "9999-12-31"):
        answer = console.client.post(url, fields | {"try-day": day, "try-from": day}, headers={"X-Fragment": "1"})
        assert (answer.status_code, "After the last" in text_of(answer)) == (200, False)
