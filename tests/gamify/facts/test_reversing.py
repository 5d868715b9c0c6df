"""The reversal of events, with an undoer that exists only in this module. The undoers of the domains have their own tests."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from gamify.facts.engine.events import EventInput
from gamify.facts.models import Event
from gamify.facts.selectors import EventNotFound, others_of
from gamify.facts.services import AlreadyReversed, Undone, emit, reverse_event, undoers
from participants.models import DomainEvent, Participant
from participants.services.participants import anonymize

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
POINTS = Undone(type="points", name="Points", id=uuid4(), amount=30, shortfall=20)
BADGE = Undone(type="badge", name="Buyer", code="buyer")
TOLD = [
    {"type": "points", "name": "Points", "id": str(POINTS.id), "amount": 30, "shortfall": 20},
    {"type": "badge", "name": "Buyer", "code": "buyer"},
]


@pytest.fixture(autouse=True)
def undone(settings, monkeypatch):
    """Whose events were to be undone, by each of two undoers."""
    calls = []

    def undoer(name, *found):
        def undo(work, participant, event):
            calls.append((name, participant.external_id, event.name, work.is_dry_run))
            yield from found

        return undo

    monkeypatch.setattr(undoers, "_entries", {})
    undoers.register("badges", undoer("badges", BADGE))
    undoers.register("points", undoer("points", POINTS))
    settings.UNDO_ORDER = ["points", "badges"]
    return calls


def bought(tenant, user="ada", key=None):
    return emit(tenant=tenant, event=EventInput(user, "buy", NOW, {"amount": 5}, key), now=NOW).event_id


def reverse(tenant, event_id, **given):
    return reverse_event(tenant=tenant, event_id=str(event_id), reason="fraud", now=LATER, **given)


def test_the_event_stays_and_is_marked_as_reversed(tenant, undone):
    event_id = bought(tenant)

    answer = reverse(tenant, event_id)

    event = Event.objects.get()
    assert (answer.event_id, answer.participant_id, answer.reversed_at, answer.undone) == (event_id, "ada", LATER, TOLD)
    by = {"actor": "command:tests", "label": "tests"}
    assert (event.reversed_at, event.reversal) == (LATER, {"reason": "fraud", "undone": TOLD, "by": by})
    assert (event.properties, event.occurred_at) == ({"amount": 5}, NOW)
    assert undone == [("points", "ada", "buy", False), ("badges", "ada", "buy", False)]


def test_it_emits_a_domain_event(tenant):
    event_id = bought(tenant)

    reverse(tenant, event_id)

    event_row = DomainEvent.objects.get(type="event.reversed")
    assert event_row.data == {
        "participant_id": "ada",
        "event_id": str(event_id),
        "event_name": "buy",
        "reason": "fraud",
        "undone": TOLD,
    }


def test_the_participant_counts_one_event_less_and_was_not_seen_by_the_reversal(tenant):
    bought(tenant)
    event_id = bought(tenant)

    reverse(tenant, event_id)

    ada = Participant.objects.get()
    assert (ada.total_events, ada.last_seen_at) == (1, NOW)


def test_an_event_is_reversed_once(tenant, nothing_written):
    event_id = bought(tenant)
    reverse(tenant, event_id)

    with nothing_written(), pytest.raises(AlreadyReversed) as refused:
        reverse(tenant, event_id)

    assert (refused.value.code, refused.value.status) == ("already_reversed", 400)


def test_a_dry_run_returns_the_same_and_writes_nothing(tenant, nothing_written, undone):
    event_id = bought(tenant)

    with nothing_written():
        answer = reverse(tenant, event_id, is_dry_run=True)

    assert answer == reverse(tenant, event_id)
    assert [is_dry_run for *_, is_dry_run in undone] == [True, True, False, False]


@pytest.mark.parametrize("event_id", ["", "nonsense", "01a20030-2f11-7c0e-9b6a-0d8c7a5e4f31"])
def test_an_unknown_event_is_not_found(tenant, event_id, nothing_written):
    with nothing_written(), pytest.raises(EventNotFound):
        reverse(tenant, event_id)


def test_an_event_of_another_tenant_is_not_found(tenant, other_tenant, nothing_written):
    event_id = bought(other_tenant)

    with nothing_written(), pytest.raises(EventNotFound):
        reverse(tenant, event_id)


def test_a_repeat_of_a_reversed_event_answers_as_before_and_does_nothing(tenant, nothing_written):
    event = EventInput("ada", "buy", NOW, {}, "k")
    first = emit(tenant=tenant, event=event, now=NOW)
    reverse(tenant, first.event_id)

    with nothing_written():
        again = emit(tenant=tenant, event=event, now=LATER)

    assert (again.event_id, again.fact_id, again.is_replay) == (first.event_id, first.fact_id, True)


def test_reversed_events_are_not_counted(tenant):
    reversed_id, standing_id, asked_id = [bought(tenant) for _ in range(3)]
    bought(tenant, "bob")
    reverse(tenant, reversed_id)

    others = others_of(Event.objects.get(pk=asked_id))

    assert [event.pk for event in others] == [standing_id]


def test_anonymising_clears_the_reason_of_a_reversal_and_not_its_time(tenant):
    reverse(tenant, bought(tenant))

    anonymize(tenant=tenant, external_id="ada", now=LATER)

    event = Event.objects.get()
    assert (event.reversed_at, event.reversal) == (LATER, {"reason": None, "undone": []})


def test_missing_undo_notes_are_reported_first(tenant):
    event_id = bought(tenant)
    Event.objects.update(marks=None)

    undone = reverse(tenant, event_id).undone

    kept = "What it was counted for is not known any more"
    assert undone == [{"type": "event", "name": "buy", "id": str(event_id), "kept": kept}, *TOLD]
