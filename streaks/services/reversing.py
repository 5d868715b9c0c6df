"""Undo the ticks of a reversed event.

The result is exact for calendar windows with every condition, whatever the order of the ticks. Direct ticks still count for
their window. (A direct tick that arrived when events had satisfied a window of several ticks was not added to its progress.
It can satisfy the window after the reversal, but the window's progress does not exceed the condition's minimum.)

The following stays unchanged, and the answer reports it as `kept` with a reason:

- ticks from before a change of the streak's rules, or so old that only a count is stored;
- rolling windows that later windows depend on;
- windows of conditions other than "any tick", if later events were too late to count because of this event;
- milestones that other events reached with the help of this one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from gamify.facts.models import Event
from gamify.facts.selectors import others_of
from gamify.facts.services import Undone
from participants.models import Participant
from participants.work import UnitOfWork
from streaks.engine.counting import Chain, Rules, State, StreakStatus, chain_with, chains, windows_of
from streaks.engine.excuses import excused_windows
from streaks.engine.ticking import MAX_LATENESS
from streaks.engine.undoing import Obstacle, OtherTick, TickToUndo, undo_tick
from streaks.models import ParticipantStreak
from streaks.selectors import CompiledStreak, spans_of, status_of, streaks_in
from streaks.selectors.statuses import stored_rules
from streaks.services.announcements import emit_event, set_announced
from streaks.services.counting import DOMAIN, loads_for, row_of

RULES_CHANGED = "The rules of the streak have changed since. The count was carried over"
TOO_LATE = "Later events were too late to count because of this event"
NOT_KNOWN = "It is no longer known what other events of that time counted for"
OTHER_EVENT = "It was granted for another event"
REACHED_ANYWAY = "It is reached without the event too. Its reward is taken back and not granted again"

Note = Mapping[str, Any]
"""The data of an undo note: the window of a tick, and what it paid (`counting._undo_note`)."""


@dataclass(frozen=True)
class _Reversal:
    """The reversal of one event in one streak of one participant.

    `rules` are those under which the row was last written. `notes` are the event's undo notes for this streak, one per tick.
    """

    participant: Participant
    streak: CompiledStreak
    row: ParticipantStreak
    rules: Rules
    event: Event
    notes: Sequence[Note]

    @property
    def windows(self) -> Sequence[int]:
        """The windows in which the event had an effect."""
        return list(dict.fromkeys(note["window"] for note in self.notes if note["window"] is not None))

    def notes_of(self, event: Event) -> Sequence[Note]:
        """The undo notes of another event for this streak."""
        return [note for note in event.undo_notes_of(DOMAIN) if note["id"] == str(self.streak.id)]

    def chains(self, state: State) -> Sequence[Chain]:
        windows = windows_of(state, self.rules)
        spans = spans_of(self.row, self.streak)
        return () if windows is None else chains(state, self.rules, excused_windows(windows, spans))


def undo(work: UnitOfWork, participant: Participant, event: Event) -> Iterator[Undone]:
    """Undo the event's ticks of every streak. The row of a participant without any other tick is deleted."""
    known, notes = streaks_in(work.catalog).by_id, event.undo_notes_of(DOMAIN)
    streaks = [known[UUID(streak_id)] for streak_id in dict.fromkeys(note["id"] for note in notes)]
    work.load(loads_for(streaks))
    for streak in streaks:
        row = row_of(work, participant, streak)
        if row is not None:
            own = [note for note in notes if note["id"] == str(streak.id)]
            yield from _undo(
                work, _Reversal(participant, streak, row, stored_rules(row, streak, participant), event, own)
            )


def _undo(work: UnitOfWork, reversal: _Reversal) -> Iterator[Undone]:
    last_at = _last_activity(reversal)
    state = _state_without(reversal, last_at)
    if isinstance(state, str):
        yield _report(reversal, "streak_tick", obstacle=state)
        return
    before, after = reversal.chains(reversal.row.state), reversal.chains(state)
    lost = sum(chain.count for chain in before) - sum(chain.count for chain in after)
    payments = list(_payments(reversal, before, after))
    state = replace(state, paid=_paid_without(reversal, state, after))
    status = _write(work, reversal, state, last_at)
    if lost:
        data = {"new_count": status.current, "longest_count": status.longest}
        emit_event(work, reversal.participant, reversal.streak, "streak.decremented", data)
    if reversal.windows:
        yield _report(reversal, "streak_tick", amount=lost or None)
    yield from payments


