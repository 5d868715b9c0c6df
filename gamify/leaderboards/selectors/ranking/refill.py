"""Scores of some participants on one board, from the history instead of from changes."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from gamify.leaderboards.engine.periods import ALL_TIME, Kind, Period, period_on, periods_at, start_of_day
from gamify.leaderboards.engine.ranking.drafts import ScoreDraft, ScoreDrafts
from gamify.leaderboards.engine.ranking.places import earliness
from gamify.leaderboards.selectors.catalog import Board, comparison_days
from gamify.leaderboards.selectors.history import amounts_in_history, levels_since
from participants.models import Participant, Tenant


def refill(
    lines: ScoreDrafts,
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
            line = lines.get_or_create((board.track, code), who)
            line.set(score, early)
            line.is_shown = shown[who]


class _Filled:
    """`scores` by the code of the period and participant: what they came to, and how early."""

    def __init__(self, tenant: Tenant, board: Board, *, now: datetime) -> None:
        self._tenant, self._board, self._now = tenant, board, now
        self._days = {day: start_of_day(day, board.zone) for day in comparison_days(board.zone, now=now)}
        self._lines: dict[tuple[int, UUID], ScoreDraft] = {}

    @property
    def scores(self) -> dict[tuple[int, UUID], tuple[int, int]]:
        return {key: (line.score, line.earliness) for key, line in self._lines.items()}

    def take_sums(self, people: Sequence[Participant]) -> None:
        """A day begins with everything that counts before it, whenever that became known."""
        moved: set[tuple[date, UUID]] = set()
        for each in amounts_in_history(self._tenant, people, self._board.measure):
            early, who = earliness(each.at), each.participant_id
            moved |= {(day, who) for day, began in self._days.items() if each.at >= began}
            openings = [period_on(Kind.OPENING, day) for day, began in self._days.items() if each.at < began]
            for period in (*periods_at(each.at, self._board.zone), *openings):
                self._line(period, who).add(each.amount, early)
        self._keep_movers(moved)

    def take_levels(self, people: Sequence[Participant]) -> None:
        """Of levels only today's beginning can be known."""
        moved: set[tuple[date, UUID]] = set()
        today, began = next(iter(self._days.items()))
        levels = levels_since(self._tenant, people, self._board.measure, since=began, now=self._now)
        for who, level in levels.items():
            early = earliness(level.at)
            self._line(ALL_TIME, who).set(level.score, early)
            if level.score_before is not None and level.at >= began:
                moved.add((today, who))
                self._line(period_on(Kind.OPENING, today), who).set(level.score_before, early)
        self._keep_movers(moved)

    def _keep_movers(self, moved: Collection[tuple[date, UUID]]) -> None:
        """Keep the OPENING rows of participants who moved on that day and had a score when it began. Add their MOVED rows."""
        opened = {(period_on(Kind.OPENING, day).code, who) for day, who in moved}
        openings = {period_on(Kind.OPENING, day).code for day in self._days}
        for code, who in list(self._lines):
            if code in openings and ((code, who) not in opened or self._lines[code, who].score <= 0):
                del self._lines[code, who]
        for day, who in moved:
            line = self._line(ALL_TIME, who)
            self._line(period_on(Kind.MOVED, day), who).set(line.score, line.earliness)

    def _line(self, period: Period, who: UUID) -> ScoreDraft:
        return self._lines.setdefault((period.code, who), ScoreDraft(who))
