"""Import of past ticks. An invalid tick is refused alone; the others are recorded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gamify.facts import services as facts
from gamify.facts.engine.instants import check_instant
from participants.catalog import Catalog, catalog_of
from participants.engine import external_id_problem
from participants.errors import DomainError, InvalidInput
from participants.models import Tenant
from participants.work import IdempotencyRequest, UnitOfWork, restartable, unit_of_work
from streaks.services.counting import count_tick
from streaks.services.recording import Tick, loads_of_codes, recordable_streak

BACKFILL = "streaks.backfill"


@dataclass(frozen=True)
class TickImport:
    """The result of importing one tick. `is_repeat`: its window was satisfied before, or the same tick was imported before."""

    is_repeat: bool = False
    refusal: DomainError | None = None


Then = Callable[[UnitOfWork, Sequence[TickImport]], None]


@restartable
def record_history(
    *,
    tenant: Tenant,
    ticks: Sequence[Tick],
    now: datetime,
    is_silent: bool = True,
    is_dry_run: bool = False,
    gives_rewards: bool = True,
    then: Then | None = None,
) -> Sequence[TickImport]:
    """Record past ticks in one unit of work. Each tick that `record` would refuse is refused alone.

    The same tick (participant, streak and instant) counts once, also across calls. `gives_rewards`: milestones grant their
    rewards; if false, milestones that are reached now count as paid and never grant one. `then` is called with the results
    before the unit ends, so that it can write in the same transaction. If the unit is restarted, `then` is called again.

    Returns one result per tick, in the order of `ticks`.
    """
    catalog = catalog_of(tenant)
    checked = [_check(tick, catalog, now=now) for tick in ticks]
    accepted = [each for each in checked if each.refusal is None]
    with unit_of_work(
        tenant,
        {each.tick.participant_id for each in accepted},
        now=now,
        idempotency_requests=[each.idempotency for each in accepted],
        loads=loads_of_codes(catalog, {each.tick.streak_code for each in accepted}),
        is_silent=is_silent,
        is_dry_run=is_dry_run,
    ) as work:
        results = [_import_tick(work, each, gives_rewards=gives_rewards) for each in checked]
        if then is not None:
            then(work, results)
        return results


@dataclass(frozen=True)
class _CheckedTick:
    """A tick with its refusal, if any, and its idempotency request.

    The request is None if one tick satisfies a window, because a repeated tick has no effect then.
    """

    tick: Tick
    idempotency: IdempotencyRequest | None = None
    refusal: DomainError | None = None


def _check(tick: Tick, catalog: Catalog, *, now: datetime) -> _CheckedTick:
    try:
        if problem := external_id_problem(tick.participant_id):
            raise InvalidInput("participant_id", problem)
        check_instant(tick.at, now=now)
        streak = recordable_streak(catalog, tick.streak_code)
    except DomainError as refusal:
        return _CheckedTick(tick, refusal=refusal)
    if streak.terms.rules.condition.is_any_tick:
        return _CheckedTick(tick)
    key = f"{tick.streak_code}:{tick.at.astimezone(UTC).isoformat()}"
    request = IdempotencyRequest(BACKFILL, key, digest=tick.streak_code, external_id=tick.participant_id)
    return _CheckedTick(tick, request)


def _import_tick(work: UnitOfWork, item: _CheckedTick, *, gives_rewards: bool) -> TickImport:
    if item.refusal is not None:
        return TickImport(refusal=item.refusal)
    if work.stored_answer(item.idempotency) is not None:
        return TickImport(is_repeat=True)
    tick = item.tick
    participant = work.participant(tick.participant_id)
    streak = recordable_streak(work.catalog, tick.streak_code)
    counted = count_tick(work, participant, streak, at=tick.at, adds_to_satisfied=False, is_direct=True, is_seen=False)
    if gives_rewards:
        facts.publish_changes(work, participant, counted.outcomes, now=work.now, at=tick.at)
    work.store_answer(item.idempotency, {})
    return TickImport(is_repeat=counted.result.was_satisfied)
