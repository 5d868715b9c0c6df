"""A whole answer in one question: where nothing waits to be folded, what is written is all there is.

One statement sees one moment by itself, without a transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gamify.leaderboards.engine.places import competition_ranks
from gamify.leaderboards.selectors import statements
from gamify.leaderboards.selectors.counting import BoardRow, Written, is_far


@dataclass(frozen=True)
class FastPage:
    """`waits` says that something is to be folded, so that the rest is not the answer. `revision` is that of the standings that are
    over. `start` stand above the first of `standings`, `better` of them with a better score.
    """

    waits: bool
    revision: int
    total: int
    start: int
    better: int
    standings: Sequence[BoardRow]

    @property
    def ranks(self) -> Sequence[int]:
        return competition_ranks([each.score for each in self.standings], start=self.start, first=self.better + 1)


def glance_at(written: Written, offset: int, limit: int) -> FastPage:
    """So many from the one that `offset` stand above."""
    sql = statements.from_offset(limit, is_far=is_far(offset)) if offset else statements.top(limit)
    return _glance(written, sql, offset=offset)


def glance_around(written: Written, external_id: str, number: int) -> FastPage:
    """So many above a participant and so many from them downwards; nobody, where they are not on the board."""
    return _glance(written, statements.around(number), name=external_id)


def glance_of(written: Written, external_id: str) -> FastPage:
    """One participant, or nobody, where they are not on the board; `start` is not told."""
    return _glance(written, statements.one(), name=external_id)


def _glance(written: Written, sql: str, *, offset: int = 0, name: str = "") -> FastPage:
    rows = written.ask(sql, offset=offset, name=name)
    waits, revision, total, start, better = rows[0][:5]
    standings = [BoardRow.read(row[5:]) for row in rows if row[5] is not None]
    return FastPage(
        bool(waits), int(revision), int(total), int(start), int(start if better is None else better), standings
    )
