"""Traces are stored for a limited time."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import time_machine

from gamify.facts import tasks
from gamify.facts.models import PRUNED, Event
from gamify.facts.services import pruning
from participants.ids import first_id_at, new_id
from participants.models import Removal
from tests.factories import EventFactory, ParticipantFactory

NOW = datetime(2026, 11, 24, 3, 27, tzinfo=UTC)
DAY = timedelta(days=1)
TRACE = {"facts": [{"name": "buy", "heard": []}], "granted": [], "refused": [], "cut": []}


def recorded(person, days_ago, trace):
    at = NOW - days_ago * DAY
    event_id = UUID(int=first_id_at(at).int | (uuid4().int & ((1 << 80) - 1)))
    return EventFactory(id=event_id, participant=person, occurred_at=at, trace=trace)


def test_only_older_traces_are_pruned(tenant, monkeypatch):
    monkeypatch.setattr(pruning, "CHUNK", 2)
    person = ParticipantFactory(tenant=tenant)
    old = [recorded(person, days, TRACE) for days in (30.1, 30.2, 30.3, 31, 45, 74)]
    young = recorded(person, 29.9, TRACE)
    unheard = recorded(person, 40, None)

    with time_machine.travel(NOW, tick=False):
        tasks.prune()

    traces = dict(Event.objects.values_list("pk", "trace"))
    assert {str(traces[event.pk]) for event in old} == {str(PRUNED)}
    assert (traces[young.pk], traces[unheard.pk]) == (TRACE, None)
    records = Removal.objects.filter(tenant=tenant, table="facts_event", action=Removal.Action.PRUNE)
    assert sum(record.rows for record in records) == len(old)


@pytest.mark.engine
def test_ids_are_divided_by_time():
    before = datetime.now(UTC)
    created = new_id()

    assert first_id_at(before) <= created < first_id_at(datetime.now(UTC) + timedelta(milliseconds=1))
