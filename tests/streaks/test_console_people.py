"""Streaks on a participant's page: status, calendars, freeze and restore."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from participants.admin.panels import panels
from participants.models import Participant
from participants.services.participants import anonymize
from streaks.models import ParticipantStreak
from streaks.services import CareRequest, create_streak, freeze, pause, record, set_status, update_streak
from tests.console import Console, errors_of, staff, text_of, trail
from tests.factories import ParticipantFactory

PAGE, FREEZE, RESTORE = (f"participants_participant_{name}" for name in ("change", "freeze_streak", "restore_streak"))
NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)  # a Wednesday
DAY = timedelta(days=1)

pytestmark = pytest.mark.usefixtures("wednesday")


@pytest.fixture
def wednesday():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def make_streak(tenant, code="daily_login", name="Daily login", **data):
    row = create_streak(
        tenant=tenant, data={"code": code, "name": name, "event_types": [code], **data}, now=NOW - 90 * DAY
    )
    tenant.refresh_from_db()
    return row


def tick(tenant, *days, code="daily_login", participant_id="ada"):
    """Record a tick on each of `days`, counted back from today."""
    for each in days:
        at = NOW - each * DAY
        record(tenant=tenant, participant_id=participant_id, streak_code=code, at=at, now=NOW)
    return Participant.objects.of(tenant).get(external_id=participant_id)


def page_of(tenant, participant):
    return text_of(Console(tenant).get(PAGE, participant.pk))


def cells_of(shown, name="Daily login"):
    """The cells of a streak's row in the first table that contains it."""
    row = shown[shown.index(f"<td>{name}</td>") :]
    return [cell.split("</td>")[0] for cell in row[: row.index("</tr>")].split("<td>")[1:]]


# --- status -----------------------------------------------------------------------------------------------------------


def test_the_panel_of_streaks_is_registered():
    assert "streaks" in panels


def test_a_participant_without_ticks_has_no_streaks_and_no_buttons(tenant):
    make_streak(tenant)
    participant = ParticipantFactory(tenant=tenant)

    shown = page_of(tenant, participant)

    assert "None yet." in shown
    assert "freeze_streak" not in shown
    assert "restore_streak" not in shown
    assert "Freezes" not in shown


MILESTONES = [{"threshold": length, "reward_item_id": None, "repeatable": True} for length in (3, 7)]


@pytest.mark.parametrize(
    ("days", "hour", "current", "longest", "state", "following"),
    [
        ((1, 0), 12, "2", "2", "alive", "3, 1 to go"),
        ((3, 2, 1, 0), 12, "4", "4", "alive", "7, 3 to go"),
        ((2, 1), 22, "2", "2", "at risk", "3, 1 to go"),
        ((5, 4), 12, "0", "2", "broken", "3, 3 to go"),
    ],
)
def test_the_page_shows_the_status_of_each_streak(tenant, wednesday, days, hour, current, longest, state, following):
    make_streak(tenant, milestones=MILESTONES)
    participant = tick(tenant, *days)
    wednesday.move_to(NOW.replace(hour=hour))

    cells = cells_of(page_of(tenant, participant))

    assert cells[1:5] == [current, longest, state, following]


def test_a_streak_without_milestones_has_no_next_one(tenant):
    make_streak(tenant)

    assert cells_of(page_of(tenant, tick(tenant, 0)))[4] == "–"


def test_frozen_runs_and_paused_streaks_are_labelled(tenant):
    streak = make_streak(tenant)
    participant = tick(tenant, 1, 0)

    freeze(tenant=tenant, request=CareRequest("ada", "daily_login", "On holiday"), now=NOW)
    frozen = cells_of(page_of(tenant, participant))
    pause(streak, tenant=tenant, now=NOW)
    paused = text_of(
        Console(tenant, user=staff("participants.view_participant", "streaks.view_participantstreak")).get(
            PAGE, participant.pk
        )
    )

    assert frozen[3] == "frozen"
    assert cells_of(paused)[3] == "paused"


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_streaks_that_are_not_in_use_are_not_shown(tenant, status):
    streak = make_streak(tenant)
    participant = tick(tenant, 0)
    set_status(streak, tenant=tenant, status=status, now=NOW)

    assert "<td>Daily login</td>" not in page_of(tenant, participant)


def test_nothing_of_another_tenants_namesake_is_shown(tenant, other_tenant):
    for owner, name in ((tenant, "Mine"), (other_tenant, "Secret")):
        make_streak(owner, name=name)
        tick(owner, 0)
    participant = Participant.objects.of(tenant).get()

    shown = page_of(tenant, participant)

    assert "Mine" in shown
    assert "Secret" not in shown


