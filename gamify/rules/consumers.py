"""Rules hear the clients' events and the product's own changes, and say what is given for them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from gamify.facts.engine.events import EventInput
from gamify.facts.engine.expressions import judged
from gamify.facts.engine.outcomes import NOT_MATCHED, Grant, Heard, Outcome
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
        for rule in rules.hearing_event(event.name)
        if rule.is_limited and rule.may_match(event.properties)
    )


def _changes(catalog: Catalog) -> Collection[str]:
    return rules_in(catalog).by_change.keys()


def _consume(fact: Fact, work: UnitOfWork, *, now: datetime) -> Iterable[Outcome]:
    rules = rules_in(work.catalog)
    listening = rules.hearing_change(fact.name) if fact.is_change else rules.hearing_event(fact.name)
    results = [(rule, _result(rule, fact)) for rule in listening]
    work.load(loads_for(rule for rule, result in results if result == MATCHED))
    for rule, result in results:
        yield from _matched(rule, fact, work) if result == MATCHED else [_heard(rule, fact, result)]


MATCHED, OUT_OF_SCHEDULE = "matched", "out_of_schedule"


def _result(rule: CompiledRule, fact: Fact) -> str:
    if not rule.is_open(fact.at):
        return OUT_OF_SCHEDULE
    return MATCHED if rule.matches(fact.properties, fact.participant.attributes) else NOT_MATCHED


def _matched(rule: CompiledRule, fact: Fact, work: UnitOfWork) -> Iterator[Outcome]:
    if not work.is_first((fact.participant.pk, fact.key, rule.id)):
        yield _heard(rule, fact, "already_fired")
    elif stopped_by := fire(work, rule, fact):
        yield _heard(rule, fact, "limited", STOPPED_BY[stopped_by])
    else:
        yield _heard(rule, fact, MATCHED)
        yield from _grants(rule, fact)


def _grants(rule: CompiledRule, fact: Fact) -> Iterator[Grant]:
    for index, spec in enumerate(rule.grants):
        yield Grant(spec["type"], spec, rule.source, f"{fact.key}/rule/{rule.code}/{index}")


def _heard(rule: CompiledRule, fact: Fact, result: str, note: str | None = None) -> Heard:
    conditions = partial(judged, rule.asks, fact.properties, fact.participant.attributes)
    return Heard(rule.source, result, note, conditions)


LISTENER = Consumer(loads=_loads, consume=_consume, changes=_changes)
