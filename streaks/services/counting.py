"""Count one tick of one participant in a unit of work: change the row, emit domain events, pay milestones."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gamify.facts.engine.conditions import value_to_store
from gamify.facts.engine.outcomes import Grant, GrantReport, Outcome, Source, UndoNote
from participants.catalog import Catalog
from participants.database import new_instance
from participants.errors import DomainError
from participants.models import Participant
from participants.work import Load, UnitOfWork
from streaks.engine.counting import Chain, State
from streaks.engine.milestones import Milestone, due_milestones, with_payments
from streaks.engine.ticking import TickResult, tick
from streaks.models import ParticipantStreak, Status
from streaks.selectors import CompiledStreak, spans_of, state_of, streaks_in
from streaks.services.announcements import emit_broken, emit_event, set_announced

DOMAIN = "streaks"


class StreakNotFound(DomainError):
    code = "streak_not_found"
    status = 404
    text = "Streak '{}' not found"


class StreakInactive(DomainError):
    code = "streak_inactive"
    text = "Streak '{}' is not active"


@dataclass(frozen=True)
class CountedTick:
    """A counted tick. `outcomes` are its undo note, the milestones that it reached, and their grants."""

    result: TickResult
    outcomes: Sequence[Outcome]


def loads_for(streaks: Iterable[CompiledStreak]) -> list[Load]:
    """The loads of a unit that counts ticks of `streaks`."""
    ids = tuple(sorted({streak.id for streak in streaks}))
    return [Load(ParticipantStreak, "streak_id", ids)] if ids else []


def visible_streak(catalog: Catalog, code: str) -> CompiledStreak:
    """The streak with this code, unless it is a draft: participants cannot see drafts.

    Raises: StreakNotFound.
    """
    streak = streaks_in(catalog).by_code.get(code)
    if streak is None or streak.status == Status.DRAFT:
        raise StreakNotFound(code)
    return streak


def active_streak(catalog: Catalog, code: str) -> CompiledStreak:
    """The active streak with this code.

    Raises: StreakNotFound, StreakInactive.
    """
    streak = streaks_in(catalog).by_code.get(code)
    if streak is None:
        raise StreakNotFound(code)
    if not streak.is_active:
        raise StreakInactive(code)
    return streak


def count_tick(
    work: UnitOfWork,
    participant: Participant,
    streak: CompiledStreak,
    *,
    at: datetime,
    value: Any = None,
    adds_to_satisfied: bool = True,
    is_direct: bool = False,
    is_seen: bool = True,
) -> CountedTick:
    """Count a tick at `at`. The unit must have been opened with `loads_for` the streak.

    `value`, `adds_to_satisfied` and `is_direct`: see `engine.ticking.tick`. `is_seen` is false for imported ticks, which do
    not change `last_seen_at` of a participant. The outcomes contain an undo note, which the event stores.
    """
    row = row_of(work, participant, streak) or _new_row(work, participant, streak, at=at)
    rules, spans = streak.terms.rules_for(participant), spans_of(row, streak)
    result = tick(
        state_of(row, streak, participant),
        rules,
        at=at,
        now=work.now,
        value=value,
        adds_to_satisfied=adds_to_satisfied,
        is_direct=is_direct,
        spans=spans,
    )
    if is_seen or participant.is_new:
        work.touch(participant)
    outcomes = _save_tick(work, participant, streak, row, result)
    note = _undo_note(streak, row, result, value_to_store(rules.condition, value), adds_to_satisfied=adds_to_satisfied)
    return CountedTick(result, [note, *outcomes])


def _undo_note(
    streak: CompiledStreak, row: ParticipantStreak, result: TickResult, value: Any, *, adds_to_satisfied: bool
) -> UndoNote:
    """What `services.reversing` needs to undo the tick: its window (null if it had no effect) and its payments."""
    earlier = {tuple(payment) for payment in result.state.paid}
    paid = [payment for payment in row.paid if tuple(payment) not in earlier]
    optional = {"value": value, "is_granted": not adds_to_satisfied, "paid": paid}
    return UndoNote(
        DOMAIN,
        {"id": str(streak.id), "revision": streak.revision, "window": result.window}
        | {name: known for name, known in optional.items() if known},
    )


def _save_tick(
    work: UnitOfWork, participant: Participant, streak: CompiledStreak, row: ParticipantStreak, result: TickResult
) -> Sequence[Outcome]:
    """Emit the domain events of the tick, pay its milestones, and change the row. Returns the outcomes."""
    if _has_broken(row, result):
        emit_broken(work, participant, streak, row.count)
    state, outcomes = result.state, list[Outcome]()
    if result.is_satisfying:
        data = {"new_count": result.count, "longest_count": result.after.longest}
        emit_event(work, participant, streak, "streak.incremented", data)
        if result.chain:
            state, outcomes = pay(work, participant, streak, state, result.chain)
    row.state, row.revision = state, streak.revision
    set_announced(row, result.after)
    work.change(row)
    return outcomes


def row_of(work: UnitOfWork, participant: Participant, streak: CompiledStreak) -> ParticipantStreak | None:
    """The participant's row, or None if they have none. Restarts the unit if its catalog is older than the row."""
    row = work.row(ParticipantStreak, participant, streak.id)
    if row is not None and row.revision > streak.revision:
        work.restart_with_new_catalog()
    return row


def _new_row(work: UnitOfWork, participant: Participant, streak: CompiledStreak, *, at: datetime) -> ParticipantStreak:
    row = new_instance(
        ParticipantStreak,
        tenant_id=work.tenant.id,
        participant_id=participant.id,
        streak_id=streak.id,
        revision=streak.revision,
        last_activity_at=at,
        created_at=work.now,
    )
    work.add(row)
    return row


def _has_broken(row: ParticipantStreak, result: TickResult) -> bool:
    """Whether the announced run is broken, and this tick did not revive it."""
    if not row.count or result.before.current:
        return False
    latest, alive = result.before.latest, result.after.alive
    return latest is None or alive is None or not alive.first <= latest.last <= alive.last


def pay(
    work: UnitOfWork, participant: Participant, streak: CompiledStreak, state: State, chain: Chain
) -> tuple[State, list[Outcome]]:
    """Pay the due milestones of `chain`: emit them and add the payments to the state. Returns the state and the outcomes."""
    reached = due_milestones(streak.milestones, chain, state.paid)
    if not reached:
        return state, []
    outcomes: list[Outcome] = []
    for milestone in reached:
        data = {"threshold": milestone.threshold, "reward_id": milestone.reward}
        emit_event(work, participant, streak, "streak.milestone_reached", data)
        outcomes += _outcomes_of(participant, streak, milestone, chain)
    return replace(state, paid=with_payments(state.paid, reached, chain)), outcomes


def _outcomes_of(
    participant: Participant, streak: CompiledStreak, milestone: Milestone, chain: Chain
) -> Iterator[Outcome]:
    source = Source("streak", streak.code)
    yield GrantReport("streak_milestone", streak.name, source, code=streak.code, amount=milestone.threshold)
    if milestone.reward is not None:
        key = f"streak/{streak.id}/{participant.pk}/{milestone.threshold}/{chain.last}"
        yield Grant("reward", {"type": "reward", "id": milestone.reward}, source, key)
