"""Streaks hear the clients' events: those of their types, of which their expression holds, tick them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from gamify.facts.engine.events import EventInput
from gamify.facts.engine.fields import MISSING, reader
from gamify.facts.engine.outcomes import Outcome
from gamify.facts.services import Consumer, Fact, loads_of_grants
from participants.catalog import Catalog
from participants.work import Load, UnitOfWork
from streaks.selectors import CompiledStreak, streaks_in
from streaks.services.counting import count, grants_of, loads_for


def _loads(catalog: Catalog, events: Sequence[EventInput]) -> Sequence[Load]:
    known = streaks_in(catalog)
    listening = {streak.id: streak for name in {event.name for event in events} for streak in known.listening(name)}
    return [*loads_for(listening.values()), *loads_of_grants(catalog, grants_of(listening.values()))]


def _consume(fact: Fact, work: UnitOfWork, *, now: datetime) -> Iterable[Outcome]:
    return [] if fact.is_change else list(_ticked(fact, work))


def _ticked(fact: Fact, work: UnitOfWork) -> Iterator[Outcome]:
    for streak in streaks_in(work.catalog).listening(fact.name):
        if _matches(streak, fact):
            value = _value(streak, fact)
            yield from count(work, fact.participant, streak, at=fact.at, value=value).outcomes


def _matches(streak: CompiledStreak, fact: Fact) -> bool:
    return streak.listens_to is None or streak.listens_to.matches(fact.properties, fact.participant.attributes)


def _value(streak: CompiledStreak, fact: Fact) -> Any:
    """What the event has in the field that the streak's condition looks at; None for nothing."""
    field = streak.terms.rules.condition.field
    if field is None:
        return None
    value = reader(field)(fact.properties, fact.participant.attributes)
    return None if value is MISSING else value


LISTENER = Consumer(loads=_loads, consume=_consume)