def _last_activity(reversal: _Reversal) -> datetime | None:
    """The timestamp of the latest tick without the event. None if there is no other tick."""
    if reversal.event.occurred_at < reversal.row.last_activity_at:
        return reversal.row.last_activity_at
    others = (
        others_of(reversal.event).filter(occurred_at__lte=reversal.event.occurred_at).order_by("-occurred_at", "-id")
    )
    found = others.only("occurred_at", "marks").iterator(chunk_size=100)
    by_event = next((each.occurred_at for each in found if reversal.notes_of(each)), None)
    known = [at for at in (by_event, reversal.row.state.direct_ticks.last_at) if at is not None]
    return max(known, default=None)


def _state_without(reversal: _Reversal, last_at: datetime | None) -> State | str:
    """The state without the event's ticks, or the reason why it cannot be computed."""
    if any(note["revision"] != reversal.row.revision for note in reversal.notes):
        return RULES_CHANGED
    if not reversal.rules.condition.is_any_tick and _made_others_late(reversal):
        return TOO_LATE
    state = reversal.row.state
    for window in reversal.windows:
        others = _other_ticks_in(reversal, state, window)
        if others is None:
            return NOT_KNOWN
        found = undo_tick(state, reversal.rules, TickToUndo(reversal.event.occurred_at, window, others, last_at))
        if isinstance(found, Obstacle):
            return found.value
        state = found
    return state if last_at is None else replace(state, last_at=last_at)


def _made_others_late(reversal: _Reversal) -> bool:
    """Whether a later event was too late only because of this event."""
    late = others_of(reversal.event).filter(
        pk__gt=reversal.event.pk, occurred_at__lt=reversal.event.occurred_at - MAX_LATENESS
    )
    return any(
        any(note["window"] is None for note in reversal.notes_of(each)) and not _is_late_without(reversal, each)
        for each in late.only("occurred_at", "marks", "tenant", "participant").iterator()
    )


def _is_late_without(reversal: _Reversal, late: Event) -> bool:
    earlier = others_of(reversal.event).filter(pk__lt=late.pk, occurred_at__gt=late.occurred_at + MAX_LATENESS)
    return any(reversal.notes_of(each) for each in earlier.only("marks").iterator())


def _other_ticks_in(reversal: _Reversal, state: State, window: int) -> Sequence[OtherTick] | None:
    """The ticks of other events in `window`, in the order of their arrival. None if the undo notes of one are unknown."""
    windows = windows_of(state, reversal.rules)
    if windows is None:
        return ()
    within = others_of(reversal.event).filter(
        occurred_at__gte=windows.start(window), occurred_at__lt=windows.end(window)
    )
    events = list(within.order_by("pk").only("marks"))
    if any(each.marks is None for each in events):
        return None
    return [
        OtherTick(note.get("value"), adds_to_satisfied=not note.get("is_granted"))
        for each in events
        for note in reversal.notes_of(each)
        if (note["window"], note["revision"]) == (window, reversal.row.revision)
    ]


def _payments(reversal: _Reversal, before: Sequence[Chain], after: Sequence[Chain]) -> Iterator[Undone]:
    """Report the milestones that the event reached, and those that another event reached and that are not reached without it."""
    for threshold, window in reversal.row.state.paid:
        is_own, is_reached = _is_own(reversal, threshold, window), _is_reached(after, threshold, window)
        if is_own:
            yield _report(
                reversal, "streak_milestone", amount=threshold, obstacle=REACHED_ANYWAY if is_reached else None
            )
        elif _is_reached(before, threshold, window) and not is_reached:
            yield _report(reversal, "streak_milestone", amount=threshold, obstacle=OTHER_EVENT)


def _paid_without(reversal: _Reversal, state: State, after: Sequence[Chain]) -> tuple[tuple[int, int | None], ...]:
    """The payments without those of this event that are no longer reached. Those milestones may be paid again."""
    return tuple(
        (threshold, window)
        for threshold, window in state.paid
        if not _is_own(reversal, threshold, window) or _is_reached(after, threshold, window)
    )


def _is_own(reversal: _Reversal, threshold: int, window: int | None) -> bool:
    return any([threshold, window] in note.get("paid", ()) for note in reversal.notes)


def _is_reached(found: Sequence[Chain], threshold: int, window: int | None) -> bool:
    chain = None if window is None else chain_with(found, window)
    return chain is not None and chain.count >= threshold


def _write(work: UnitOfWork, reversal: _Reversal, state: State, last_at: datetime | None) -> StreakStatus:
    """Store the state and return the new status. A row without ticks and freezes is removed."""
    row, row.state = reversal.row, state
    status = status_of(row, reversal.streak, reversal.participant, now=work.now).streak_status
    if last_at is None and not row.freezes:
        work.remove(row)
        return status
    set_announced(row, status)
    work.change(row)
    return status


def _report(reversal: _Reversal, type_name: str, **more: Any) -> Undone:
    return Undone(type=type_name, name=reversal.streak.name, code=reversal.streak.code, **more)
