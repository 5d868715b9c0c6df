"""What changes come to on the boards, in memory: whoever writes it folds, whoever reads adds it to what is written.

The same for both, so that an answer cannot differ from what will be written.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from gamify.leaderboards.engine.drafts import ScoreDraft, ScoreDrafts, Slot
from gamify.leaderboards.engine.measures import PERSON
from gamify.leaderboards.engine.periods import ALL_TIME, Kind, Period, local_day, period_on, periods_at, start_of_day
from gamify.leaderboards.engine.places import Move, Moves, earliness
from gamify.leaderboards.models import Score, ScoreChange
from gamify.leaderboards.selectors.catalog import Board, Boards, comparison_days
from gamify.leaderboards.selectors.history import Level, current_levels, has_known_moves, levels_since
from gamify.leaderboards.selectors.refill import refill
from participants.models import Participant, Tenant

MAX_CLOCK_DIFFERENCE = timedelta(minutes=3)
"""So far others may be ahead of who folds, whose clock was looked at when the task began: for them a period may be over that ends within this."""


@dataclass
class FoldResult:
    """What changes come to. `rewrites_past`: a standing that is over is not what it was."""

    drafts: ScoreDrafts
    people: Mapping[UUID, Participant]
    moves: Mapping[Slot, Moves] = field(default_factory=dict)
    has_changed_closed_period: bool = False

    def moves_in(self, slot: Slot) -> Sequence[Move]:
        return list(self.moves.get(slot, {}).values())


class Fold:
    """Works `changes`, in the order in which they were made, into the scores of `boards`."""

    def __init__(self, tenant: Tenant, boards: Boards, changes: Sequence[ScoreChange], *, now: datetime) -> None:
        self.tenant, self.boards = tenant, boards
        # Whoever folds may have looked at the clock before the last of the changes was made.
        self.now = max([now, *(change.created_at for change in changes)])
        self.changes = sorted(changes, key=lambda change: (change.created_at, change.pk))
        self.people = _people(tenant, {change.participant_id for change in changes})
        self.changed_people = {change.participant_id for change in changes if PERSON in change.changes}
        self.drafts = ScoreDrafts()
        self.rewrites_past = bool(self.changed_people)
        self._levels: dict[UUID, Mapping[UUID, int]] = {}
        self._openings: dict[UUID, Mapping[UUID, Level]] = {}

    def run(self) -> FoldResult:
        hits = list(self._hits())
        self._read(hits)
        for change, board, amount in hits:
            if amount is None:
                self._set_level(change, board)
            else:
                self._add(change, board, amount)
        self._set_openings()
        for who in self.changed_people:
            self._look_at(who)
        return FoldResult(self.drafts, self.people, self.drafts.moves(), self.rewrites_past)

    def _hits(self) -> Iterable[tuple[ScoreChange, Board, int | None]]:
        """Every board that a change concerns, of those that rank the participant."""
        for change in self.changes:
            person = self.people.get(change.participant_id)
            for key, amount in change.changes.items() if person else ():
                for board in self.boards.by_measure.get(key, ()):
                    if board.has_member(person):  # type: ignore[arg-type]  # there is one
                        yield change, board, amount

    # --- reading ----------------------------------------------------------------------------------------------------

    def _read(self, hits: Sequence[tuple[ScoreChange, Board, int | None]]) -> None:
        tracks = {board.track for _, board, _ in hits}
        periods = {period.code for change, board, _ in hits for period in self._periods(change, board)}
        people = {change.participant_id for change, _, _ in hits} - self.changed_people
        scores = Score.objects.filter(tenant_id=self.tenant.pk)
        self._put(scores.filter(participant_id__in=people, track__in=tracks, period__in=periods) if hits else ())
        for board in self.boards.active.values():
            self.load_track(board.track, self.changed_people)
        for board in {board.id: board for _, board, _ in hits if board.measure.is_level}.values():
            people = {change.participant_id for change, hit, _ in hits if hit.id == board.id}
            known_people = [self.people[who] for who in people]
            self._levels[board.id] = current_levels(self.tenant, known_people, board.measure, now=self.now)
        self._read_openings(hits)

    def _read_openings(self, hits: Sequence[tuple[ScoreChange, Board, int | None]]) -> None:
        """A balance is looked up as it is now: of whom changes of a day before today wait, today's beginning is looked up, too."""
        early: dict[UUID, set[UUID]] = {}
        boards = {board.id: board for _, board, _ in hits if has_known_moves(board.measure)}
        for change, board, _ in hits:
            if board.id in boards and local_day(change.created_at, board.zone) < self._today(board):
                early.setdefault(board.id, set()).add(change.participant_id)
        for board_id, ids in early.items():
            board, people = boards[board_id], [self.people[who] for who in ids]
            since = start_of_day(self._today(board), board.zone)
            self._openings[board_id] = levels_since(self.tenant, people, board.measure, since=since, now=self.now)

    def _today(self, board: Board) -> date:
        """The day on which it is folded; where a change was made on a later one, as by a clock that is ahead, that one."""
        return local_day(self.now, board.zone)

    def load_track(self, track: UUID, people: Collection[UUID]) -> None:
        """Whatever these participants have on a track; what was worked in already stays."""
        if people:
            scores = Score.objects.filter(tenant_id=self.tenant.pk, participant_id__in=people, track=track)
            self._put(row for row in scores if self.drafts.find((track, row.period), row.participant_id) is None)

    def _put(self, scores: Iterable[Score]) -> None:
        for row in scores:
            self.drafts.put(
                (row.track, row.period), ScoreDraft.from_row(row.participant_id, row.total, row.earliness, row.is_shown)
            )

    def _periods(self, change: ScoreChange, board: Board) -> Sequence[Period]:
        """All that a change concerns: of a level only the board of all time, and in either case the days that it may move."""
        days = self._days(change, board)
        its_days = [period_on(kind, day) for day in days for kind in (Kind.OPENING, Kind.MOVED)]
        return [*([ALL_TIME] if board.measure.is_level else periods_at(change.at, board.zone)), *its_days]

    # --- working in -------------------------------------------------------------------------------------------------

    def _add(self, change: ScoreChange, board: Board, amount: int) -> None:
        """To every period of the instant at which it counts, which a late event has in the past."""
        early, who = earliness(change.at), change.participant_id
        counts_on, days = local_day(change.at, board.zone), self._days(change, board)
        for day in days:
            if day <= counts_on:
                self._open_day(board, who, day)
        for period in periods_at(change.at, board.zone):
            self._line(board, period, who).add(amount, early)
            self._note_past(board, period)
        for day in days:
            if day > counts_on:
                self._raise_opening(board, who, day, amount, early)
            else:
                self._close_day(board, who, day)

    def _days(self, change: ScoreChange, board: Board) -> Sequence[date]:
        """The days that begin with another standing, or on which somebody moves, because of the change.

        The day of the change is among them because a reader's clock may be behind the clock of this fold.
        """
        ahead = max(change.created_at, change.at)
        changed = {local_day(change.created_at, board.zone), local_day(ahead, board.zone)}
        return sorted(changed.union(comparison_days(board.zone, now=self.now)))

    def _raise_opening(self, board: Board, who: UUID, day: date, amount: int, early: int) -> None:
        """What counts before `day`: who moved on that day began it with this amount more. All others need no row."""
        if self.drafts.find((board.track, period_on(Kind.MOVED, day).code), who) is None:
            return
        self._line(board, period_on(Kind.OPENING, day), who).add(amount, early)
        self._close_day(board, who, day)

    def _set_openings(self) -> None:
        """As they were looked up: of who has moved today, where they began the day."""
        for board_id, levels in self._openings.items():
            board = next(each for each in self.boards.active.values() if each.id == board_id)
            today = self._today(board)
            for who, level in levels.items():
                if level.at >= start_of_day(today, board.zone):
                    opening = self._line(board, period_on(Kind.OPENING, today), who)
                    opening.set(max(0, level.score_before or 0), earliness(level.at))
                    line = self._line(board, ALL_TIME, who)
                    self._line(board, period_on(Kind.MOVED, today), who).set(line.score, line.earliness)

    def _set_level(self, change: ScoreChange, board: Board) -> None:
        score = self._levels[board.id].get(change.participant_id, 0)
        line = self._line(board, ALL_TIME, change.participant_id)
        if line.score == score and not has_known_moves(board.measure):
            return  # told anew, as with a tick in a window that was satisfied; points always move
        day = local_day(change.created_at, board.zone)
        self._open_day(board, change.participant_id, day)
        line.set(score, earliness(change.at))
        self._close_day(board, change.participant_id, day)

    def _line(self, board: Board, period: Period, who: UUID) -> ScoreDraft:
        line = self.drafts.get_or_create((board.track, period.code), who)
        line.is_removed = False
        line.is_shown = is_shown(self.people[who])
        return line

    def _open_day(self, board: Board, who: UUID, day: date) -> None:
        """Before the first move of a day: where they stood when it began."""
        if self.drafts.find((board.track, period_on(Kind.MOVED, day).code), who) is not None:
            return
        line = self._line(board, ALL_TIME, who)
        if line.score > 0:
            opening = self._line(board, period_on(Kind.OPENING, day), who)
            opening.set(line.score, line.earliness)

    def _close_day(self, board: Board, who: UUID, day: date) -> None:
        """After a move: what they have come to on that day."""
        line = self._line(board, ALL_TIME, who)
        moved = period_on(Kind.MOVED, day)
        self._line(board, moved, who).set(line.score, line.earliness)
        self._note_past(board, moved)

    def _note_past(self, board: Board, period: Period) -> None:
        self.rewrites_past = self.rewrites_past or period.is_closed(board.zone, now=self.now + MAX_CLOCK_DIFFERENCE)

    # --- looking at somebody ----------------------------------------------------------------------------------------

    def _look_at(self, who: UUID) -> None:
        """Who they are has changed, or they are gone: what is shown of them, and on which boards they are at all."""
        person = self.people.get(who)
        if person is None:
            for _, line in self.drafts.of_participants([who]):
                line.is_removed = True
            return
        for board in self.boards.active.values():
            if board.member_filter is not None:
                self._join_or_leave(board, person)
        for _, line in self.drafts.of_participants([who]):
            line.is_shown = is_shown(person)

    def _join_or_leave(self, board: Board, person: Participant) -> None:
        """Joining brings along what they have come to in the periods that last; what is over stays as it was."""
        for period in self._lasting(board):
            line = self.drafts.find((board.track, period.code), person.pk)
            if line is not None:
                line.is_removed = True
        if board.has_member(person):
            open_codes = {period.code for period in self._lasting(board)}
            refill(self.drafts, self.tenant, board, [person], only=open_codes, now=self.now)

    def _lasting(self, board: Board) -> Sequence[Period]:
        days = comparison_days(board.zone, now=self.now)
        its_days = [period_on(kind, day) for day in days for kind in (Kind.OPENING, Kind.MOVED)]
        return [*periods_at(self.now, board.zone), *its_days]


def is_shown(person: Participant) -> bool:
    """Whether others may see them on boards."""
    return person.is_active and person.visible


def _people(tenant: Tenant, ids: Collection[UUID]) -> Mapping[UUID, Participant]:
    people = Participant.objects.of(tenant).filter(pk__in=ids)
    return {person.pk: person for person in people} if ids else {}
