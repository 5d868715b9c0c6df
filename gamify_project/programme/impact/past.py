"""What happened in the past days: events of clients and direct awards, participant by participant, with bounded memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, Sum

from gamify.badges.models import BadgeAward
from gamify.facts.models import Event
from gamify.points.models import EntryType, LedgerEntry
from gamify.tiers.models import TierChange
from participants.models import Participant, Tenant

PARTICIPANTS_PER_PAGE = 500
ACTS_PER_BATCH = 2_000
ACTS_PER_PARTICIPANT = 5_000
STANDING = ("external_id", "attributes", "timezone", "past_zones", "visible", "is_active", "balance", "total_earned")


@dataclass(frozen=True)
class Act:
    """An event with its properties, or a direct award of `points`."""

    at: datetime
    name: str = ""
    properties: Any = None
    points: int = 0


@dataclass(frozen=True)
class Person:
    """A participant as they are today, with points, tier and badges as they were when the period began."""

    row: Participant
    balance: int
    earned: int
    tier_code: str | None
    badges: frozenset[str]
    acts: Sequence[Act]


class Past:
    """The acts of the participants of `tenant` in [since, until). `is_cut` if some were left out because there were too many."""

    def __init__(self, tenant: Tenant, *, since: datetime, until: datetime, max_events: int | None) -> None:
        self.is_cut = False
        self._tenant = tenant
        self._since = since
        self._left = max_events
        self._events = Event.objects.filter(
            tenant_id=tenant.pk, occurred_at__gte=since, occurred_at__lt=until
        ).not_reversed()
        entries = LedgerEntry.objects.filter(tenant_id=tenant.pk, created_at__gte=since, created_at__lt=until)
        self._awards = entries.filter(type=EntryType.AWARD, event_id__isnull=True)

    def batches(self) -> Iterator[Sequence[Person]]:
        """Yield the participants who did something, in batches of a few thousand acts."""
        for page in self._pages():
            counts = self._counts(page)
            for people in _split([person for person in page if person.pk in counts], counts):
                if self._left == 0:
                    self.is_cut = True
                    return
                yield self._people(people)

    def _pages(self) -> Iterator[list[Participant]]:
        everyone = Participant.objects.of(self._tenant).only(*STANDING).order_by("external_id")
        last = ""
        while page := list(everyone.filter(external_id__gt=last)[:PARTICIPANTS_PER_PAGE]):
            yield page
            last = page[-1].external_id

    def _counts(self, page: Sequence[Participant]) -> Mapping[UUID, int]:
        counts: dict[UUID, int] = {}
        for rows in (self._events, self._awards):
            theirs = rows.filter(participant_id__in=[person.pk for person in page]).order_by()
            for person, number in theirs.values_list("participant_id").annotate(Count("id")):
                counts[person] = counts.get(person, 0) + number
        return counts

    def _people(self, rows: Sequence[Participant]) -> list[Person]:
        ids = [row.pk for row in rows]
        acts, moved, tiers, badges = self._acts(ids), self._moved(ids), self._tiers(ids), self._badges(ids)
        return [self._person(row, acts[row.pk], moved, tiers, badges) for row in rows]

    def _person(self, row: Participant, acts: Sequence[Act], moved: Any, tiers: Any, badges: Any) -> Person:
        delta, awarded = moved.get(row.pk, (0, 0))
        balance = max(row.balance - delta, 0)
        earned = max(row.total_earned - awarded, balance)
        return Person(row, balance, earned, tiers.get(row.pk), frozenset(badges.get(row.pk, ())), acts)

    def _acts(self, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Act]]:
        """Return the acts by participant, in the order in which they happened."""
        acts: dict[UUID, list[Act]] = {participant_id: [] for participant_id in ids}
        limit = max(ACTS_PER_BATCH, ACTS_PER_PARTICIPANT) + 1
        events = self._events.filter(participant_id__in=ids).order_by("participant_id", "occurred_at", "id")
        for event in events.only("participant_id", "name", "properties", "occurred_at")[:limit]:
            if self._take():
                acts[event.participant_id].append(Act(event.occurred_at, event.name, event.properties))
        for entry in self._awards.filter(participant_id__in=ids).order_by("participant_id", "number")[:limit]:
            if not _is_granted(entry):
                acts[entry.participant_id].append(Act(entry.created_at, points=entry.base_amount or entry.delta))
        return {person: self._first(sorted(theirs, key=lambda act: act.at)) for person, theirs in acts.items()}

    def _take(self) -> bool:
        """Count an event. Return whether it may still be played."""
        if self._left is None:
            return True
        if self._left == 0:
            self.is_cut = True
            return False
        self._left -= 1
        return True

    def _first(self, acts: Sequence[Act]) -> Sequence[Act]:
        self.is_cut = self.is_cut or len(acts) > ACTS_PER_PARTICIPANT
        return acts[:ACTS_PER_PARTICIPANT]

    # --- how participants stood when the period began

    def _moved(self, ids: Sequence[UUID]) -> Mapping[UUID, tuple[int, int]]:
        """Return by participant how their balance and their earned points have changed since."""
        entries = LedgerEntry.objects.filter(
            tenant_id=self._tenant.pk, participant_id__in=ids, created_at__gte=self._since
        )
        awarded = Sum("delta", filter=Q(type=EntryType.AWARD), default=0)
        rows = entries.order_by().values("participant_id").annotate(moved=Sum("delta"), awarded=awarded)
        return {row["participant_id"]: (row["moved"], row["awarded"]) for row in rows}

    def _tiers(self, ids: Sequence[UUID]) -> Mapping[UUID, str]:
        changes = TierChange.objects.filter(
            tenant_id=self._tenant.pk, participant_id__in=ids, changed_at__lt=self._since
        )
        return dict(changes.order_by("number").values_list("participant_id", "code"))

    def _badges(self, ids: Sequence[UUID]) -> Mapping[UUID, set[str]]:
        earned = BadgeAward.objects.filter(tenant_id=self._tenant.pk, participant_id__in=ids, earned_at__lt=self._since)
        badges: dict[UUID, set[str]] = {}
        for person, code in earned.values_list("participant_id", "badge__code"):
            badges.setdefault(person, set()).add(code)
        return badges


def _split(people: Sequence[Participant], counts: Mapping[UUID, int]) -> Iterator[list[Participant]]:
    """Split `people` into batches with about ACTS_PER_BATCH acts."""
    batch: list[Participant] = []
    acts = 0
    for person in people:
        if batch and acts + counts[person.pk] > ACTS_PER_BATCH:
            yield batch
            batch, acts = [], 0
        batch.append(person)
        acts += counts[person.pk]
    if batch:
        yield batch


def _is_granted(entry: LedgerEntry) -> bool:
    """Whether a definition granted the points. The replay decides again about these."""
    source = entry.metadata.get("source")
    return isinstance(source, dict) and {"type", "code"} <= source.keys()
