"""Places: the order of participants on a board (docs/contract.md §9).

A place is the tuple `(score, earliness, participant id)`. The greater place is the better one. `earliness` is the instant at
which the score was reached, in negative microseconds since 1970: of two equal scores, the earlier one is better. The id makes
every place unique. The database sorts rows in the same order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from participants.engine import MAX_BIGINT, MIN_BIGINT

Place = tuple[int, int, UUID]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

FIRST_ID, LAST_ID = UUID(int=0), UUID(int=2**128 - 1)

CARRY = 2**63
"""A score is stored in two columns: `carry` counts whole multiples of this number, and `score` holds the rest."""

_MAX_CARRY = 2**31 - 1  # the greatest value of an integer column

WORST_PLACE: Place = (MIN_BIGINT, MIN_BIGINT, FIRST_ID)
BEST_PLACE: Place = (_MAX_CARRY * CARRY + MAX_BIGINT, MAX_BIGINT, LAST_ID)


def split_score(score: int) -> tuple[int, int]:
    """The values of the columns `carry` and `score`. The pairs sort as the scores do, because 0 <= rest < CARRY."""
    return divmod(score, CARRY)


def join_score(carry: int, rest: int) -> int:
    """The score that is stored as `carry` and `score` (here `rest`)."""
    return carry * CARRY + rest


def earliness(at: datetime) -> int:
    """The earliness of a score that was reached at this instant, in negative microseconds since 1970."""
    return -((at - _EPOCH) // _MICROSECOND)


def best_place_with_score(score: int) -> Place:
    """The best possible place with this score. Every place above it has a better score, so it gives the rank of a tie."""
    return score, MAX_BIGINT, LAST_ID


@dataclass(frozen=True)
class Move:
    """A participant's change from one place to another. None means that the participant is not on the board."""

    before: Place | None
    after: Place | None


Moves = Mapping[UUID, Move]
"""The moves on one track in one period, by participant id."""


def net_count(moves: Iterable[Move]) -> int:
    """How many more participants are on the board after `moves`. Negative if there are fewer."""
    return sum((move.after is not None) - (move.before is not None) for move in moves)


def net_count_above(moves: Iterable[Move], place: Place) -> int:
    """How many more participants are above `place` after `moves`. Negative if there are fewer."""
    return sum(_is_above(move.after, place) - _is_above(move.before, place) for move in moves)


def _is_above(one: Place | None, other: Place) -> bool:
    return one is not None and one > other


def competition_ranks(scores: Sequence[int], *, start: int, first: int) -> Sequence[int]:
    """The ranks of consecutive rows of a board, for example 1, 2, 2, 4. Equal scores share a rank.

    `scores` are in falling order. `start` is the number of rows above the first of them, and `first` its rank, which is
    smaller than `start + 1` if a row above has the same score.
    """
    ranks: list[int] = []
    for index, score in enumerate(scores):
        if index and score == scores[index - 1]:
            ranks.append(ranks[-1])
        else:
            ranks.append(start + index + 1 if index else first)
    return ranks


def percentile(rank: int, total: int) -> float:
    """`100 * (total - rank) / total`, rounded to one decimal. It is 100.0 for a participant alone on the board."""
    return 100.0 if total == 1 else round(100 * (total - rank) / total, 1)
