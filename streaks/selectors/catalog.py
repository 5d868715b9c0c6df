"""The streaks of a tenant's catalog, compiled for the engine, with an index by event name."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gamify.facts.engine.expressions import CompiledExpression, compile_expression, compile_filter
from gamify.facts.engine.listeners import ListenerIndex, index_listeners
from gamify.facts.selectors import compile_or_match_nothing
from participants.catalog import CatalogPart
from participants.models import Tenant
from streaks.engine.excuses import Span
from streaks.engine.milestones import Milestone
from streaks.models import Amnesty, Status, Streak, StreakPause, StreakRevision
from streaks.selectors.terms import Terms, day_span


@dataclass(frozen=True)
class PastTerms:
    """The terms (periods, condition, grace) that a streak had before a change. `number` is their revision."""

    number: int
    terms: Terms
    ended_at: datetime


@dataclass(frozen=True)
class CompiledStreak:
    """A definition compiled for the engine.

    `past` are its earlier terms (periods, condition, grace), oldest first. `spans` are the times that are excused for all
    participants. `listens_to` is the event filter; it is None if every event of its types counts.
    """

    id: UUID
    code: str
    name: str
    status: str
    period: str
    event_types: tuple[str, ...]
    listens_to: CompiledExpression | None
    milestones: tuple[Milestone, ...]
    revision: int
    terms: Terms
    past: Sequence[PastTerms]
    spans: Sequence[Span]
    row: Streak

    @property
    def is_active(self) -> bool:
        return self.status == Status.ACTIVE


@dataclass(frozen=True)
class StreakCatalog:
    """All streaks of a tenant, with every status, in display order. `by_event` contains only the active ones."""

    by_code: Mapping[str, CompiledStreak]
    by_id: Mapping[UUID, CompiledStreak]
    by_event: ListenerIndex[tuple[CompiledStreak, ...]]


def load_catalog(tenant: Tenant) -> StreakCatalog:
    """Read and compile the definitions of `tenant`."""
    past: defaultdict[UUID, list[PastTerms]] = defaultdict(list)
    for row in StreakRevision.objects.filter(tenant_id=tenant.pk).order_by("number"):
        past[row.streak_id].append(PastTerms(row.number, Terms.of(row, row.tenant_timezone), row.ended_at))
    pauses: defaultdict[UUID, list[Span]] = defaultdict(list)
    for pause in StreakPause.objects.filter(tenant_id=tenant.pk):
        pauses[pause.streak_id].append((pause.began_at, pause.ended_at))
    amnesties = list(Amnesty.objects.of(tenant).in_force())
    compiled = [
        _compiled(row, tenant, past[row.pk], [*pauses[row.pk], *_spans_of(amnesties, row)])
        for row in Streak.objects.of(tenant).in_order()
    ]
    active = [each for each in compiled if each.is_active]
    by_event = index_listeners(active, names_of=lambda streak: streak.event_types, group=tuple)
    return StreakCatalog({each.code: each for each in compiled}, {each.id: each for each in compiled}, by_event)


def _spans_of(amnesties: Iterable[Amnesty], row: Streak) -> list[Span]:
    return [day_span(each.from_on, each.to_on, each.timezone) for each in amnesties if each.concerns(row.code)]


def _compiled(row: Streak, tenant: Tenant, past: Sequence[PastTerms], spans: Sequence[Span]) -> CompiledStreak:
    return CompiledStreak(
        id=row.pk,
        code=row.code,
        name=row.name,
        status=row.status,
        period=row.period,
        event_types=tuple(row.event_types),
        listens_to=_listens_to(row),
        milestones=milestones_of(row),
        revision=row.revision,
        terms=Terms.of(row, tenant.timezone, lead_seconds=row.at_risk_seconds),
        past=past,
        spans=spans,
        row=row,
    )


def _listens_to(row: Streak) -> CompiledExpression | None:
    log = {"log_event": "streak_filter_malformed", "streak": str(row.pk)}
    if row.expression is not None:
        return compile_or_match_nothing(compile_expression, row.expression, **log)
    return compile_or_match_nothing(compile_filter, row.fact_filter, **log) if row.fact_filter else None


def milestones_of(row: Streak) -> tuple[Milestone, ...]:
    """Return the milestones of a definition as the engine needs them."""
    return tuple(_milestone(each) for each in row.milestones)


def _milestone(stored: Mapping[str, Any]) -> Milestone:
    return Milestone(int(stored["threshold"]), stored.get("reward_item_id"), bool(stored.get("repeatable")))


streaks_in = CatalogPart("streaks", load_catalog)
