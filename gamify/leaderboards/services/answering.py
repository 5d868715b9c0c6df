"""Answers that are exact however much is waiting: what is too much to take in is folded first."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from gamify.facts.services import board_metrics
from gamify.leaderboards.engine.periods import Period
from gamify.leaderboards.selectors.catalog import Board
from gamify.leaderboards.selectors.pages import Page, PageRequest, ParticipantRank, page_of, participant_rank
from gamify.leaderboards.selectors.snapshots import TooManyWaitingChanges
from gamify.leaderboards.services.folding import fold_chunk
from participants.models import Tenant

T = TypeVar("T")


def answer_page(*, tenant: Tenant, board: Board, period: Period, request: PageRequest, now: datetime) -> Page:
    """Who stands where. Raises ParticipantNotFound."""
    _settle(tenant, board, now=now)
    return _answered(lambda: page_of(tenant, board, period, request=request, now=now), tenant, now=now)


def answer_rank(*, tenant: Tenant, board: Board, period: Period, participant_id: str, now: datetime) -> ParticipantRank:
    """Where one participant stands. Raises ParticipantNotFound."""
    _settle(tenant, board, now=now)
    return _answered(lambda: participant_rank(tenant, board, period, participant_id, now=now), tenant, now=now)


def _settle(tenant: Tenant, board: Board, *, now: datetime) -> None:
    """No answer counts points that have expired, whether a sweep has come or not: who reads balances takes its place."""
    if settle := board_metrics[board.measure.metric].settle:
        settle(tenant=tenant, now=now)


def _answered(ask: Callable[[], T], tenant: Tenant, *, now: datetime) -> T:
    while True:
        try:
            return ask()
        except TooManyWaitingChanges:
            fold_chunk(tenant=tenant, now=now)
