"""Compute scores from the history instead of from changes."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from gamify.leaderboards.engine.periods import ALL_TIME, Kind, Period, local_day, period_on, periods_on
from gamify.leaderboards.engine.ranking.drafts import ScoreDraft, ScoreDrafts
from gamify.leaderboards.engine.ranking.places import earliness
from gamify.leaderboards.selectors.catalog import Board, comparison_days
from gamify.leaderboards.selectors.history import amounts_in_history, levels_since
from participants.engine import start_of_day
from participants.models import Participant, Tenant


def refill(
    drafts: ScoreDrafts,
    tenant: Tenant,
    board: Board,
    people: Sequence[Participant],
    *,
    now: datetime,
    only: Collection[int] | None = None,
) -> None:
    """Set the drafts of `people` on one board from their history: in the periods with the codes `only`, or in all periods.

    The caller must have locked these participants, and must fold their waiting changes in the same transaction: the history
    already includes these changes, so they would count twice.
    """
    history = _HistoryScores(tenant, board, now=now)
    if board.measure.is_level:
        history.add_levels(people)
    else:
        history.add_sums(people)
    shown = {person.pk: is_shown(person) for person in people}
    for participant_id, scores in history.scores.items():
        for code, score in scores.items():
            if only is None or code in only:
                draft = drafts.get_or_put((board.track, code), score)
                draft.set(score.score, score.earliness)
                draft.is_shown = shown[participant_id]


def is_shown(person: Participant) -> bool:
    """Whether the participant appears on leaderboards."""
    return person.is_active and person.visible


class _HistoryScores:
    """Scores of one board that are computed from the history. `scores` has them by participant id and code of the period."""

    def __init__(self, tenant: Tenant, board: Board, *, now: datetime) -> None:
        self._tenant, self._board, self._now = tenant, board, now
        self._by_day: dict[date, tuple[Sequence[int], Sequence[date]]] = {}
        self._days = {day: start_of_day(day, board.zone) for day in comparison_days(board.zone, now=now)}
        self.scores: defaultdict[UUID, dict[int, ScoreDraft]] = defaultdict(dict)

    def add_sums(self, people: Sequence[Participant]) -> None:
        """Add up all amounts of these participants, for each period.

        The score at the start of a day (`Kind.OPENING`) includes everything that counts before that day, even if recorded later.
        """
        moved: set[tuple[date, UUID]] = set()
        for each in amounts_in_history(self._tenant, people, self._board.measure):
            early, participant_id = earliness(each.at), each.participant_id
            scores = self.scores[participant_id]
            codes, moved_days = self._periods_and_moves(local_day(each.at, self._board.zone))
            for code in codes:
                draft = scores.get(code) or scores.setdefault(code, ScoreDraft(participant_id))
                draft.add(each.amount, early)
            for day in moved_days:
                moved.add((day, participant_id))
        self._keep_movers(moved)

    def _periods_and_moves(self, day: date) -> tuple[Sequence[int], Sequence[date]]:
        """What an amount of a local day counts for: the codes of the periods, and the days on which the participant moved.

        The periods include the start (OPENING) of every comparison day after it.
        """
        if (found := self._by_day.get(day)) is None:
            openings = [period_on(Kind.OPENING, each) for each in self._days if each > day]
            codes = [period.code for period in (*periods_on(day), *openings)]
            found = self._by_day[day] = codes, [each for each in self._days if each <= day]
        return found

    def add_levels(self, people: Sequence[Participant]) -> None:
        """Look up current levels. Of the comparison days, only the start of today can be computed for a level."""
        moved: set[tuple[date, UUID]] = set()
        today, began = next(iter(self._days.items()))
        levels = levels_since(self._tenant, people, self._board.measure, since=began, now=self._now)
        for participant_id, level in levels.items():
            early = earliness(level.at)
            self._draft(ALL_TIME, participant_id).set(level.score, early)
            if level.score_before is not None and level.at >= began:
                moved.add((today, participant_id))
                self._draft(period_on(Kind.OPENING, today), participant_id).set(level.score_before, early)
        self._keep_movers(moved)

    def _keep_movers(self, moved: Collection[tuple[date, UUID]]) -> None:
        """Keep scores at the start of a day (OPENING) only for participants who moved on that day and had a score then.

        Add their scores after the move (MOVED).
        """
        for day in self._days:
            opening, moved_code = period_on(Kind.OPENING, day).code, period_on(Kind.MOVED, day).code
            for participant_id, scores in self.scores.items():
                has_moved = (day, participant_id) in moved
                if opening in scores and (not has_moved or scores[opening].score <= 0):
                    del scores[opening]
                if has_moved:
                    now = scores.get(ALL_TIME.code) or self._draft(ALL_TIME, participant_id)
                    scores[moved_code] = ScoreDraft(participant_id, now.score, now.earliness)

    def _draft(self, period: Period, participant_id: UUID) -> ScoreDraft:
        return self.scores[participant_id].setdefault(period.code, ScoreDraft(participant_id))
