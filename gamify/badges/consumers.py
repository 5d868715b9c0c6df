"""Badges with criteria react to events and changes. A participant who reaches the minimum of a badge is granted the badge."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial

from gamify.badges.engine import Criterion
from gamify.badges.models import BadgeAward
from gamify.badges.selectors import BadgeDefinition, badges_in
from gamify.badges.selectors.catalog import Listening
from gamify.badges.services import count_event, ensure_progress_rows, progress_loads
from gamify.facts.engine.events import EventInput
from gamify.facts.engine.expressions import condition_results
from gamify.facts.engine.outcomes import NOT_MATCHED, Grant, Outcome, TraceEntry
from gamify.facts.services import Consumer, Fact, badge_metrics
from participants.catalog import Catalog
from participants.engine import decimal_text
from participants.work import Load, UnitOfWork

MAX_PRELOADED = 32
"""If more badges listen to the events of a unit, their rows are loaded later, and only for badges whose filter matches."""


def _loads(catalog: Catalog, events: Sequence[EventInput]) -> Sequence[Load]:
    badges = badges_in(catalog)
    ids = {badge.id for name in {event.name for event in events} for badge, _ in badges.by_event[name]}
    return progress_loads(sorted(ids)) if len(ids) <= MAX_PRELOADED else ()


def _changes(catalog: Catalog) -> Collection[str]:
    return badges_in(catalog).by_change.names


def _event_names(catalog: Catalog) -> Collection[str]:
    return badges_in(catalog).by_event.names


def _consume(fact: Fact, work: UnitOfWork, *, now: datetime) -> Iterable[Outcome]:
    return _after_change(fact, work) if fact.is_change else _after_event(fact, work)


def _after_event(fact: Fact, work: UnitOfWork) -> Iterator[Outcome]:
    matching: list[Listening] = []
    for badge, criterion in badges_in(work.catalog).by_event[fact.name]:
        if criterion.counter.matches(fact.properties):
            matching.append((badge, criterion))
        else:
            yield TraceEntry(badge.source, NOT_MATCHED, conditions=_condition_results(criterion, fact))
    work.load(progress_loads(badge.id for badge, _ in matching))
    missing = {badge.id: criterion for badge, criterion in matching if not _has_badge(work, fact, badge)}
    ensure_progress_rows(work, fact.participant, missing)
    for badge, criterion in matching:
        if _has_badge(work, fact, badge):
            yield TraceEntry(badge.source, "already_earned")
        else:
            yield from _outcomes_at(badge, criterion, count_event(work, fact, badge.id, criterion), fact)


def _after_change(fact: Fact, work: UnitOfWork) -> Iterator[Outcome]:
    met: list[tuple[BadgeDefinition, Criterion, int]] = []
    for badge, criterion in _listening(fact, work):
        number = _number_after(criterion, fact)
        if number is not None and criterion.is_met_by(number):
            met.append((badge, criterion, number))
        elif number is not None:
            yield _trace_entry(badge, criterion, Decimal(number), fact)
    work.load([Load(BadgeAward, "badge_id", tuple(badge.id for badge, *_ in met))])
    for badge, criterion, number in met:
        if _has_badge(work, fact, badge):
            yield TraceEntry(badge.source, "already_earned")
        else:
            yield from _outcomes_at(badge, criterion, Decimal(number), fact)


def _listening(fact: Fact, work: UnitOfWork) -> Sequence[Listening]:
    """The badges to look at. If nothing is traced and no badge is met, there are none."""
    listeners = badges_in(work.catalog).by_change[fact.name]
    is_needed = fact.is_traced or any(_is_met(criterion, fact) for criterion in listeners.least)
    return listeners.badges if is_needed else ()


def _number_after(criterion: Criterion, fact: Fact) -> int | None:
    """The number that `criterion` compares, after a change; None if the change is about another selector."""
    return badge_metrics[criterion.metric].raised_by[fact.name](fact, criterion.selector)


def _is_met(criterion: Criterion, fact: Fact) -> bool:
    number = _number_after(criterion, fact)
    return number is not None and criterion.is_met_by(number)


def _has_badge(work: UnitOfWork, fact: Fact, badge: BadgeDefinition) -> bool:
    return work.row(BadgeAward, fact.participant, badge.id) is not None


def _outcomes_at(badge: BadgeDefinition, criterion: Criterion, value: Decimal, fact: Fact) -> Iterator[Outcome]:
    yield _trace_entry(badge, criterion, value, fact)
    if criterion.is_met_by(value):
        spec = {"type": "badge", "code": badge.code}
        yield Grant("badge", spec, badge.source, f"{fact.key}/badge/{badge.code}")


def _trace_entry(badge: BadgeDefinition, criterion: Criterion, value: Decimal, fact: Fact) -> TraceEntry:
    result = "met" if criterion.is_met_by(value) else "not_yet"
    return TraceEntry(badge.source, result, partial(_progress, value, criterion), _condition_results(criterion, fact))


def _progress(value: Decimal, criterion: Criterion) -> str:
    return f"{decimal_text(min(value, criterion.minimum))} of {decimal_text(criterion.minimum)}"


def _condition_results(criterion: Criterion, fact: Fact) -> partial[list[dict[str, object]]]:
    return partial(condition_results, criterion.counter.event_filter, fact.properties, {})


LISTENER = Consumer(loads=_loads, consume=_consume, changes=_changes, event_names=_event_names)
