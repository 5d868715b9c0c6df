"""How participants stood when the period began."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, Sum

from gamify.badges.models import BadgeAward
from gamify.challenges.models import Enrolment
from gamify.points.models import EntryType, LedgerEntry
from gamify.tiers.models import AwardType, TierChange
from participants.database import new_instance
from participants.models import Participant, Tenant
from participants.work import Load, UnitOfWork
from rewards.models import Claim, ClaimStatus, RewardTally

TODAY = ("attributes", "timezone", "past_zones", "visible", "is_active")
ROWS: Mapping[Any, str] = {BadgeAward: "badge_id", RewardTally: "reward_id", Enrolment: "challenge_id"}
"""The models whose rows of a participant a unit indexes by this column."""

READ_AT_ONCE = 2_000
"""Histories are read in pieces, because a batch of participants limits only what they did in the period."""


@dataclass
class Standing:
    """Points, tier, and rows of the models in ROWS, of one participant."""

    balance: int = 0
    earned: int = 0
    tier_code: str | None = None
    tier_is_manual: bool = False
    rewards_claimed: int = 0
    rows: list[Any] = field(default_factory=list)


def put(work: UnitOfWork, person: Participant, standing: Standing) -> Participant:
    """Return a new participant in memory who is like `person` today, and stands as they stood."""
    participant = work.participant(person.external_id)
    for name in TODAY:
        setattr(participant, name, getattr(person, name))
    participant.balance, participant.total_earned = standing.balance, standing.earned
    participant.total_spent = standing.earned - standing.balance
    participant.tier_code, participant.tier_is_manual = standing.tier_code, standing.tier_is_manual
    participant.rewards_claimed = standing.rewards_claimed
    work.index(_indexed(standing.rows, participant))
    return participant


def _indexed(rows: Sequence[Any], participant: Participant) -> Iterator[tuple[Load, Sequence[Any]]]:
    for row in rows:
        column = ROWS[type(row)]
        lent = copy(row)
        lent.participant_id = participant.pk
        yield Load(type(row), column, ()), [lent]


def standings(tenant: Tenant, people: Sequence[Participant], *, since: datetime) -> Mapping[UUID, Standing]:
    """Return how `people` stood at `since`, by id."""
    found = {person.pk: Standing() for person in people}
    rows = _Rows(tenant, since, list(found))
    moved = {row["participant_id"]: (row["moved"], row["earned"]) for row in rows.moved()}
    for person in people:
        delta, earned = moved.get(person.pk, (0, 0))
        standing = found[person.pk]
        standing.balance = max(person.balance - delta, 0)
        standing.earned = max(person.total_earned - earned, standing.balance)
    for change in rows.tier_changes():
        found[change.participant_id].tier_code = change.code
        found[change.participant_id].tier_is_manual = change.how == AwardType.MANUAL
    for tally in rows.tallies():
        found[tally.participant_id].rewards_claimed += tally.claims
        found[tally.participant_id].rows.append(tally)
    for row in [*rows.badges(), *rows.enrolments()]:
        found[row.participant_id].rows.append(row)
    return found


_ABOUT = ("tenant_id", "participant_id", "reward_id")
_PERIOD = ("multiplier", "active_from", "active_until")


@dataclass(frozen=True)
class _Rows:
    tenant: Tenant
    since: datetime
    ids: Sequence[UUID]

    def _of(self, model: Any) -> Any:
        return model.objects.filter(tenant_id=self.tenant.pk, participant_id__in=self.ids)

    def moved(self) -> Any:
        """How balance and earned points have changed since."""
        entries = self._of(LedgerEntry).filter(created_at__gte=self.since)
        is_earned = Q(type__in=[EntryType.AWARD, EntryType.ADJUST]) | Q(type=EntryType.REVERSAL, delta__lt=0)
        earned = Sum("delta", filter=is_earned, default=0)
        return entries.order_by().values("participant_id").annotate(moved=Sum("delta"), earned=earned)

    def tier_changes(self) -> Any:
        changes = self._of(TierChange).filter(changed_at__lt=self.since).order_by("number")
        return changes.only("participant_id", "code", "how").iterator(READ_AT_ONCE)

    def badges(self) -> Any:
        return self._of(BadgeAward).filter(earned_at__lt=self.since)

    def enrolments(self) -> Iterator[Enrolment]:
        """Those that were completed before, and those under way. What has been counted since is not known, so these begin at nothing."""
        for row in self._of(Enrolment).filter(enrolled_at__lt=self.since):
            if row.completed_at is None or row.completed_at >= self.since:
                yield new_instance(
                    Enrolment,
                    id=row.pk,
                    tenant_id=row.tenant_id,
                    participant_id=row.participant_id,
                    challenge_id=row.challenge_id,
                    enrolled_at=row.enrolled_at,
                )
            else:
                yield row

    def tallies(self) -> Sequence[RewardTally]:
        """The numbers of claims, with the multiplier of the newest one."""
        claims = self._of(Claim).filter(claimed_at__lt=self.since).exclude(status=ClaimStatus.CANCELLED)
        tallies: dict[tuple[UUID, UUID], RewardTally] = {}
        counts: defaultdict[tuple[UUID, UUID], int] = defaultdict(int)
        for claim in claims.order_by("claimed_at", "pk").only(*_ABOUT, *_PERIOD).iterator(READ_AT_ONCE):
            key = claim.participant_id, claim.reward_id
            counts[key] += 1
            about = {name: getattr(claim, name) for name in _ABOUT}
            period = {name: getattr(claim, name) for name in _PERIOD}
            tallies[key] = new_instance(RewardTally, claims=counts[key], **about, **period)
        return list(tallies.values())
