"""Where acts are stored: for each kind of rows, which of them are acts of the period."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from gamify.badges.models import BadgeAward
from gamify.challenges.models import Enrolment
from gamify.challenges.selectors import challenges_in
from gamify.facts.models import Event
from gamify.points.models import EntryType, LedgerEntry
from gamify.tiers.models import AwardType, TierChange
from gamify_project.programme.impact.acts import (
    Act,
    Adjustment,
    Award,
    BadgeGift,
    Deduction,
    DirectTick,
    Enrolling,
    Report,
    RewardClaim,
    TierAssignment,
)
from participants.actors import ActorKind
from participants.catalog import catalog_of
from participants.models import Participant, Tenant
from rewards.models import Claim, ClaimStatus
from streaks.models import ParticipantStreak
from streaks.selectors import CompiledStreak, streaks_in, ticked_windows

IS_GRANTED = Q(actor__startswith=f"{ActorKind.DEFINITION}:")


@dataclass(frozen=True)
class Source:
    """Rows of one model. `order` sorts those of a participant by time, and `acts_of(row, participant)` yields what a row records."""

    rows: QuerySet[Any]
    order: Sequence[str]
    acts_of: Callable[[Any, Participant], Iterable[Act]]


def sources_of(tenant: Tenant, *, since: datetime, until: datetime) -> Sequence[Source]:
    """Return the sources of the acts of `tenant` in [since, until)."""

    def rows_in_period(model: Any, column: str) -> QuerySet[Any]:
        rows: QuerySet[Any] = model.objects.filter(tenant_id=tenant.pk)
        return rows.filter(**{f"{column}__gte": since, f"{column}__lt": until})

    return [
        _events(rows_in_period(Event, "occurred_at")),
        _entries(rows_in_period(LedgerEntry, "created_at")),
        _claims(rows_in_period(Claim, "claimed_at")),
        _badges(rows_in_period(BadgeAward, "earned_at")),
        _tiers(rows_in_period(TierChange, "changed_at")),
        _enrolments(rows_in_period(Enrolment, "enrolled_at"), tenant),
        _ticks(tenant, since, until),
    ]


def _events(rows: Any) -> Source:
    events = rows.not_reversed().only("participant_id", "name", "properties", "occurred_at")
    return Source(
        events, ["occurred_at", "id"], lambda row, participant: [Report(row.occurred_at, row.name, row.properties)]
    )


def _entries(rows: QuerySet[Any]) -> Source:
    """Awards, deductions and corrections that were not reversed. The payment of a claim belongs to the claim."""
    undoing = LedgerEntry.objects.filter(
        tenant_id=OuterRef("tenant_id"), participant_id=OuterRef("participant_id"), reverses_id=OuterRef("pk")
    )
    types = [EntryType.AWARD, EntryType.DEDUCT, EntryType.ADJUST]
    entries = rows.filter(type__in=types, event_id__isnull=True).exclude(Exists(undoing))
    return Source(entries, ["number"], lambda row, participant: _acts_of_entry(row))


def _acts_of_entry(entry: LedgerEntry) -> Iterator[Act]:
    if entry.type == EntryType.DEDUCT:
        yield Deduction(entry.created_at, entry.amount)
    elif entry.type == EntryType.ADJUST:
        yield Adjustment(entry.created_at, entry.delta)
    elif not _is_granted(entry):
        yield Award(entry.created_at, entry.base_amount or entry.delta, entry.expires_at)


def _is_granted(row: LedgerEntry | BadgeAward) -> bool:
    """Whether a definition gave this.

    Metadata name it in rows of earlier releases, which have no actor, and where a command or a member of staff gave a badge to all who
    earned it. The metadata of what a key gave are the client's own, and say nothing.
    """
    actor = row.actor or ""
    if actor.startswith((f"{ActorKind.DEFINITION}:", f"{ActorKind.API_KEY}:")):
        return actor.startswith(f"{ActorKind.DEFINITION}:")
    source = row.metadata.get("source")
    return isinstance(source, dict) and {"type", "code"} <= source.keys()


def _claims(rows: QuerySet[Any]) -> Source:
    claims = rows.filter(source__isnull=True).exclude(status=ClaimStatus.CANCELLED)
    return Source(
        claims,
        ["claimed_at", "id"],
        lambda row, participant: [RewardClaim(row.claimed_at, row.reward_id, is_paid=row.points_deducted > 0)],
    )


def _badges(rows: QuerySet[Any]) -> Source:
    given = rows.filter(event_id__isnull=True).select_related("badge")
    return Source(given, ["earned_at", "id"], lambda row, participant: _acts_of_badge(row))


def _acts_of_badge(row: BadgeAward) -> Iterator[Act]:
    if not _is_granted(row):
        yield BadgeGift(row.earned_at, row.badge.code)


def _tiers(rows: QuerySet[Any]) -> Source:
    assigned = rows.filter(how=AwardType.MANUAL, actor__isnull=False).exclude(IS_GRANTED)
    return Source(assigned, ["number"], lambda row, participant: [TierAssignment(row.changed_at, row.code)])


def _enrolments(rows: QuerySet[Any], tenant: Tenant) -> Source:
    """Enrolments on request. Challenges with automatic enrolment enrol with the first event that counts."""
    manual = [each.id for each in challenges_in(catalog_of(tenant)).by_id.values() if not each.is_automatic]
    requested = rows.filter(challenge_id__in=manual)
    return Source(
        requested, ["enrolled_at", "id"], lambda row, participant: [Enrolling(row.enrolled_at, row.challenge_id)]
    )


def _ticks(tenant: Tenant, since: datetime, until: datetime) -> Source:
    streaks = {streak.id: streak for streak in streaks_in(catalog_of(tenant)).by_code.values()}
    rows = ParticipantStreak.objects.filter(tenant_id=tenant.pk, last_activity_at__gte=since).exclude(vouched={})

    def acts_of(row: ParticipantStreak, participant: Participant) -> Iterator[Act]:
        if streak := streaks.get(row.streak_id):
            yield from _acts_of_ticks(row, streak, participant, since, until)

    return Source(rows, ["streak_id"], acts_of)


def _acts_of_ticks(
    row: ParticipantStreak, streak: CompiledStreak, participant: Participant, since: datetime, until: datetime
) -> Iterator[Act]:
    """Yield an act for each direct tick of the period. Only its window is stored, so it happens when the window begins.

    Ticks of one window are a microsecond apart.
    """
    for window in ticked_windows(row, streak, participant):
        if window.end > since and window.start < until:
            for place in range(window.ticks):
                yield DirectTick(max(window.start, since) + timedelta(microseconds=place), streak.code)
