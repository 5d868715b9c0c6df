"""The status of participants in streaks, computed from the row, the definition and an instant."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from participants.catalog import Catalog
from participants.database import Query
from participants.models import Participant
from participants.selectors import of_named_participant
from streaks.engine.carrying import carry_over
from streaks.engine.counting import Rules, State, StreakStatus, streak_status
from streaks.engine.excuses import Span
from streaks.models import ParticipantStreak, Status
from streaks.selectors.catalog import CompiledStreak, streaks_in


@dataclass(frozen=True)
class ParticipantStreakStatus:
    """One participant in one streak at one instant. `state` is converted to today's `rules`."""

    participant: Participant
    streak: CompiledStreak
    row: ParticipantStreak
    rules: Rules
    state: State
    streak_status: StreakStatus

    @property
    def last_activity_at(self) -> datetime:
        return self.row.last_activity_at

    @property
    def spans(self) -> list[Span]:
        """The excused times of this participant."""
        return spans_of(self.row, self.streak)


def spans_of(row: ParticipantStreak, streak: CompiledStreak) -> list[Span]:
    """The excused times of this participant."""
    return [*streak.spans, *row.frozen_spans]


def stored_rules(row: ParticipantStreak, streak: CompiledStreak, participant: Participant) -> Rules:
    """The rules under which the participant's row was last written.

    The streak may have newer rules. A row is converted to them when it is next processed.
    """
    terms = {past.number: past.terms for past in streak.past} | {streak.revision: streak.terms}
    return terms[row.revision].rules_for(participant)


def state_of(row: ParticipantStreak, streak: CompiledStreak, participant: Participant) -> State:
    """The participant's state, converted to the current rules of the streak.

    The row may have been written under earlier rules. For each change since then, the count is carried over.
    """
    state = row.state
    changes = [past for past in streak.past if past.number >= row.revision]
    if not changes:
        return state
    spans = spans_of(row, streak)
    later = [past.terms for past in changes[1:]] + [streak.terms]
    for past, terms in zip(changes, later, strict=True):
        old, new = past.terms.rules_for(participant), terms.rules_for(participant)
        state = carry_over(state, old, new, at=past.ended_at, spans=spans)
    return state


def status_of(
    row: ParticipantStreak, streak: CompiledStreak, participant: Participant, *, now: datetime
) -> ParticipantStreakStatus:
    """The status of `participant` in `streak` at `now`."""
    rules, state = streak.terms.rules_for(participant), state_of(row, streak, participant)
    status = streak_status(state, rules, now=now, spans=spans_of(row, streak))
    return ParticipantStreakStatus(participant, streak, row, rules, state, status)


# The streaks that Phoenix clients and the console list.
_VISIBLE = frozenset({Status.ACTIVE.value, Status.PAUSED.value})


ROWS: Query[ParticipantStreak] = Query(lambda: of_named_participant(ParticipantStreak.objects.all()))


def statuses_of(
    participant: Participant | None,
    catalog: Catalog,
    *,
    now: datetime,
    rows: Iterable[ParticipantStreak] | None = None,
) -> list[ParticipantStreakStatus]:
    """The participant's status in every active streak that they have ticked, in display order. One query.

    `rows` are the rows of ROWS, if they have been read.
    """
    return _statuses(participant, catalog, {Status.ACTIVE.value}, now=now, rows=rows)


def visible_statuses_of(
    participant: Participant | None, catalog: Catalog, *, now: datetime
) -> list[ParticipantStreakStatus]:
    """The participant's status in every active or paused streak that they have ticked, in display order. One query."""
    return _statuses(participant, catalog, _VISIBLE, now=now)


def visible_status_of(
    participant: Participant | None, streak_id: UUID, catalog: Catalog, *, now: datetime
) -> ParticipantStreakStatus | None:
    """The participant's status in one active or paused streak. None if there is no such streak, or no row of theirs."""
    streak = streaks_in(catalog).by_id.get(streak_id)
    if participant is None or streak is None or streak.status not in _VISIBLE:
        return None
    row = ParticipantStreak.objects.of(participant).filter(streak_id=streak_id).first()
    return None if row is None else status_of(row, streak, participant, now=now)


def _statuses(
    participant: Participant | None,
    catalog: Catalog,
    among: Container[str],
    *,
    now: datetime,
    rows: Iterable[ParticipantStreak] | None = None,
) -> list[ParticipantStreakStatus]:
    if participant is None:
        return []
    rows = ParticipantStreak.objects.of(participant) if rows is None else rows
    known: dict[UUID, ParticipantStreak] = {row.streak_id: row for row in rows}
    listed = (streak for streak in streaks_in(catalog).by_id.values() if streak.status in among and streak.id in known)
    return [status_of(known[streak.id], streak, participant, now=now) for streak in listed]


def best_status(statuses: Iterable[ParticipantStreakStatus]) -> ParticipantStreakStatus | None:
    """The status with the longest live run, else with the longest run ever. None if `statuses` is empty."""
    return max(statuses, key=lambda status: (status.streak_status.current, status.streak_status.longest), default=None)
