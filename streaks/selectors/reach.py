"""How many participants a change of a definition or an amnesty affects."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Case, Count, DateTimeField, F, Q, QuerySet, Value, When

from participants.models import Tenant
from streaks.models import ParticipantStreak, Status, Streak, StreakPause

VISIBLE = (Status.ACTIVE, Status.PAUSED)


@dataclass(frozen=True)
class Reach:
    """The number of participants with a row, with a live run, and with a run at risk."""

    participants: int
    alive: int
    at_risk: int


def reach_of(tenant: Tenant, streak_ids: Iterable[UUID], *, now: datetime) -> Reach:
    """Count the participants of several streaks, from what was last announced, in one pass over their rows.

    A participant counts once, also with rows in several streaks. While a streak is paused, runs that were alive at the
    beginning of the pause are alive and not at risk. With an at-risk lead of zero no run is at risk, even if the
    participant was warned before the lead became zero.
    """
    ids = list(streak_ids)
    alive, at_risk = _conditions(tenant, ids, now)
    people = "participant_id"
    counts = ParticipantStreak.objects.filter(tenant_id=tenant.pk, streak_id__in=ids).aggregate(
        participants=Count(people, distinct=True),
        alive=Count(people, distinct=True, filter=alive),
        at_risk=Count(people, distinct=True, filter=at_risk),
    )
    return Reach(**counts)


def runs_of(tenant: Tenant, *, now: datetime) -> Iterator[tuple[str, int, int]]:
    """Yield (code, live runs, runs at risk) of every active and every paused streak, in one pass over their rows."""
    codes = dict(Streak.objects.of(tenant).filter(status__in=VISIBLE).values_list("pk", "code"))
    alive, at_risk = _conditions(tenant, codes, now)
    rows = ParticipantStreak.objects.filter(tenant_id=tenant.pk, streak_id__in=list(codes)).order_by()
    counts = rows.values("streak_id").annotate(alive=Count("pk", filter=alive), at_risk=Count("pk", filter=at_risk))
    for row in counts:
        yield codes[row["streak_id"]], row["alive"], row["at_risk"]


def runs_at_risk(tenant: Tenant, *, now: datetime) -> "QuerySet[ParticipantStreak]":
    """Return the runs at risk in active streaks, as they were last announced."""
    ids = list(Streak.objects.of(tenant).filter(status=Status.ACTIVE).values_list("pk", flat=True))
    _, at_risk = _conditions(tenant, ids, now)
    return ParticipantStreak.objects.filter(at_risk, tenant_id=tenant.pk, streak_id__in=ids)


def runs_that_were_at_risk(tenant: Tenant, *, since: datetime, now: datetime) -> "QuerySet[ParticipantStreak]":
    """Return the rows whose announced risk was of a break between `since` and `now`. A run that is still alive has a `count`."""
    return ParticipantStreak.objects.filter(tenant_id=tenant.pk, warned_of__gte=since, warned_of__lte=now)


def _conditions(tenant: Tenant, streak_ids: Iterable[UUID], now: datetime) -> tuple[Q, Q]:
    """Return the conditions for a live run, and for a run at risk."""
    paused = _paused(tenant, streak_ids)
    alive = Q(count__gt=0) & (Q(breaks_at=None) | Q(breaks_at__gt=_looked_at(paused, now)))
    has_lead = Q(streak__at_risk_seconds=None) | Q(streak__at_risk_seconds__gt=0)
    at_risk = alive & has_lead & Q(breaks_at__gt=now) & (Q(at_risk_at__lte=now) | Q(warned_of=F("breaks_at")))
    return alive, at_risk & ~Q(streak_id__in=list(paused))


def _paused(tenant: Tenant, streak_ids: Iterable[UUID]) -> Mapping[UUID, datetime]:
    """The begin of the pause of each streak that is paused."""
    pauses = StreakPause.objects.filter(tenant_id=tenant.pk, streak_id__in=streak_ids, ended_at=None)
    return dict(pauses.values_list("streak_id", "began_at"))


def _looked_at(paused: Mapping[UUID, datetime], now: datetime) -> Case:
    """The instant at which runs must be alive: the begin of the streak's pause, else now."""
    stopped = [When(streak_id=streak_id, then=Value(began_at)) for streak_id, began_at in paused.items()]
    return Case(*stopped, default=Value(now), output_field=DateTimeField())
