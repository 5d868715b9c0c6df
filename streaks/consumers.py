"""Streaks react to clients' events: an event of a streak's types that matches its filter ticks it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from gamify.facts.engine.events import EventInput
from gamify.facts.engine.expressions import condition_results
from gamify.facts.engine.fields import MISSING, compile_path
from gamify.facts.engine.outcomes import NOT_MATCHED, Outcome, Source, TraceEntry
from gamify.facts.services import Consumer, Fact
from participants.catalog import Catalog
from participants.work import Load, UnitOfWork
from streaks.engine.ticking import TickResult
from streaks.selectors import CompiledStreak, streaks_in
from streaks.services.counting import count_tick, loads_for


def _loads(catalog: Catalog, events: Sequence[EventInput]) -> Sequence[Load]:
    known = streaks_in(catalog)
    return loads_for(streak for name in {event.name for event in events} for streak in known.by_event[name])


def _event_names(catalog: Catalog) -> Collection[str]:
    return streaks_in(catalog).by_event.names


def _consume(fact: Fact, work: UnitOfWork, *, now: datetime) -> Iterable[Outcome]:
    for streak in streaks_in(work.catalog).by_event[fact.name]:
        if _matches(streak, fact):
            yield from _tick(streak, fact, work)
        else:
            yield _trace_entry(streak, fact, NOT_MATCHED)


def _tick(streak: CompiledStreak, fact: Fact, work: UnitOfWork) -> Iterator[Outcome]:
    work.load(loads_for([streak]))
    counted = count_tick(work, fact.participant, streak, at=fact.at, value=_value(streak, fact))
    yield _trace_entry(streak, fact, _result(counted.result), f"{counted.result.count} in a row")
    yield from counted.outcomes


def _result(result: TickResult) -> str:
    if result.is_satisfying:
        return "counted"
    return "already_counted" if result.was_satisfied else "not_enough"


def _trace_entry(streak: CompiledStreak, fact: Fact, result: str, note: str | None = None) -> TraceEntry:
    conditions = partial(condition_results, streak.listens_to, fact.properties, fact.participant.attributes)
    return TraceEntry(Source("streak", streak.code), result, note, conditions)


def _matches(streak: CompiledStreak, fact: Fact) -> bool:
    return streak.listens_to is None or streak.listens_to.matches(fact.properties, fact.participant.attributes)


def _value(streak: CompiledStreak, fact: Fact) -> Any:
    """The event's value of the condition's field, or None."""
    field = streak.terms.rules.condition.field
    if field is None:
        return None
    value = compile_path(field)(fact.properties, fact.participant.attributes)
    return None if value is MISSING else value


LISTENER = Consumer(loads=_loads, consume=_consume, event_names=_event_names)
