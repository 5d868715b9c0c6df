"""Reads of streaks: what a tenant has defined, and where a participant stands."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from participants.catalog import Catalog, catalog_parts
from participants.models import Participant, Tenant
from streaks.engine.counting import Carried, Rules, Standing, State, carried_over, standing
from streaks.engine.windows import CalendarWindows, Period
from streaks.models import ParticipantStreak, Streak, StreakPause, StreakRevision

PART = "streaks"


@dataclass(frozen=True)
class PastRules:
    """Rules that ended, with the number they had."""

    number: int
    rules: Rules
    ended_at: datetime


@dataclass(frozen=True)
class CompiledStreak:
    """A definition as the engine sees it. `past` are its earlier rules, oldest first."""

    id: UUID
    code: str
    name: str
    period: str
    is_active: bool
    event_types: tuple[str, ...]
    revision: int
    rules: Rules
    past: Sequence[PastRules]
    pauses: Sequence[tuple[datetime, datetime | None]]


@dataclass(frozen=True)
class StreakCatalog:
    """All of a tenant's streaks, inactive ones too, in display order."""

    by_code: Mapping[str, CompiledStreak]
    by_id: Mapping[UUID, CompiledStreak]


@dataclass(frozen=True)
class StreakStatus:
    """One participant in one streak at one instant."""

    streak: CompiledStreak
    standing: Standing
    last_activity_at: datetime


def load_catalog(tenant: Tenant) -> StreakCatalog:
    """Compile the tenant's definitions. Windows are in the tenant's zone."""
    past: dict[UUID, list[PastRules]] = {}
    for row in StreakRevision.objects.filter(tenant_id=tenant.pk).order_by("number"):
        past.setdefault(row.streak_id, []).append(PastRules(row.number, _rules(row, row.timezone), row.ended_at))
    pauses: dict[UUID, list[tuple[datetime, datetime | None]]] = {}
    for pause in StreakPause.objects.filter(tenant_id=tenant.pk).order_by("began_at"):
        pauses.setdefault(pause.streak_id, []).append((pause.began_at, pause.ended_at))
    rows = Streak.objects.filter(tenant_id=tenant.pk).order_by("display_order", "code")
    compiled = [_compiled(row, tenant, past.get(row.pk, []), pauses.get(row.pk, [])) for row in rows]
    return StreakCatalog({each.code: each for each in compiled}, {each.id: each for each in compiled})


def _compiled(
    row: Streak,
    tenant: Tenant,
    past: Sequence[PastRules],
    pauses: Sequence[tuple[datetime, datetime | None]],
) -> CompiledStreak:
    return CompiledStreak(
        id=row.pk,
        code=row.code,
        name=row.name,
        period=row.period,
        is_active=row.is_active,
        event_types=tuple(row.event_types),
        revision=row.revision,
        rules=_rules(row, tenant.timezone),
        past=past,
        pauses=pauses,
    )


def _rules(row: Streak | StreakRevision, zone: str) -> Rules:
    windows = CalendarWindows(Period(row.period), zone)
    return Rules(windows, grace=row.grace_periods, resets=row.reset_on_miss)


def streaks_in(catalog: Catalog) -> StreakCatalog:
    """The streaks of a catalog."""
    part: StreakCatalog = catalog.part(PART)
    return part


def excused_in(streak: CompiledStreak, rules: Rules, *, now: datetime) -> list[tuple[int, int]]:
    """The windows of `rules` that a pause of the streak touches; one that lasts reaches to the window of `now`."""
    touched = [
        (rules.windows.ordinal(began), rules.windows.ordinal(max(began, ended or now)))
        for began, ended in streak.pauses
    ]
    return _disjoint(touched)


def _disjoint(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ascending spans, those that overlap made one: two pauses may touch the same window."""
    found: list[tuple[int, int]] = []
    for first, last in spans:
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def state_of(row: ParticipantStreak, streak: CompiledStreak, *, now: datetime) -> State:
    """The state under today's rules: what was counted under earlier ones is carried over, change by change."""
    state = State(tuple((first, length) for first, length in row.runs), Carried(*row.carried))
    changes = [past for past in streak.past if past.number >= row.revision]
    later = [past.rules for past in changes[1:]] + [streak.rules]
    for past, rules in zip(changes, later, strict=False):
        state = carried_over(
            state,
            past.rules,
            rules,
            at=past.ended_at,
            last_activity_at=row.last_activity_at,
            excused=excused_in(streak, past.rules, now=now),
        )
    return state


def statuses_of(participant: Participant | None, catalog: Catalog, *, now: datetime) -> list[StreakStatus]:
    """Every active streak the participant has touched, in display order; one query."""
    if participant is None:
        return []
    rows = {row.streak_id: row for row in ParticipantStreak.objects.of(participant)}
    active = (streak for streak in streaks_in(catalog).by_id.values() if streak.is_active)
    return [_status(rows[streak.id], streak, now=now) for streak in active if streak.id in rows]


def _status(row: ParticipantStreak, streak: CompiledStreak, *, now: datetime) -> StreakStatus:
    excused = excused_in(streak, streak.rules, now=now)
    told = standing(state_of(row, streak, now=now), streak.rules, now=now, excused=excused)
    return StreakStatus(streak, told, row.last_activity_at)


def best_of(statuses: Iterable[StreakStatus]) -> StreakStatus | None:
    """The longest live streak, else the one that was longest; None for who never ticked."""
    return max(statuses, key=lambda status: (status.standing.current, status.standing.longest), default=None)


def register() -> None:
    """Called once the apps are loaded."""
    catalog_parts.register(PART, load_catalog)
