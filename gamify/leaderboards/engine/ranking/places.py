"""Where somebody stands on a board: by score, then by who came to it first, then by who was there first (contract §9).

A place is `(score, earliness, participant id)`, and the greater one is the better one: so places compare as the rows of the
database do. `earliness` is the instant at which the score was reached, in microseconds, negative.
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

_MAX_CARRY = 2**31 - 1  # what an integer column holds

WORST_PLACE: Place = (MIN_BIGINT, MIN_BIGINT, FIRST_ID)
BEST_PLACE: Place = (_MAX_CARRY * CARRY + MAX_BIGINT, MAX_BIGINT, LAST_ID)


def split_score(score: int) -> tuple[int, int]:
    """The columns `carry` and `score` of a score. The pairs sort as the scores do, because 0 <= rest < CARRY."""
    return divmod(score, CARRY)


def join_score(carry: int, rest: int) -> int:
    """The score whose columns are `carry` and `score`."""
    return carry * CARRY + rest


def earliness(at: datetime) -> int:
    return -((at - _EPOCH) // _MICROSECOND)


def instant(early: int) -> datetime:
    return _EPOCH - timedelta(microseconds=early)


def best_place_with_score(score: int) -> Place:
    """Whoever is better than this place has a better score: those who share it are not."""
    return score, MAX_BIGINT, LAST_ID


@dataclass(frozen=True)
class Move:
    """From one place to another; None for not being on the board."""

    before: Place | None
    after: Place | None


Moves = Mapping[UUID, Move]


def net_count(moves: Iterable[Move]) -> int:
    """How many more are on the board after `moves`."""
    return sum((move.after is not None) - (move.before is not None) for move in moves)


def net_count_above(moves: Iterable[Move], place: Place) -> int:
    """How many more are better than `place` after `moves`."""
    return sum(_is_above(move.after, place) - _is_above(move.before, place) for move in moves)


def _is_above(one: Place | None, other: Place) -> bool:
    return one is not None and one > other


def competition_ranks(scores: Sequence[int], *, start: int, first: int) -> Sequence[int]:
    """Ranks of standings in order, of whom `start` stand above the first, whose rank is `first`: who shares a score shares its rank."""
    ranks: list[int] = []
    for index, score in enumerate(scores):
        if index and score == scores[index - 1]:
            ranks.append(ranks[-1])
        else:
            ranks.append(start + index + 1 if index else first)
    return ranks


def percentile(rank: int, total: int) -> float:
    """Of how many in a hundred they are not behind, to one decimal; 100.0 for who is alone."""
    return 100.0 if total == 1 else round(100 * (total - rank) / total, 1)
