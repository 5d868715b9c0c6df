"""A whole answer in one question: where nothing waits to be folded, what is written is all there is.

One statement sees one moment by itself, without a transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gamify.leaderboards.engine.ranking.places import competition_ranks
from gamify.leaderboards.selectors.ranking import statements
from gamify.leaderboards.selectors.ranking.stored_board import BoardRow, StoredBoard, is_far_down


@dataclass(frozen=True)
class FastPage:
    """`waits` says that something is to be folded, so that the rest is not the answer. `revision` is that of the standings that are
    over. `start` stand above the first of `standings`, `better` of them with a better score.
    """

    has_waiting_changes: bool
    revision: int
    total: int
    rows_above: int
    better_scores: int
    rows: Sequence[BoardRow]

    @property
    def ranks(self) -> Sequence[int]:
        return competition_ranks(
            [each.score for each in self.rows], start=self.rows_above, first=self.better_scores + 1
        )


def fast_page_at(written: StoredBoard, offset: int, limit: int) -> FastPage:
    """So many from the one that `offset` stand above."""
    sql = statements.fast_from_offset(limit, is_far=is_far_down(offset)) if offset else statements.fast_top(limit)
    return _glance(written, sql, offset=offset)


def fast_page_around(written: StoredBoard, external_id: str, number: int) -> FastPage:
    """So many above a participant and so many from them downwards; nobody, where they are not on the board."""
    return _glance(written, statements.fast_around(number), name=external_id)


def fast_page_of(written: StoredBoard, external_id: str) -> FastPage:
    """One participant, or nobody, where they are not on the board; `start` is not told."""
    return _glance(written, statements.fast_participant(), name=external_id)


def _glance(written: StoredBoard, sql: str, *, offset: int = 0, name: str = "") -> FastPage:
    rows = written.execute(sql, offset=offset, name=name)
    waits, revision, total, start, better = rows[0][:5]
    standings = [BoardRow.from_columns(row[5:]) for row in rows if row[5] is not None]
    return FastPage(
        bool(waits), int(revision), int(total), int(start), int(start if better is None else better), standings
    )