def test_the_page_needs_as_many_queries_for_many_streaks_as_for_one(tenant, queries):
    make_streak(tenant)
    participant = tick(tenant, 5, 4)
    console = Console(tenant)

    for codes in ((), ("a", "b", "c")):
        for code in codes:
            make_streak(tenant, code, code)
            tick(tenant, 5, 4, 0, code=code)
        console.get(PAGE, participant.pk)  # fills the catalog
        with queries(16):
            console.get(PAGE, participant.pk)


# --- the calendar -----------------------------------------------------------------------------------------------------


def boxes_of(shown):
    """{description: kind} of every box of the calendar."""
    parts = shown.split('<li class="console-window is-')[1:]
    boxes = [(part.split('"')[0], part.split('title="')[1].split('"')[0]) for part in parts if 'title="' in part]
    return dict(reversed(box) for box in boxes)


def test_the_calendar_shows_each_day_since_the_participant_began(tenant):
    make_streak(tenant, grace_periods=1)
    participant = tick(tenant, 16, 15, 9, 8, 6, 4, 3, 1)
    freeze(tenant=tenant, request=CareRequest("ada", "daily_login", "Ill"), begin=(NOW - 2 * DAY).date(), now=NOW)

    boxes = boxes_of(page_of(tenant, participant))

    assert boxes["2026-02-23: completed, run of 1"] == "kept"
    assert boxes["2026-02-24: completed, run of 2"] == "kept"
    assert boxes["2026-02-26: missed"] == "missed"
    assert boxes["2026-03-04: missed, the run went on, run of 2"] == "grace"
    assert boxes["2026-03-09: excused, run of 5"] == "excused"
    assert boxes["2026-03-11: still open"] == "open"
    assert not any(description.startswith("2026-02-22") for description in boxes)


def test_windows_under_earlier_rules_are_not_shown_as_missed(tenant):
    streak = make_streak(tenant)
    participant = tick(tenant, 9, 8, 1, 0)
    update_streak(streak, tenant=tenant, changes={"grace_periods": 1}, now=NOW)
    tenant.refresh_from_db()

    boxes = boxes_of(page_of(tenant, participant))

    assert "missed" not in boxes.values()
    assert boxes["2026-03-11: completed, run of 2"] == "kept"


@pytest.mark.parametrize(
    ("terms", "description", "label"),
    [
        ({"period": "hourly"}, "2026-03-11T12: completed, run of 1", "12"),
        ({"period": "weekly"}, "2026-W11: completed, run of 1", "W11"),
        ({"period": "monthly"}, "2026-03: completed, run of 1", "Mar"),
        ({"period": "rolling", "duration_seconds": 3600}, "2026-03-11T12:00:00Z: completed, run of 1", "11.03."),
    ],
)
def test_every_kind_of_period_has_a_calendar(tenant, terms, description, label):
    make_streak(tenant, **terms)
    participant = tick(tenant, 0)

    shown = page_of(tenant, participant)

    assert boxes_of(shown) == {description: "kept"}
    assert f'<span aria-hidden="true">{label}</span>' in shown


# --- freeze -----------------------------------------------------------------------------------------------------------


def freezes():
    return [(each["from"], each["to"], each["reason"]) for each in ParticipantStreak.objects.get().freezes]


def case(**fields):
    return {"streak_code": "daily_login", "begin": "", "end": "", "reason": "On holiday", **fields}


@pytest.mark.parametrize(
    ("fields", "begin", "end"),
    [
        ({}, "2026-03-11", "2026-03-12"),
        ({"begin": "2026-03-01"}, "2026-03-01", "2026-03-02"),
        ({"begin": "2026-03-12", "end": "2026-03-14"}, "2026-03-12", "2026-03-15"),
    ],
)
def test_a_participant_is_frozen(tenant, fields, begin, end):
    make_streak(tenant)
    participant = tick(tenant, 0)
    console = Console(tenant)

    answer = console.post(FREEZE, participant.pk, **case(**fields))

    assert freezes() == [(f"{begin}T00:00:00+00:00", f"{end}T00:00:00+00:00", "On holiday")]
    shown = text_of(console.client.get(answer.url))
    assert f"Excused in Daily login from {begin} 00:00 to {end} 00:00 UTC." in shown
    assert "<td>On holiday</td>" in shown
    assert trail() == [(f"Participant {participant.pk}", 2, "Froze streak daily_login.")]


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"reason": ""}, {"reason": ["This field is required."]}),
        ({"reason": "two\u2028lines"}, {"reason": ["Must not contain control characters."]}),
        ({"reason": "x" * 501}, {"reason": ["Ensure this value has at most 500 characters (it has 501)."]}),
        ({"begin": "tomorrow"}, {"begin": ["Must be a date, such as 2026-02-14."]}),
        ({"begin": "2026-03-12", "end": "2026-03-11"}, {"end": ["Must not be before “From”."]}),
        ({"begin": "1969-12-31"}, {"begin": ["Must be between 1970 and 2199."]}),
        ({"begin": "2026-03-12", "end": "9999-12-31"}, {"end": ["Must be between 1970 and 2199."]}),
        (
            {"streak_code": "untouched"},
            {"streak_code": ["Select a valid choice. untouched is not one of the available choices."]},
        ),
    ],
)
def test_an_invalid_freeze_is_refused_on_its_field(tenant, nothing_written, fields, errors):
    make_streak(tenant)
    make_streak(tenant, "untouched", "Untouched")
    participant = tick(tenant, 0)
    console = Console(tenant)

    with nothing_written():
        answer = console.post(FREEZE, participant.pk, **case(**fields))

    assert errors_of(answer) == errors
    assert trail() == []


