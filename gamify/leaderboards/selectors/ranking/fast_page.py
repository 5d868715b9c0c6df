"""Answers from one SQL statement, for boards whose score changes are all folded.

If no change waits to be folded, the stored scores are complete. One statement reads one moment, so it needs no transaction.

"""

from collections.abc import Sequence
from dataclasses import dataclass

from gamify.leaderboards.engine.ranking.places import competition_ranks
from gamify.leaderboards.selectors.ranking import statements
from gamify.leaderboards.selectors.ranking.stored_board import BoardRow, StoredBoard, is_far_down


@dataclass(frozen=True)
class FastPage:
    """The result of one statement. If `has_waiting_changes`, it is not the answer and must not be used.

    `revision` counts the changes of closed periods (`Folding.revision`). `rows_above` is the number of rows above the first of
    `rows`, and `better_scores` the number of those with a better score. `total` is the size of the board.
    """

    has_waiting_changes: bool
    revision: int
    total: int
    rows_above: int
    better_scores: int
    rows: Sequence[BoardRow]

    @property
    def ranks(self) -> Sequence[int]:
        scores = [row.score for row in self.rows]
        return competition_ranks(scores, start=self.rows_above, first=self.better_scores + 1)


def fast_page_at(stored: StoredBoard, offset: int, limit: int) -> FastPage:
    """Up to `limit` rows after the first `offset` ones."""
    sql = statements.fast_from_offset(limit, is_far=is_far_down(offset)) if offset else statements.fast_top(limit)
    return _fast_page(stored, sql, offset=offset)


def fast_page_around(stored: StoredBoard, external_id: str, number: int) -> FastPage:
    """Up to `number` rows above a participant, and up to `number` rows from the participant downwards.

    No rows if the participant is not on the board.
    """
    return _fast_page(stored, statements.fast_around(number), name=external_id)


def fast_page_of(stored: StoredBoard, external_id: str) -> FastPage:
    """The row of one participant. No rows if they are not on the board. `rows_above` is always 0."""
    return _fast_page(stored, statements.fast_participant(), name=external_id)


def _fast_page(stored: StoredBoard, sql: str, *, offset: int = 0, name: str = "") -> FastPage:
    found = stored.execute(sql, offset=offset, name=name)
    waiting, revision, total, above, better = found[0][:5]
    return FastPage(
        has_waiting_changes=bool(waiting),
        revision=int(revision),
        total=int(total),
        rows_above=int(above),
        better_scores=int(above if better is None else better),
        rows=[BoardRow.from_columns(columns[5:]) for columns in found if columns[5] is not None],
    )
