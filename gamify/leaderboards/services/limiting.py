"""What one event, and all events of one participant, may add to a sum: the board refuses an amount beyond that."""

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
TOO_MUCH = "the sum would exceed 10^18, the most that one participant may come to"


def large_sum_loads(measures: Iterable[Measure]) -> list[Load]:
    """The rows that `refusal` needs."""
    keys = tuple(dict.fromkeys(measure.key for measure in measures if measure.is_property_sum))
    return [Load(LargeSum, "measure", keys)] if keys else []


def count_or_refuse(work: UnitOfWork, fact: Fact, measure: Measure) -> str | None:
    """Why boards refuse what an event adds to a sum, or None if they count it.

    Counts the amount in the participant's row, if there is one, and begins the row at the first large amount. Without a row
    the sum is far from the limit: only 10^8 events could reach it with small amounts.
    """
    amount = measure.unlimited_amount(fact.properties)
    if not amount:
        return None
    if amount > MAX_AMOUNT:
        return _refused(work, fact, measure, TOO_LARGE)
    work.load(large_sum_loads([measure]))
    row = work.row(LargeSum, fact.participant, measure.key)
    if row is None and amount <= LARGE_AMOUNT:
        _note_small(work, fact.participant, measure, amount)
        return None
    row = row or _new_row(work, fact.participant, measure)
    if row.total + amount > MAX_SUM:
        return _refused(work, fact, measure, TOO_MUCH)
    row.total += amount
    work.change(row, "carry", "score")
    return None


def _refused(work: UnitOfWork, fact: Fact, measure: Measure, reason: str) -> str:
    work.cache.setdefault(_key(str(fact.event_id)), set()).add(measure.key)
    return reason


def refused_measures(work: UnitOfWork, event_id: str) -> Collection[str]:
    """Keys of the measures that refused this event of the unit."""
    found: Collection[str] = work.cache.get(_key(event_id), ())
    return found


def _key(event_id: str) -> tuple[str, str]:
    return DOMAIN, event_id


def _note_small(work: UnitOfWork, participant: Participant, measure: Measure, amount: int) -> None:
    """A row that begins later in this unit cannot find this amount in the database."""
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
    """How much an event that is reversed added to a measure, in units; the participant's row counts it no more."""
    if measure.key in refused_measure_keys(event.undo_notes_of(DOMAIN)):
        return 0
    amount = measure.amount(event.properties)
    work.load(large_sum_loads([measure]))
    if measure.is_property_sum and (row := work.row(LargeSum, participant, measure.key)) is not None:
        row.total -= amount
        work.change(row, "carry", "score")
    return amount


def replace_large_sums(tenant: Tenant, measure: Measure, totals: Mapping[UUID, int]) -> None:
    """Begin the rows of locked participants anew, whose sums were counted from the history: a row for each sum that is large."""
    LargeSum.objects.filter(tenant_id=tenant.pk, measure=measure.key, participant_id__in=totals).delete()
    large = {who: split_score(total) for who, total in totals.items() if total > LARGE_SUM}
    LargeSum.objects.bulk_create(
        LargeSum(tenant_id=tenant.pk, participant_id=who, measure=measure.key, carry=carry, score=rest)
        for who, (carry, rest) in large.items()
    )
