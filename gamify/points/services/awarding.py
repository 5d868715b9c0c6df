"""Awards of points, single and in batches. An item of a batch runs the same code as a single award."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from gamify.facts import services as facts
from gamify.facts.engine.outcomes import GrantReport
from gamify.facts.services import BatchResult, Refused, process_batch
from gamify.points.services.changes import Change
from gamify.points.services.entries import CreditResult, credit
from gamify.tiers.selectors import current_tier, ladder_of
from gamify.tiers.services import TierUpgrade, highest_upgrade
from participants.errors import DomainError, InvalidInput
from participants.models import Tenant
from participants.secrets import keyed_hashes
from participants.work import (
    OMIT_IF_NONE,
    IdempotencyRequest,
    UnitOfWork,
    answer_from,
    restartable,
    result_from,
    unit_of_work,
)

AWARD = "points.award"
AWARD_BATCH = "points.award-batch"


@dataclass(frozen=True)
class AwardResult:
    """The answer to an award.

    `amount` is what was credited: the requested `base_amount` × `multiplier`. Both are None if nothing multiplied the award.
    """

    transaction_id: UUID
    participant_id: str
    amount: int
    new_balance: int
    base_amount: int | None = field(default=None, metadata=OMIT_IF_NONE)
    multiplier: Decimal | None = field(default=None, metadata=OMIT_IF_NONE)
    tier_upgrade: TierUpgrade | None = None
    badges_unlocked: Sequence[Mapping[str, str]] = ()
    is_replay: bool = False


@restartable
def award(*, tenant: Tenant, change: Change, now: datetime) -> AwardResult:
    """Credit one participant. Raises: BalanceLimit, IdempotencyKeyReused, InvalidInput if `expires_at` is in the past."""
    with unit_of_work(
        tenant, [change.participant_id], now=now, idempotency_requests=[change.idempotency(AWARD)]
    ) as work:
        return _award(work, change)


@restartable
def award_batch(
    *,
    tenant: Tenant,
    changes: Sequence[Change],
    refused: Mapping[int, DomainError],
    key: str | None,
    now: datetime,
) -> BatchResult[AwardResult]:
    """Credit many participants in one unit of work. Each item succeeds or fails on its own.

    `refused` as in `process_batch`. `key` is the idempotency key of the whole batch.

    Raises: IdempotencyKeyReused.
    """
    idempotency = _batch_idempotency(key, changes) if key else None
    idempotency_requests = [idempotency, *(change.idempotency(AWARD) for change in changes)]
    with unit_of_work(
        tenant, [change.participant_id for change in changes], now=now, idempotency_requests=idempotency_requests
    ) as work:
        if (answer := work.stored_answer(idempotency)) is not None:
            return BatchResult(list(map(_item_from, answer, changes)), is_replay=True)
        batch = process_batch(changes, lambda change: _award(work, change), refused=refused)
        if batch.processed:
            work.store_answer(idempotency, [answer_from(result) for result in batch.results])
        return batch


def _batch_idempotency(key: str, changes: Sequence[Change]) -> IdempotencyRequest:
    """The idempotency request of a whole batch, which belongs to no participant.

    Its digest is keyed with the product's secret. The row outlives the participants, and a plain digest of their ids could
    be guessed after they were erased.
    """
    content = json.dumps([[change.participant_id, change.amount] for change in changes])
    digest, *former = keyed_hashes(content, purpose=AWARD_BATCH)
    return IdempotencyRequest(AWARD_BATCH, key, digest=digest, external_id=None, former_digests=tuple(former))


def _item_from(answer: Mapping[str, object], change: Change) -> AwardResult | Refused:
    if "error" in answer:
        return result_from(Refused, answer, participant_id=change.participant_id)
    return result_from(AwardResult, answer, participant_id=change.participant_id)


def _award(work: UnitOfWork, change: Change) -> AwardResult:
    idempotency = change.idempotency(AWARD)
    if (answer := work.stored_answer(idempotency)) is not None:
        return result_from(AwardResult, answer, participant_id=change.participant_id)
    if change.expires_at is not None and change.expires_at <= work.now:
        raise InvalidInput("expires_at", "Must be in the future.")
    participant = work.participant(change.participant_id)
    earlier = current_tier(ladder_of(work.catalog), participant)
    credited = credit(work, participant, change.amount, note=change.note, expires_at=change.expires_at)
    granted = facts.publish_changes(work, participant, now=work.now)
    awarded = AwardResult(
        transaction_id=credited.entry.id,
        participant_id=change.participant_id,
        amount=credited.entry.delta,
        new_balance=participant.balance,
        base_amount=credited.entry.base_amount,
        multiplier=credited.entry.multiplier,
        tier_upgrade=highest_upgrade(work, _tiers_reached(credited, granted), earlier),
        badges_unlocked=_badges_unlocked(granted),
    )
    work.store_answer(idempotency, answer_from(awarded))
    return awarded


def _tiers_reached(credited: CreditResult, granted: Sequence[GrantReport]) -> Sequence[str]:
    """Codes of the tiers that were reached by points: through the award itself, and through grants that it caused."""
    direct = [] if credited.upgrade is None else [credited.upgrade.code]
    return direct + [str(given.code) for given in granted if given.type == given.source.type == "tier"]


def _badges_unlocked(granted: Sequence[GrantReport]) -> Sequence[Mapping[str, str]]:
    return [{"code": str(given.code), "name": given.name} for given in granted if given.type == "badge"]
