"""Limits of sums: how much one event, and all events of one participant, may add. A board refuses an amount beyond them."""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from gamify.facts.models import Event
from gamify.facts.services import Fact
from gamify.leaderboards.engine.measures import DOMAIN, LARGE_AMOUNT, LARGE_SUM, MAX_AMOUNT, MAX_SUM, Measure
from gamify.leaderboards.engine.ranking.places import split_score
from gamify.leaderboards.models import LargeSum
from gamify.leaderboards.selectors.history import amounts_in_history, refused_measure_keys
from participants.models import Participant, Tenant
from participants.work import Load, UnitOfWork

TOO_LARGE = "the amount exceeds 10^15, the most that one event may add"
TOO_MUCH = "the sum would exceed 10^18, the most that one participant may have"


def large_sum_loads(measures: Iterable[Measure]) -> list[Load]:
    """The loads for the rows that `count_or_refuse` reads."""
    keys = tuple(dict.fromkeys(measure.key for measure in measures if measure.is_property_sum))
    return [Load(LargeSum, "measure", keys)] if keys else []


def count_or_refuse(work: UnitOfWork, fact: Fact, measure: Measure) -> str | None:
    """Count the amount of an event in the participant's `LargeSum`, or return the reason why boards refuse it.

    Returns None if boards count the amount. The row is created at the first large amount. Without a row the sum is far below
    the limit: small amounts would need 10^8 events to reach it.
    """
    amount = measure.unlimited_amount(fact.properties)
    if not amount:
        return None
    if amount > MAX_AMOUNT:
        return _refuse(work, fact, measure, TOO_LARGE)
    work.load(large_sum_loads([measure]))
    row = work.row(LargeSum, fact.participant, measure.key)
    if row is None and amount <= LARGE_AMOUNT:
        _note_small(work, fact.participant, measure, amount)
        return None
    row = row or _new_row(work, fact.participant, measure)
    if row.total + amount > MAX_SUM:
        return _refuse(work, fact, measure, TOO_MUCH)
    row.total += amount
    work.change(row, "carry", "score")
    return None


def _refuse(work: UnitOfWork, fact: Fact, measure: Measure, reason: str) -> str:
    work.cache.setdefault(_key(str(fact.event_id)), set()).add(measure.key)
    return reason


def refused_measures(work: UnitOfWork, event_id: str) -> Collection[str]:
    """The keys of the measures that refused this event in this unit of work."""
    found: Collection[str] = work.cache.get(_key(event_id), ())
    return found


def _key(event_id: str) -> tuple[str, str]:
    return DOMAIN, event_id


def _note_small(work: UnitOfWork, participant: Participant, measure: Measure, amount: int) -> None:
    """Remember a small amount in the cache of the unit.

    `_new_row` adds it if this unit creates the participant's row later: the database does not contain this amount yet.
    """
    key = DOMAIN, participant.pk, measure.key
    work.cache[key] = work.cache.get(key, 0) + amount


def _new_row(work: UnitOfWork, participant: Participant, measure: Measure) -> LargeSum:
    row = LargeSum(tenant_id=work.tenant.pk, participant_id=participant.pk, measure=measure.key)
    row.total = work.cache.get((DOMAIN, participant.pk, measure.key), 0)
    if not participant.is_new:
        row.total += sum(each.amount for each in amounts_in_history(work.tenant, [participant], measure))
    work.add(row)
    return row


def take_back(work: UnitOfWork, participant: Participant, event: Event, measure: Measure) -> int:
    """Subtract a reversed event from the participant's `LargeSum`. Returns the amount that it had added, in units of the measure."""
    if measure.key in refused_measure_keys(event.undo_notes_of(DOMAIN)):
        return 0
    amount = measure.amount(event.properties)
    work.load(large_sum_loads([measure]))
    if measure.is_property_sum and (row := work.row(LargeSum, participant, measure.key)) is not None:
        row.total -= amount
        work.change(row, "carry", "score")
    return amount


def replace_large_sums(tenant: Tenant, measure: Measure, totals: Mapping[UUID, int]) -> None:
    """Replace the rows of locked participants by rows for those sums that are large.

    `totals` are their sums from the history, by participant id, in units of the measure.
    """
    LargeSum.objects.filter(tenant_id=tenant.pk, measure=measure.key, participant_id__in=totals).delete()
    large = {participant_id: split_score(total) for participant_id, total in totals.items() if total > LARGE_SUM}
    LargeSum.objects.bulk_create(
        LargeSum(tenant_id=tenant.pk, participant_id=participant_id, measure=measure.key, carry=carry, score=rest)
        for participant_id, (carry, rest) in large.items()
    )
