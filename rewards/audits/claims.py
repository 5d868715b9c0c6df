"""Audits all claims of a tenant, participant by participant: payments, refunds and counters."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from gamify.points.models import EntryType, LedgerEntry
from participants.auditing import (
    Audit,
    Drift,
    ProgressReporter,
    count_rows,
    group_with_participants,
    orphan_drift,
    stream_rows,
)
from participants.models import Participant, Tenant
from rewards.models import Claim, ClaimStatus, RewardTally

TALLIES, ENTRIES, CLAIM_ROWS = 1, 2, 3
HANDED_OUT = (ClaimStatus.CLAIMED, ClaimStatus.FULFILLED)
CLAIM_ENTRIES = (EntryType.CLAIM, EntryType.REFUND)


class _Claim(NamedTuple):
    participant_id: UUID
    id: UUID
    reward_id: UUID
    status: str
    points_deducted: int
    entry_id: UUID | None
    refund_id: UUID | None


class _Entry(NamedTuple):
    """A ledger entry that pays for a claim, or that refunds one."""

    participant_id: UUID
    id: UUID
    type: str
    delta: int
    reverses_id: UUID | None


def _size(tenant: Tenant) -> int:
    entries = LedgerEntry.objects.filter(tenant_id=tenant.pk, type__in=CLAIM_ENTRIES)
    return count_rows(Participant, RewardTally, Claim)(tenant) + entries.count()


def _find(tenant: Tenant, report_progress: ProgressReporter) -> Iterator[Drift]:
    of_tenant = {"tenant_id": tenant.pk}
    tallies = RewardTally.objects.filter(**of_tenant).order_by("participant_id")
    entries = LedgerEntry.objects.filter(**of_tenant, type__in=CLAIM_ENTRIES).order_by("participant_id", "number")
    claims = Claim.objects.filter(**of_tenant).order_by("participant_id", "pk")
    streams = (
        stream_rows(tallies.values_list("participant_id", "reward_id", "claims"), report_progress),
        map(_Entry._make, stream_rows(entries.values_list(*_Entry._fields), report_progress)),
        map(_Claim._make, stream_rows(claims.values_list(*_Claim._fields), report_progress)),
    )
    for participant_id, totals, rows in group_with_participants(
        tenant, ["external_id", "rewards_claimed"], *streams, report_progress=report_progress
    ):
        if totals is None:
            yield orphan_drift(participant_id, "claims", rows)
        else:
            yield from _check_participant(f"participant {totals[0]}", totals[1], rows)


def _check_participant(about: str, rewards_claimed: int, rows: Iterator[tuple[int, Any]]) -> Iterator[Drift]:
    by_stream: defaultdict[int, list[Any]] = defaultdict(list)
    for number, row in rows:
        by_stream[number].append(row)
    claims: Sequence[_Claim] = by_stream[CLAIM_ROWS]
    yield from _check_money(about, claims, {entry.id: entry for entry in by_stream[ENTRIES]})
    yield from _check_tallies(about, claims, {row[1]: row[2] for row in by_stream[TALLIES]})
    handed_out = sum(claim.status in HANDED_OUT for claim in claims)
    if rewards_claimed != handed_out:
        yield Drift(about, "rewards_claimed", handed_out, rewards_claimed)


def _check_money(about: str, claims: Iterable[_Claim], entries: Mapping[UUID, _Entry]) -> Iterator[Drift]:
    references: Counter[UUID | None] = Counter()
    for claim in claims:
        references.update((claim.entry_id, claim.refund_id))
        yield from _check_payment(f"{about}, claim {claim.id}", claim, entries)
        yield from _check_refund(f"{about}, claim {claim.id}", claim, entries)
    for entry in entries.values():
        if references[entry.id] != 1:
            yield Drift(f"{about}, entry {entry.id}", f"claims of a {entry.type}", 1, references[entry.id])


def _check_payment(about: str, claim: _Claim, entries: Mapping[UUID, _Entry]) -> Iterator[Drift]:
    entry = entries.get(claim.entry_id) if claim.entry_id else None
    if claim.entry_id and (entry is None or entry.type != EntryType.CLAIM):
        yield Drift(about, "entry", "a ledger entry of type claim", claim.entry_id)
    elif claim.points_deducted != (paid := -entry.delta if entry else 0):
        yield Drift(about, "points_deducted", paid, claim.points_deducted)


def _check_refund(about: str, claim: _Claim, entries: Mapping[UUID, _Entry]) -> Iterator[Drift]:
    """A cancelled claim that cost points must have a refund, and no other claim may have one."""
    is_due = claim.status == ClaimStatus.CANCELLED and claim.entry_id is not None
    if is_due != (claim.refund_id is not None):
        yield Drift(about, "refund", "one" if is_due else None, claim.refund_id)
    elif claim.refund_id:
        entry = entries.get(claim.refund_id)
        if entry is None or entry.type != EntryType.REFUND or entry.reverses_id != claim.entry_id:
            yield Drift(about, "refund", f"one of {claim.entry_id}", claim.refund_id)


def _check_tallies(about: str, claims: Iterable[_Claim], tallies: Mapping[UUID, int]) -> Iterator[Drift]:
    counted = Counter(claim.reward_id for claim in claims if claim.status != ClaimStatus.CANCELLED)
    for reward_id in sorted(tallies.keys() | counted.keys()):
        if (stored := tallies.get(reward_id, 0)) != counted[reward_id]:
            yield Drift(f"{about}, reward {reward_id}", "tally", counted[reward_id], stored)


CLAIMS = Audit(_size, _find)
