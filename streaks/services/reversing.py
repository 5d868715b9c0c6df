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
from streaks.engine.counting import Chain, Rules, State, chain_with, chains, windows_of
from streaks.engine.excuses import excused_windows
from streaks.engine.ticking import MAX_LATENESS
from streaks.engine.undoing import Obstacle, OtherTick, TickToUndo, undo_tick
from streaks.models import ParticipantStreak
from streaks.selectors import CompiledStreak, spans_of, status_of, streaks_in
from streaks.services.announcements import set_announced
from streaks.services.counting import DOMAIN, loads_for, row_of

RULES_CHANGED = "The rules of the streak have changed since; the count was carried over"
TOO_LATE = "Later events came too late to count because of it"
NOT_KNOWN = "What other events of that time were counted for is not known any more"
OF_ANOTHER = "What was given for it came of another event"
ALL_THE_SAME = "It is reached without the event too; what was given for it is taken back, and is not given again"

Mark = Mapping[str, Any]


@dataclass(frozen=True)
class _Case:
    """The reversal of one event in one streak of one participant.

    `rules` are those of the row's revision. `marks` are the event's undo notes for this streak, one per tick.
    """

    participant: Participant
    streak: CompiledStreak
    row: ParticipantStreak
    rules: Rules
    event: Event
    marks: Sequence[Mark]

    @property
    def windows(self) -> Sequence[int]:
        """The windows in which the event had an effect."""
        return list(dict.fromkeys(mark["window"] for mark in self.marks if mark["window"] is not None))

    def marks_of(self, event: Event) -> Sequence[Mark]:
        """The undo notes of another event for this streak."""
        return [mark for mark in event.undo_notes_of(DOMAIN) if mark["id"] == str(self.streak.id)]

    def chains(self, state: State) -> Sequence[Chain]:
        windows = windows_of(state, self.rules)
        spans = spans_of(self.row, self.streak)
        return () if windows is None else chains(state, self.rules, excused_windows(windows, spans))


def undo(work: UnitOfWork, participant: Participant, event: Event) -> Iterator[Undone]:
    """Undo the event's ticks of every streak. The row of a participant without any other tick is deleted."""
    known, marks = streaks_in(work.catalog).by_id, event.undo_notes_of(DOMAIN)
    streaks = [known[UUID(streak_id)] for streak_id in dict.fromkeys(mark["id"] for mark in marks)]
    work.load(loads_for(streaks))
    for streak in streaks:
        row = row_of(work, participant, streak)
        if row is not None:
            own = [mark for mark in marks if mark["id"] == str(streak.id)]
            yield from _undo(work, _Case(participant, streak, row, _rules_of(row, streak, participant), event, own))


def _rules_of(row: ParticipantStreak, streak: CompiledStreak, participant: Participant) -> Rules:
    """The rules of the row's revision. They may be older than today's: a row is converted when it is next processed."""
    terms = {past.number: past.terms for past in streak.past} | {streak.revision: streak.terms}
    return terms[row.revision].rules_for(participant)


def _undo(work: UnitOfWork, case: _Case) -> Iterator[Undone]:
    last_at = _last_activity(case)
    state = _state_without(case, last_at)
    if isinstance(state, str):
        yield _told(case, "streak_tick", kept=state)
        return
    before, after = case.chains(case.row.state), case.chains(state)
    lost = sum(chain.count for chain in before) - sum(chain.count for chain in after)
    payments = list(_payments(case, before, after))
    state = replace(state, paid=_paid_without(case, state, after))
    _write(work, case, state, last_at)
    if lost:
        _tell(work, case)
    if case.windows:
        yield _told(case, "streak_tick", amount=lost or None)
    yield from payments


def _last_activity(case: _Case) -> datetime | None:
    """The timestamp of the latest tick without the event. None if there is no other tick."""
    if case.event.occurred_at < case.row.last_activity_at:
        return case.row.last_activity_at
    others = others_of(case.event).filter(occurred_at__lte=case.event.occurred_at).order_by("-occurred_at", "-id")
    found = others.only("occurred_at", "marks").iterator(chunk_size=100)
    by_event = next((each.occurred_at for each in found if case.marks_of(each)), None)
    known = [at for at in (by_event, case.row.state.direct_ticks.last_at) if at is not None]
    return max(known, default=None)


