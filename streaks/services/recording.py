"""Ticks that a client vouches for, without an event."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from gamify.facts import services as facts
from gamify.facts.engine.instants import check_instant
from gamify.facts.engine.outcomes import Outcome
from participants.catalog import Catalog, catalog_of
from participants.errors import DomainError
from participants.models import Participant, Tenant
from participants.work import IdempotencyRequest, Load, UnitOfWork, restartable, unit_of_work
from streaks.engine.ticking import TickResult
from streaks.selectors import CompiledStreak, streaks_in
from streaks.services.counting import active_streak, count_tick, loads_for

RECORD = "streaks.record"


class StreakNeedsEvents(DomainError):
    code = "streak_needs_events"

    def __init__(self, code: str) -> None:
        super().__init__(f"Streak '{code}' advances through events only: it looks at what they carry")


@dataclass(frozen=True)
class RecordResult:
    """What a tick led to. `new_count` is the live run's length, else that of the run which holds the tick's window."""

    streak_code: str
    new_count: int
    longest_count: int
    is_new_record: bool
    already_recorded: bool
    is_replay: bool = False


@dataclass(frozen=True)
class Tick:
    """One activity as a history knows it."""

    participant_id: str
    streak_code: str
    at: datetime


@restartable
def record(
    *, tenant: Tenant, participant_id: str, streak_code: str, at: datetime, key: str | None = None, now: datetime
) -> RecordResult:
    """Tick a streak at the instant `at`.

    Raises StreakNotFound, StreakInactive, StreakNeedsEvents, InvalidInput or IdempotencyKeyReused.
    """
    idempotency = IdempotencyRequest(RECORD, key, digest=streak_code, external_id=participant_id) if key else None
    loads = loads_of_codes(catalog_of(tenant), [streak_code])
    with unit_of_work(tenant, [participant_id], now=now, idempotency_requests=[idempotency], loads=loads) as work:
        if (answer := work.stored_answer(idempotency)) is not None:
            return RecordResult(**answer, is_replay=True)
        check_instant(at, now=now)
        recorded = _record(work, Tick(participant_id, streak_code, at))
        work.store_answer(idempotency, _answer(recorded))
        return recorded


@restartable
def record_many(*, tenant: Tenant, ticks: Sequence[Tick], now: datetime) -> Sequence[RecordResult]:
    """Tick many streaks in one unit of work, all or none; answers in the order given.

    For histories: hand in chunks of about a hundred participants. Repeating a chunk changes nothing where one tick
    satisfies a window. Raises as `record` does.
    """
    if not ticks:
        return []
    for each in ticks:
        check_instant(each.at, now=now)
    loads = loads_of_codes(catalog_of(tenant), {each.streak_code for each in ticks})
    with unit_of_work(tenant, [each.participant_id for each in ticks], now=now, loads=loads) as work:
        return [_record(work, each) for each in ticks]


def loads_of_codes(catalog: Catalog, codes: Iterable[str]) -> list[Load]:
    """The rows that a unit needs which records ticks of these streaks.

    Unknown codes are refused later, behind the look at the key: a retry is answered whatever became of the streak.
    """
    known = streaks_in(catalog).by_code
    streaks = [known[code] for code in sorted(codes) if code in known]
    return loads_for(streaks)


def _record(work: UnitOfWork, asked: Tick) -> RecordResult:
    streak = recordable_streak(work.catalog, asked.streak_code)
    participant = work.participant(asked.participant_id)
    counted = count_tick(work, participant, streak, at=asked.at, adds_to_satisfied=False, is_direct=True)
    facts.publish_changes(work, participant, counted.outcomes, now=work.now, at=asked.at)
    return _result_of(streak, counted.result)


def grant_tick(
    work: UnitOfWork, participant: Participant, streak_code: str, *, at: datetime, is_vouched: bool
) -> Sequence[Outcome]:
    """Tick a streak in a unit that was opened for something else; answers what is to be given for it. `is_vouched`: no event
    stands for it.

    Raises StreakNotFound, StreakInactive or StreakNeedsEvents, and has then changed nothing.
    """
    streak = recordable_streak(work.catalog, streak_code)
    return count_tick(work, participant, streak, at=at, adds_to_satisfied=False, is_direct=is_vouched).outcomes


def recordable_streak(catalog: Catalog, code: str) -> CompiledStreak:
    """Raises StreakNotFound, StreakInactive or StreakNeedsEvents."""
    streak = active_streak(catalog, code)
    if streak.terms.rules.condition.needs_events:
        raise StreakNeedsEvents(code)
    return streak


def _result_of(streak: CompiledStreak, ticked: TickResult) -> RecordResult:
    return RecordResult(
        streak_code=streak.code,
        new_count=ticked.count,
        longest_count=ticked.after.longest,
        is_new_record=ticked.is_new_record,
        already_recorded=ticked.was_satisfied,
    )


def _answer(recorded: RecordResult) -> dict[str, Any]:
    return {name: value for name, value in asdict(recorded).items() if name != "is_replay"}