def test_sent_twice_it_is_frozen_once(tenant, nothing_written):
    make_streak(tenant)
    participant = tick(tenant, 0)
    console = Console(tenant)
    console.post(FREEZE, participant.pk, **case())

    with time_machine.travel(NOW + timedelta(seconds=1), tick=False), nothing_written():
        answer = console.post(FREEZE, participant.pk, **case())

    assert "Sent twice, done once" in text_of(console.client.get(answer.url))
    assert len(trail()) == 1


# --- restore ----------------------------------------------------------------------------------------------------------


def test_a_broken_run_is_restored(tenant):
    make_streak(tenant)
    make_streak(tenant, "alive", "Alive")
    participant = tick(tenant, 6, 5, 4)
    tick(tenant, 0, code="alive")
    console = Console(tenant)

    asked = text_of(console.get(RESTORE, participant.pk))
    answer = console.post(RESTORE, participant.pk, streak_code="daily_login", reason="Our outage")

    assert "Daily login (a run of 3 broke)" in asked
    assert ">Alive (" not in asked
    shown = text_of(console.client.get(answer.url))
    assert "Restored Daily login; the run is 3 long." in shown
    assert cells_of(shown)[1] == "3"
    assert "<td>Our outage</td>" in shown
    assert "restore_streak" not in shown
    assert trail() == [(f"Participant {participant.pk}", 2, "Restored streak daily_login.")]


def test_the_run_before_the_live_one_can_be_restored(tenant):
    make_streak(tenant)
    participant = tick(tenant, 6, 5, 4, 0)
    console = Console(tenant)

    asked = text_of(console.get(RESTORE, participant.pk))
    console.post(RESTORE, participant.pk, streak_code="daily_login", reason="Our outage")

    assert "Daily login (the run before the present one)" in asked
    assert cells_of(text_of(console.get(PAGE, participant.pk)))[1] == "4"


def test_sent_twice_it_is_restored_once(tenant, nothing_written):
    make_streak(tenant)
    participant = tick(tenant, 6, 5, 4)
    console = Console(tenant)
    console.post(RESTORE, participant.pk, streak_code="daily_login", reason="x")

    with nothing_written():
        answer = console.post(RESTORE, participant.pk, streak_code="daily_login", reason="x")

    assert answer.status_code == 302
    assert len(trail()) == 1


# --- permissions and tenants ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [FREEZE, RESTORE])
def test_staff_with_view_permission_cannot_freeze_or_restore(tenant, nothing_written, page):
    make_streak(tenant)
    participant = tick(tenant, 6, 5, 4)
    console = Console(tenant, user=staff("participants.view_participant", "streaks.view_streak"))

    with nothing_written():
        assert console.get(page, participant.pk).status_code == 403
        assert console.post(page, participant.pk, **case()).status_code == 403
    assert "_streak/" not in text_of(console.get(PAGE, participant.pk))


@pytest.mark.parametrize("page", [FREEZE, RESTORE])
def test_freeze_and_restore_need_the_change_permission(tenant, page):
    make_streak(tenant)
    participant = tick(tenant, 6, 5, 4)

    user = staff("participants.view_participant", "streaks.change_participantstreak")
    Console(tenant, user=user).post(page, participant.pk, **case())

    assert len(freezes()) == 1


@pytest.mark.parametrize("page", [FREEZE, RESTORE])
def test_participants_of_other_tenants_are_not_accessible(tenant, other_tenant, nothing_written, page):
    strangers = []
    for owner in (other_tenant, tenant.sandbox):
        make_streak(owner)
        strangers.append(tick(owner, 6, 5, 4))
    console = Console(tenant)

    with nothing_written():
        for stranger in strangers:
            assert console.post(page, stranger.pk, **case()).status_code == 302

    assert trail() == []


def test_anonymised_participants_have_no_reasons(tenant):
    make_streak(tenant)
    participant = tick(tenant, 0)
    freeze(tenant=tenant, request=CareRequest("ada", "daily_login", "In hospital"), now=NOW)
    anonymize(tenant=tenant, external_id="ada", now=NOW)

    shown = page_of(tenant, participant)

    assert "In hospital" not in shown
    assert "Freezes" in shown
