"""Compute scores from the history instead of from changes."""

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
    for (code, participant_id), score in history.scores.items():
        if only is None or code in only:
            draft = drafts.get_or_create((board.track, code), participant_id)
            draft.set(score.score, score.earliness)
            draft.is_shown = shown[participant_id]


def is_shown(person: Participant) -> bool:
    """Whether the participant appears on leaderboards."""
    return person.is_active and person.visible


class _HistoryScores:
    """Scores of one board that are computed from the history. `scores` has them by (code of the period, participant id)."""

    def __init__(self, tenant: Tenant, board: Board, *, now: datetime) -> None:
        self._tenant, self._board, self._now = tenant, board, now
        self._days = {day: start_of_day(day, board.zone) for day in comparison_days(board.zone, now=now)}
        self.scores: dict[tuple[int, UUID], ScoreDraft] = {}

    def add_sums(self, people: Sequence[Participant]) -> None:
        """Add up all amounts of these participants, for each period.

        The score at the start of a day (`Kind.OPENING`) includes everything that counts before that day, even if recorded later.
        """
        moved: set[tuple[date, UUID]] = set()
        for each in amounts_in_history(self._tenant, people, self._board.measure):
            early, participant_id = earliness(each.at), each.participant_id
            moved |= {(day, participant_id) for day, began in self._days.items() if each.at >= began}
            openings = [period_on(Kind.OPENING, day) for day, began in self._days.items() if each.at < began]
            for period in (*periods_at(each.at, self._board.zone), *openings):
                self._draft(period, participant_id).add(each.amount, early)
        self._keep_movers(moved)

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
        opened = {(period_on(Kind.OPENING, day).code, participant_id) for day, participant_id in moved}
        openings = {period_on(Kind.OPENING, day).code for day in self._days}
        for key in list(self.scores):
            if key[0] in openings and (key not in opened or self.scores[key].score <= 0):
                del self.scores[key]
        for day, participant_id in moved:
            draft = self._draft(ALL_TIME, participant_id)
            self._draft(period_on(Kind.MOVED, day), participant_id).set(draft.score, draft.earliness)

    def _draft(self, period: Period, participant_id: UUID) -> ScoreDraft:
        return self.scores.setdefault((period.code, participant_id), ScoreDraft(participant_id))
