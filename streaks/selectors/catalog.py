"""What a tenant has defined, as the engine sees it: the catalog's part, with an index by event."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from gamify.facts.engine.expressions import (
    CompiledExpression,
    MalformedExpression,
    compile_expression,
    compile_filter,
)
from gamify.facts.engine.tree import Not
from participants.catalog import Catalog, catalog_parts
from participants.models import Tenant
from streaks.engine.excuses import Span
from streaks.engine.milestones import Milestone
from streaks.models import Amnesty, Status, Streak, StreakPause, StreakRevision
from streaks.selectors.terms import Terms, day_span

logger = structlog.get_logger(__name__)

PART = "streaks"
ANY_EVENT = "*"


@dataclass(frozen=True)
class PastTerms:
    """Terms that ended, with the number they had."""

    number: int
    terms: Terms
    ended_at: datetime


@dataclass(frozen=True)
class CompiledStreak:
    """A definition as the engine sees it. `past` are its earlier terms, oldest first; `spans` are times excused for all.

    `listens_to` is None where every event of its types counts.
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
    """All of a tenant's streaks, whatever their status, in display order; `by_event` has the active ones alone."""

    by_code: Mapping[str, CompiledStreak]
    by_id: Mapping[UUID, CompiledStreak]
    by_event: Mapping[str, Sequence[CompiledStreak]]

    def listening(self, event: str) -> Sequence[CompiledStreak]:
        """The active streaks that this event of a client may tick."""
        return self.by_event.get(event) or self.by_event.get(ANY_EVENT, ())


def load_catalog(tenant: Tenant) -> StreakCatalog:
    """Compile the tenant's definitions."""
    past: defaultdict[UUID, list[PastTerms]] = defaultdict(list)
    for row in StreakRevision.objects.filter(tenant_id=tenant.pk).order_by("number"):
        past[row.streak_id].append(PastTerms(row.number, Terms.of(row, row.tenant_timezone), row.ended_at))
    pauses: defaultdict[UUID, list[Span]] = defaultdict(list)
    for pause in StreakPause.objects.filter(tenant_id=tenant.pk):
        pauses[pause.streak_id].append((pause.began_at, pause.ended_at))
    amnesties = list(Amnesty.objects.of(tenant).in_force())
    compiled = [
        _compiled(row, tenant, past[row.pk], [*pauses[row.pk], *_amnesties_of(row, amnesties)])
        for row in Streak.objects.of(tenant).in_order()
    ]
    return StreakCatalog(
        {each.code: each for each in compiled}, {each.id: each for each in compiled}, _by_event(compiled)
    )


def _amnesties_of(row: Streak, amnesties: Iterable[Amnesty]) -> list[Span]:
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
        milestones=tuple(_milestone(each) for each in row.milestones),
        revision=row.revision,
        terms=Terms.of(row, tenant.timezone, lead_seconds=row.at_risk_seconds),
        past=past,
        spans=spans,
        row=row,
    )


def _listens_to(row: Streak) -> CompiledExpression | None:
    """One that cannot be read, from before filters were checked, matches nothing; it must not take all others along."""
    try:
        if row.expression is not None:
            return compile_expression(row.expression)
        return compile_filter(row.fact_filter) if row.fact_filter else None
    except MalformedExpression as malformed:
        logger.warning("streak_filter_malformed", streak=str(row.pk), problem=str(malformed))
        return NOTHING


_ANYTHING = compile_filter({})
NOTHING = CompiledExpression(Not(_ANYTHING.root), matches=lambda properties, attributes: False)


def _milestone(stored: Mapping[str, Any]) -> Milestone:
    return Milestone(stored["threshold"], stored.get("reward_item_id"), bool(stored.get("repeatable")))


def _by_event(streaks: Iterable[CompiledStreak]) -> Mapping[str, Sequence[CompiledStreak]]:
    """By the name of an event, those that listen to any event among them; under ANY_EVENT those alone."""
    active = [streak for streak in streaks if streak.is_active]
    names = {name for streak in active for name in streak.event_types}
    return {
        name: [streak for streak in active if name in streak.event_types or ANY_EVENT in streak.event_types]
        for name in names
    }


def streaks_in(catalog: Catalog) -> StreakCatalog:
    """The streaks of a catalog."""
    part: StreakCatalog = catalog.part(PART)
    return part


def register() -> None:
    """Called once the apps are loaded."""
    catalog_parts.register(PART, load_catalog)
