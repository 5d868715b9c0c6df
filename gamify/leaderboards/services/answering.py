"""Pages and ranks for the API and the console. They are exact, however many changes wait."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from gamify.facts.services import board_metrics
from gamify.leaderboards.engine.periods import Period
from gamify.leaderboards.selectors.catalog import Board
from gamify.leaderboards.selectors.ranking.pages import Page, PageRequest, ParticipantRank, page_of, participant_rank
from gamify.leaderboards.selectors.ranking.snapshots import TooManyWaitingChanges
from gamify.leaderboards.services.folding import fold_chunk
from participants.models import Tenant

T = TypeVar("T")


def answer_page(*, tenant: Tenant, board: Board, period: Period, request: PageRequest, now: datetime) -> Page:
    """A page of a board in one period.

    Raises:
        ParticipantNotFound: no participant has the id `request.around`.
    """
    _settle(tenant, board, now=now)
    return _fold_until_answered(lambda: page_of(tenant, board, period, request=request, now=now), tenant, now=now)


def answer_rank(*, tenant: Tenant, board: Board, period: Period, participant_id: str, now: datetime) -> ParticipantRank:
    """The rank of one participant, whose external id is `participant_id`.

    Raises:
        ParticipantNotFound: no participant has this id.
    """
    _settle(tenant, board, now=now)
    return _fold_until_answered(
        lambda: participant_rank(tenant, board, period, participant_id, now=now), tenant, now=now
    )


def _settle(tenant: Tenant, board: Board, *, now: datetime) -> None:
    """Write what time alone has changed, such as expired points. No answer may count them, even if the sweep has not run yet."""
    if settle := board_metrics[board.measure.metric].settle:
        settle(tenant=tenant, now=now)


def _fold_until_answered(ask: Callable[[], T], tenant: Tenant, *, now: datetime) -> T:
    """Call `ask` until it returns. Before each repetition, store a fold of the oldest waiting changes."""
    while True:
        try:
            return ask()
        except TooManyWaitingChanges:
            fold_chunk(tenant=tenant, now=now)
