"""Rules react to clients' events and to changes: those that match grant what they define."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from functools import partial
from itertools import islice

from gamify.facts.engine.events import EventInput
from gamify.facts.engine.expressions import condition_results
from gamify.facts.engine.outcomes import (
    MAX_NOT_MATCHED,
    NOT_MATCHED,
    Grant,
    Outcome,
    TraceEntry,
    TraceRest,
    UndoNote,
)
from gamify.facts.services import Consumer, Fact
from gamify.rules.engine.limits import Limit
from gamify.rules.selectors import CompiledRule, rules_in
from gamify.rules.services.firing import fire, loads_for
from participants.catalog import Catalog
from participants.work import Load, UnitOfWork

LIMIT_NOTES: Mapping[Limit, str] = {
    Limit.EVER: "it has fired as often as it ever may",
    Limit.PER_DAY: "it has fired as often as it may in a day",
    Limit.PER_WEEK: "it has fired as often as it may in a week",
    Limit.COOLDOWN: "it fired too short a time before or after",
}


def _loads(catalog: Catalog, events: Sequence[EventInput]) -> Sequence[Load]:
    by_event = rules_in(catalog).by_event
    return loads_for(
        rule for event in events for rule in by_event[event.name].candidates(event.properties) if rule.is_limited
    )


def _changes(catalog: Catalog) -> Collection[str]:
    return rules_in(catalog).by_change.names


def _event_names(catalog: Catalog) -> Collection[str]:
    return rules_in(catalog).by_event.names


def _consume(fact: Fact, work: UnitOfWork, *, now: datetime) -> Iterable[Outcome]:
    catalog = rules_in(work.catalog)
    listening = catalog.by_change[fact.name] if fact.is_change else catalog.by_event[fact.name]
    matching = listening.matching(fact.properties, fact.participant.attributes)
    work.load(loads_for(listening.rules[place] for place in matching))
    return _outcomes(listening.rules, set(matching), fact, work)


def _outcomes(
    listening: Sequence[CompiledRule], matching: AbstractSet[int], fact: Fact, work: UnitOfWork
) -> Iterator[Outcome]:
    """Yield the outcomes in the order of the rules.

    Of the rules that do not match, the first are traced and the rest are counted: tracing thousands would take longer than all other
    work for the event.
    """
    not_matching = (place for place in range(len(listening)) if place not in matching)
    traced = list(islice(not_matching, MAX_NOT_MATCHED))
    for place in sorted((*matching, *traced)):
        if place in matching:
            yield from _fire_matched(listening[place], fact, work)
        else:
            yield _trace_entry(listening[place], fact, NOT_MATCHED)
    rest = len(listening) - len(matching) - len(traced)
    if rest:
        yield TraceRest(rest)


def _fire_matched(rule: CompiledRule, fact: Fact, work: UnitOfWork) -> Iterator[Outcome]:
    if not rule.is_open(fact.at):
        yield _trace_entry(rule, fact, "out_of_schedule")
    elif not work.is_first((fact.participant.pk, fact.key, rule.id)):
        yield _trace_entry(rule, fact, "already_fired")
    elif limit := fire(work, rule, fact):
        yield _trace_entry(rule, fact, "limited", LIMIT_NOTES[limit])
    else:
        yield _trace_entry(rule, fact, "matched")
        if rule.is_limited:
            day = rules_in(work.catalog).day_of(fact.at)
            yield UndoNote("rules", {"id": str(rule.id), "day": day.isoformat()})
        yield from _grants(rule, fact)


def _grants(rule: CompiledRule, fact: Fact) -> Iterator[Grant]:
    for index, spec in enumerate(rule.grants):
        yield Grant(spec["type"], spec, rule.source, f"{fact.key}/rule/{rule.code}/{index}")


def _trace_entry(rule: CompiledRule, fact: Fact, result: str, note: str | None = None) -> TraceEntry:
    conditions = partial(condition_results, rule.expression, fact.properties, fact.participant.attributes)
    return TraceEntry(rule.source, result, note, conditions)


LISTENER = Consumer(loads=_loads, consume=_consume, changes=_changes, event_names=_event_names)
