"""Scores of some participants on one board, from the history instead of from changes."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from gamify.leaderboards.engine.periods import ALL_TIME, Kind, day_of, period_on, periods_at, start_of
from gamify.leaderboards.engine.places import earliness
from gamify.leaderboards.engine.tally import Line, Lines
from gamify.leaderboards.selectors.catalog import Board
from gamify.leaderboards.selectors.history import added_by, levels_of
from participants.models import Participant, Tenant


def refill(
    lines: Lines,
    tenant: Tenant,
    board: Board,
    people: Sequence[Participant],
    *,
    now: datetime,
    only: Collection[int] | None = None,
) -> None:
    """Set the lines of `people` to what their history comes to, in the periods `only` or in all of them.

    Nobody may write for them meanwhile, and what is written of them and not folded must be folded with this: it is in the history.
    """
    filled = _Filled(tenant, board, now=now)
    if board.measure.is_level:
        filled.take_levels(people)
    else:
        filled.take_sums(people)
    shown = {person.pk: person.is_active and person.visible for person in people}
    for (code, who), (score, early) in filled.scores.items():
        if only is None or code in only:
            line = lines.line((board.track, code), who)
            line.set(score, early)
            line.is_shown = shown[who]


class _Filled:
    """`scores` by the code of the period and participant: what they came to, and how early."""

    def __init__(self, tenant: Tenant, board: Board, *, now: datetime) -> None:
        self._tenant, self._board, self._now = tenant, board, now
        day = day_of(now, board.zone)
        self._began = start_of(day, board.zone)
        self._opening, self._moved = period_on(Kind.OPENING, day).code, period_on(Kind.MOVED, day).code
        self._lines: dict[tuple[int, UUID], Line] = {}

    @property
    def scores(self) -> dict[tuple[int, UUID], tuple[int, int]]:
        return {key: (line.score, line.earliness) for key, line in self._lines.items()}

    def take_sums(self, people: Sequence[Participant]) -> None:
        moved: set[UUID] = set()
        for each in added_by(self._tenant, people, self._board.measure):
            early = earliness(each.at)
            codes = [period.code for period in periods_at(each.at, self._board.zone)]
            if each.known_at < self._began:
                codes.append(self._opening)
            else:
                moved.add(each.participant_id)
            for code in codes:
                self._line(code, each.participant_id).add(each.amount, early)
        self._keep_movers(moved)

    def take_levels(self, people: Sequence[Participant]) -> None:
        moved: set[UUID] = set()
        levels = levels_of(self._tenant, people, self._board.measure, since=self._began, now=self._now)
        for who, level in levels.items():
            early = earliness(level.at)
            self._line(ALL_TIME.code, who).set(level.score, early)
            if level.before is not None and level.at >= self._began:
                moved.add(who)
                self._line(self._opening, who).set(level.before, early)
        self._keep_movers(moved)

    def _keep_movers(self, moved: Collection[UUID]) -> None:
        """Of a day, only those who moved on it; who began it with nothing has not begun it."""
        for code, who in list(self._lines):
            if code == self._opening and (who not in moved or self._lines[code, who].score <= 0):
                del self._lines[code, who]
        for who in moved:
            line = self._line(ALL_TIME.code, who)
            self._line(self._moved, who).set(line.score, line.earliness)

    def _line(self, code: int, who: UUID) -> Line:
        return self._lines.setdefault((code, who), Line(who))
