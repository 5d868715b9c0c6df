"""Rules hear the clients' events and the product's own changes, and say what is given for them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from functools import partial
from itertools import islice

from gamify.facts.engine.events import EventInput
from gamify.facts.engine.expressions import condition_results
from gamify.facts.engine.outcomes import MAX_NOT_MATCHED, NOT_MATCHED, Grant, Outcome, TraceEntry, TraceRest, UndoNote
from gamify.facts.services import Consumer, Fact
from gamify.rules.engine.limits import Limit
from gamify.rules.selectors import CompiledRule, rules_in
from gamify.rules.services.firing import fire, loads_for
from participants.catalog import Catalog
from participants.work import Load, UnitOfWork

STOPPED_BY: Mapping[Limit, str] = {
    Limit.EVER: "it has fired as often as it ever may",
    Limit.PER_DAY: "it has fired as often as it may in a day",
    Limit.PER_WEEK: "it has fired as often as it may in a week",
    Limit.COOLDOWN: "it fired too short a time before or after",
}


def _loads(catalog: Catalog, events: Sequence[EventInput]) -> Sequence[Load]:
    rules = rules_in(catalog)
    return loads_for(
        rule
        for event in events
        for rule in rules.rules_for_event(event.name).candidates(event.properties)
        if rule.is_limited
    )


def _changes(catalog: Catalog) -> Collection[str]:
    return rules_in(catalog).by_change.keys()


def _consume(fact: Fact, work: UnitOfWork, *, now: datetime) -> Iterable[Outcome]:
    rules = rules_in(work.catalog)
    listening = rules.rules_for_change(fact.name) if fact.is_change else rules.rules_for_event(fact.name)
    matching = listening.matching(fact.properties, fact.participant.attributes)
    work.load(loads_for(listening.rules[place] for place in matching))
    return _heard_by(listening.rules, set(matching), fact, work)


def _heard_by(
    listening: Sequence[CompiledRule], matching: AbstractSet[int], fact: Fact, work: UnitOfWork
) -> Iterator[Outcome]:
    """In order. Of many that do not match, how many: to tell each would take longer than all else about the event."""
    passed_over = (place for place in range(len(listening)) if place not in matching)
    told = list(islice(passed_over, MAX_NOT_MATCHED))
    for place in sorted((*matching, *told)):
        if place in matching:
            yield from _matched(listening[place], fact, work)
        else:
            yield _heard(listening[place], fact, NOT_MATCHED)
    left = len(listening) - len(matching) - len(told)
    if left:
        yield TraceRest(left)


def _matched(rule: CompiledRule, fact: Fact, work: UnitOfWork) -> Iterator[Outcome]:
    if not rule.is_open(fact.at):
        yield _heard(rule, fact, "out_of_schedule")
    elif not work.is_first((fact.participant.pk, fact.key, rule.id)):
        yield _heard(rule, fact, "already_fired")
    elif stopped_by := fire(work, rule, fact):
        yield _heard(rule, fact, "limited", STOPPED_BY[stopped_by])
    else:
        yield _heard(rule, fact, "matched")
        if rule.is_limited:
            day = rules_in(work.catalog).day_of(fact.at)
            yield UndoNote("rules", {"id": str(rule.id), "day": day.isoformat()})
        yield from _grants(rule, fact)


def _grants(rule: CompiledRule, fact: Fact) -> Iterator[Grant]:
    for index, spec in enumerate(rule.grants):
        yield Grant(spec["type"], spec, rule.source, f"{fact.key}/rule/{rule.code}/{index}")


def _heard(rule: CompiledRule, fact: Fact, result: str, note: str | None = None) -> TraceEntry:
    conditions = partial(condition_results, rule.expression, fact.properties, fact.participant.attributes)
    return TraceEntry(rule.source, result, note, conditions)


LISTENER = Consumer(loads=_loads, consume=_consume, changes=_changes)
