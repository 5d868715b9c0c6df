"""Pause, resume, activate and archive on a streak's page, each after a preview."""

import pytest
from django.utils import timezone

from streaks.models import Streak, StreakPause
from streaks.services import create_streak, record
from tests.console import Console, staff, text_of, trail

CHANGE = "streaks_streak_change"
TITLES = {"pause": "Pause", "resume": "Resume", "activate": "Activate", "archive": "Archive"}


def make_streak(tenant, status="active", name="Daily login"):
    data = {"code": "daily_login", "name": name, "event_types": ["login"], "status": status}
    return create_streak(tenant=tenant, data=data, now=timezone.now())


@pytest.mark.parametrize(
    ("before", "page", "after", "message"),
    [
        ("active", "pause", "paused", "Paused"),
        ("paused", "resume", "active", "Resumed"),
        ("draft", "activate", "active", "Activated"),
        ("archived", "activate", "active", "Activated"),
        ("active", "archive", "archived", "Archived"),
        ("paused", "archive", "archived", "Archived"),
        ("draft", "archive", "archived", "Archived"),
    ],
)
def test_a_streak_is_switched(tenant, before, page, after, message):
    streak = make_streak(tenant, before)
    console = Console(tenant)

    answer = console.post(f"streaks_streak_{page}", streak.pk)

    streak.refresh_from_db()
    assert (streak.status, streak.is_active) == (after, after == "active")
    assert f"{message} Daily login." in text_of(console.client.get(answer.url))
    assert trail() == [("Daily login", 2, f"{message}.")]


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("active", {"pause", "archive"}),
        ("paused", {"resume", "archive"}),
        ("draft", {"activate", "archive"}),
        ("archived", {"activate"}),
    ],
)
def test_impossible_switches_are_not_offered_and_do_nothing(tenant, nothing_written, status, offered):
    streak = make_streak(tenant, status)
    console = Console(tenant)

    shown = text_of(console.get(CHANGE, streak.pk))

    assert {page for page in TITLES if f"/{streak.pk}/{page}/" in shown} == offered
    with nothing_written():
        for page in TITLES.keys() - offered:
            console.post(f"streaks_streak_{page}", streak.pk)
    assert trail() == []


def test_the_preview_shows_affected_participants_and_writes_nothing(tenant, nothing_written):
    streak, now = make_streak(tenant), timezone.now()
    console = Console(tenant)

    with nothing_written():
        without_participants = text_of(console.get("streaks_streak_pause", streak.pk))
    for participant_id in ("ada", "bob"):
        record(tenant=tenant, participant_id=participant_id, streak_code="daily_login", at=now, now=now)
    with nothing_written():
        with_participants = text_of(console.get("streaks_streak_pause", streak.pk))

    assert "No participant has it yet." in without_participants
    assert "<li>2 participants have it.</li>" in with_participants
    assert "<li>2 runs are alive; at risk now: 0.</li>" in with_participants


def test_a_pause_lasts_from_pause_to_resume(tenant):
    streak = make_streak(tenant)
    console = Console(tenant)

    console.post("streaks_streak_pause", streak.pk)
    console.post("streaks_streak_pause", streak.pk)

    assert StreakPause.objects.get().ended_at is None
    console.post("streaks_streak_resume", streak.pk)
    assert StreakPause.objects.get().ended_at is not None


@pytest.mark.parametrize("page", TITLES)
def test_the_streak_of_another_tenant_is_not_accessible(tenant, other_tenant, nothing_written, page):
    strangers = [make_streak(owner, "paused", name="secret") for owner in (other_tenant, tenant.sandbox)]
    console = Console(tenant)

    with nothing_written():
        for stranger in strangers:
            assert "secret" not in text_of(console.get(f"streaks_streak_{page}", stranger.pk))
            assert console.post(f"streaks_streak_{page}", stranger.pk).status_code == 302

    assert trail() == []


@pytest.mark.parametrize("page", TITLES)
def test_staff_with_view_permission_cannot_switch(tenant, nothing_written, page):
    streak = make_streak(tenant)
    console = Console(tenant, user=staff("streaks.view_streak"))

    with nothing_written():
        assert console.get(f"streaks_streak_{page}", streak.pk).status_code == 403
        assert console.post(f"streaks_streak_{page}", streak.pk).status_code == 403
        assert f"/{page}/" not in text_of(console.get(CHANGE, streak.pk))


def test_switching_needs_the_change_permission(tenant):
    streak = make_streak(tenant)

    Console(tenant, user=staff("streaks.change_streak")).post("streaks_streak_pause", streak.pk)

    assert Streak.objects.get().status == "paused"