def _state_without(case: _Case, last_at: datetime | None) -> State | str:
    """The state without the event's ticks, or the reason why it cannot be computed."""
    if any(mark["revision"] != case.row.revision for mark in case.marks):
        return RULES_CHANGED
    if not case.rules.condition.is_any_tick and _has_shut_out(case):
        return TOO_LATE
    state = case.row.state
    for window in case.windows:
        others = _others_in(case, state, window)
        if others is None:
            return NOT_KNOWN
        found = undo_tick(state, case.rules, TickToUndo(case.event.occurred_at, window, others, last_at))
        if isinstance(found, Obstacle):
            return found.value
        state = found
    return state if last_at is None else replace(state, last_at=last_at)


def _has_shut_out(case: _Case) -> bool:
    """Whether a later event was too late only because of this event."""
    late = others_of(case.event).filter(pk__gt=case.event.pk, occurred_at__lt=case.event.occurred_at - MAX_LATENESS)
    return any(
        any(mark["window"] is None for mark in case.marks_of(each)) and not _is_late_anyway(case, each)
        for each in late.only("occurred_at", "marks", "tenant", "participant").iterator()
    )


def _is_late_anyway(case: _Case, late: Event) -> bool:
    earlier = others_of(case.event).filter(pk__lt=late.pk, occurred_at__gt=late.occurred_at + MAX_LATENESS)
    return any(case.marks_of(each) for each in earlier.only("marks").iterator())


def _others_in(case: _Case, state: State, window: int) -> Sequence[OtherTick] | None:
    """The ticks of other events in `window`, in the order of their arrival. None if the undo notes of one are unknown."""
    windows = windows_of(state, case.rules)
    if windows is None:
        return ()
    within = others_of(case.event).filter(occurred_at__gte=windows.start(window), occurred_at__lt=windows.end(window))
    events = list(within.order_by("pk").only("marks"))
    if any(each.marks is None for each in events):
        return None
    return [
        OtherTick(mark.get("value"), adds_to_satisfied=not mark.get("is_granted"))
        for each in events
        for mark in case.marks_of(each)
        if (mark["window"], mark["revision"]) == (window, case.row.revision)
    ]


def _payments(case: _Case, before: Sequence[Chain], after: Sequence[Chain]) -> Iterator[Undone]:
    """Report the milestones that the event reached, and those that another event reached and that are not reached without it."""
    for threshold, window in case.row.state.paid:
        is_own, is_reached = _is_own(case, threshold, window), _is_reached(after, threshold, window)
        if is_own:
            yield _told(case, "streak_milestone", amount=threshold, kept=ALL_THE_SAME if is_reached else None)
        elif _is_reached(before, threshold, window) and not is_reached:
            yield _told(case, "streak_milestone", amount=threshold, kept=OF_ANOTHER)


def _paid_without(case: _Case, state: State, after: Sequence[Chain]) -> tuple[tuple[int, int | None], ...]:
    """The payments without those of this event that are no longer reached. Those milestones may be paid again."""
    return tuple(
        (threshold, window)
        for threshold, window in state.paid
        if not _is_own(case, threshold, window) or _is_reached(after, threshold, window)
    )


def _is_own(case: _Case, threshold: int, window: int | None) -> bool:
    return any([threshold, window] in mark.get("paid", ()) for mark in case.marks)


def _is_reached(found: Sequence[Chain], threshold: int, window: int | None) -> bool:
    chain = None if window is None else chain_with(found, window)
    return chain is not None and chain.count >= threshold


def _write(work: UnitOfWork, case: _Case, state: State, last_at: datetime | None) -> None:
    row, row.state = case.row, state
    if last_at is None and not row.freezes:
        work.remove(row)
        return
    set_announced(row, status_of(row, case.streak, case.participant, now=work.now).streak_status)
    work.change(row)


def _tell(work: UnitOfWork, case: _Case) -> None:
    standing = status_of(case.row, case.streak, case.participant, now=work.now).streak_status
    data = {
        "user_id": case.participant.external_id,
        "definition_id": str(case.streak.id),
        "streak_code": case.streak.code,
        "new_count": standing.current,
        "longest_count": standing.longest,
    }
    work.emit("streak.decremented", case.participant, data)


def _told(case: _Case, type_name: str, **more: Any) -> Undone:
    return Undone(type=type_name, name=case.streak.name, code=case.streak.code, **more)
