"""Direct ticks: ticks that a client records without an event."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gamify.facts import services as facts
from gamify.facts.engine.instants import check_instant
from gamify.facts.engine.outcomes import Outcome
from participants.catalog import Catalog, catalog_of
from participants.errors import DomainError
from participants.models import Participant, Tenant
from participants.work import (
    IdempotencyRequest,
    Load,
    UnitOfWork,
    answer_from,
    restartable,
    result_from,
    unit_of_work,
)
from streaks.engine.ticking import TickResult
from streaks.selectors import CompiledStreak, streaks_in
from streaks.services.counting import active_streak, count_tick, loads_for

RECORD = "streaks.record"


class StreakNeedsEvents(DomainError):
    code = "streak_needs_events"
    text = "Streak '{}' advances through events only: it looks at what they carry"


@dataclass(frozen=True)
class RecordResult:
    """The answer to a recorded tick. `new_count` is the length of the live run, else of the run with the tick's window."""

    streak_code: str
    new_count: int
    longest_count: int
    is_new_record: bool
    already_recorded: bool
    is_replay: bool = False


@dataclass(frozen=True)
class Tick:
    """One direct tick."""

    participant_id: str
    streak_code: str
    at: datetime


@restartable
def record(
    *, tenant: Tenant, participant_id: str, streak_code: str, at: datetime, key: str | None = None, now: datetime
) -> RecordResult:
    """Record a tick at the instant `at`. `key` is an idempotency key.

    Raises: StreakNotFound, StreakInactive, StreakNeedsEvents, InvalidInput, IdempotencyKeyReused.
    """
    idempotency = IdempotencyRequest(RECORD, key, digest=streak_code, external_id=participant_id) if key else None
    loads = loads_of_codes(catalog_of(tenant), [streak_code])
    with unit_of_work(tenant, [participant_id], now=now, idempotency_requests=[idempotency], loads=loads) as work:
        if (answer := work.stored_answer(idempotency)) is not None:
            return result_from(RecordResult, answer)
        check_instant(at, now=now)
        recorded = record_in_unit(work, Tick(participant_id, streak_code, at))
        work.store_answer(idempotency, answer_from(recorded))
        return recorded


@restartable
def record_many(*, tenant: Tenant, ticks: Sequence[Tick], now: datetime) -> Sequence[RecordResult]:
    """Record many ticks in one unit of work, all or none. Call it with chunks of about a hundred participants.

    A repeated chunk changes nothing if one tick satisfies a window. Returns one result per tick, in the order of `ticks`.

    Raises: what `record` raises.
    """
    if not ticks:
        return []
    for each in ticks:
        check_instant(each.at, now=now)
    loads = loads_of_codes(catalog_of(tenant), {each.streak_code for each in ticks})
    with unit_of_work(tenant, [each.participant_id for each in ticks], now=now, loads=loads) as work:
        return [record_in_unit(work, each) for each in ticks]


def loads_of_codes(catalog: Catalog, codes: Iterable[str]) -> list[Load]:
    """The loads of a unit that records ticks of the streaks with these codes.

    Unknown codes are ignored here and refused after the idempotency key was checked. So a retry gets its first answer even if
    the streak is gone.
    """
    known = streaks_in(catalog).by_code
    streaks = [known[code] for code in sorted(codes) if code in known]
    return loads_for(streaks)


def record_in_unit(work: UnitOfWork, tick: Tick) -> RecordResult:
    """Record a tick in a unit that was opened with `loads_of_codes`. Raises: what `record` raises, before it has changed anything."""
    streak = recordable_streak(work.catalog, tick.streak_code)
    participant = work.participant(tick.participant_id)
    counted = count_tick(work, participant, streak, at=tick.at, adds_to_satisfied=False, is_direct=True)
    facts.publish_changes(work, participant, counted.outcomes, now=work.now, at=tick.at)
    return _result_of(streak, counted.result)


def grant_tick(
    work: UnitOfWork, participant: Participant, streak_code: str, *, at: datetime, is_direct: bool
) -> Sequence[Outcome]:
    """Record a tick in an open unit of work, as the grant of a rule. `is_direct`: the grant does not belong to an event.

    Returns the outcomes, such as rewards of milestones.

    Raises: StreakNotFound, StreakInactive, StreakNeedsEvents. Nothing has changed then.
    """
    streak = recordable_streak(work.catalog, streak_code)
    return count_tick(work, participant, streak, at=at, adds_to_satisfied=False, is_direct=is_direct).outcomes


def recordable_streak(catalog: Catalog, code: str) -> CompiledStreak:
    """The active streak with this code, if ticks without an event can advance it.

    Raises: StreakNotFound, StreakInactive, StreakNeedsEvents.
    """
    streak = active_streak(catalog, code)
    if streak.terms.rules.condition.needs_events:
        raise StreakNeedsEvents(code)
    return streak


def _result_of(streak: CompiledStreak, result: TickResult) -> RecordResult:
    return RecordResult(
        streak_code=streak.code,
        new_count=result.count,
        longest_count=result.after.longest,
        is_new_record=result.is_new_record,
        already_recorded=result.was_satisfied,
    )
