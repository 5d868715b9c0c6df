"""How far the filling of a board is."""

from gamify.leaderboards.models import Leaderboard
from gamify.leaderboards.selectors.catalog import Board
from participants.models import Tenant


def build_progress(tenant: Tenant, board: Board) -> float:
    """How much of a board is filled, from 0 to 1. It is 1 only if the board is complete.

    While a board is filled, this takes one statement: progress is not in the catalog, because each chunk would make the catalog
    stale. A complete board takes none.
    """
    if not board.is_building:
        return 1.0
    row = Leaderboard.objects.of(tenant).filter(pk=board.id, track=board.track).first()
    return 0.0 if row is None else row.build_progress
