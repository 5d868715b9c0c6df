"""The simulation of events: what an event would lead to, without any effect."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gamify.facts.engine.events import EventInput
from gamify.facts.engine.outcomes import Grant, Source, TraceEntry
from gamify.facts.models import Event
from gamify.facts.services import Consumer, emit, simulate
from gamify.points.models import LedgerEntry
from participants.errors import InvalidInput
from participants.models import DomainEvent, Participant
from tests.factories import ParticipantFactory

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
RULE = Source("rule", "welcome")


def _consume(fact, work, *, now):
    yield TraceEntry(RULE, "matched")
    yield Grant("points", {"type": "points", "field": "amount"}, RULE, f"{fact.key}/0")


LISTENER = Consumer(loads=lambda catalog, events: [], consume=_consume)


@pytest.fixture(autouse=True)
def one_rule(settings):
    settings.FACT_CONSUMERS = [f"{__name__}.LISTENER"]


def event(user="ada", at=NOW):
    return EventInput(user, "buy", at, {"amount": 5})


def rows():
    return [model.objects.count() for model in (Participant, Event, LedgerEntry, DomainEvent)]


@pytest.mark.parametrize("points", [None, 100])
def test_it_returns_what_the_event_would_and_writes_nothing(tenant, points):
    if points:
        ParticipantFactory(tenant=tenant, external_id="ada", points=points)
    before = rows()

    simulated = simulate(tenant=tenant, event=event(), now=NOW)

    after = rows()
    emitted = emit(tenant=tenant, event=event(), now=NOW)
    as_told = [{**given, "id": None} for given in simulated.rewards_granted]
    assert as_told == [{**given, "id": None} for given in emitted.rewards_granted] != []
    assert [fact["heard"] for fact in simulated.trace["facts"]] == [
        fact["heard"] for fact in Event.objects.get().trace["facts"]
    ]
    assert after == before


def test_it_takes_no_locks(tenant):
    ParticipantFactory(tenant=tenant, external_id="ada")

    with CaptureQueriesContext(
        connection,
    ) as queries:
        simulate(tenant=tenant, event=event(), now=NOW)

    assert not [query["sql"] for query in queries if "FOR " in query["sql"] or "UPDATE" in query["sql"]]


def test_an_impossible_time_is_refused(tenant):
    with pytest.raises(InvalidInput):
        simulate(tenant=tenant, event=event(at=NOW + timedelta(hours=1)), now=NOW)
