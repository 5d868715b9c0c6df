"""One board in one period, as it is written: how many stand above a place, and who stands where, by ranges and index."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connection

from gamify.leaderboards.engine.ranking.places import BEST_PLACE, WORST_PLACE, Place, join_score, split_score
from gamify.leaderboards.engine.ranking.ranges import MAX_LEAF, Range
from gamify.leaderboards.selectors.ranking import statements
from participants.database import array_literal


@dataclass(frozen=True)
class BoardRow:
    """Somebody on a board. `external_id` and `display_name` are as clients know them."""

    place: Place
    external_id: str
    display_name: str | None

    @classmethod
    def from_columns(cls, row: Sequence[Any]) -> "BoardRow":
        *place, external_id, display_name = row
        return cls(_place(place), external_id, display_name)

    @property
    def score(self) -> int:
        return self.place[0]


@dataclass(frozen=True)
class BoardSlice:
    """Standings in order, and how many stand above the first. `ends` says whether nobody stands below the last."""

    start: int
    rows: Sequence[BoardRow]
    is_at_end: bool


@dataclass(frozen=True)
class StoredBoard:
    """What is written of one track in one period."""

    tenant_id: UUID
    track: UUID
    period: int

    def total(self) -> int:
        [(total,)] = self.execute(statements.TOTAL)
        return int(total)

    def count_above(self, place: Place) -> int:
        """How many stand above `place`, which may be nobody's."""
        [(number,)] = self.execute(statements.ABOVE, place)
        return int(number)

    def from_offset(self, offset: int, limit: int) -> BoardSlice:
        """So many from the one that `offset` stand above."""
        rows = self._standings(statements.rows_from_offset(limit + 1, is_far=is_far_down(offset)), offset=offset)
        return BoardSlice(offset, rows[:limit], len(rows) <= limit)

    def around(self, place: Place, number: int) -> BoardSlice:
        """So many above `place`, and so many from it downwards."""
        over = self._standings(statements.rows_beside(">", number), place)
        rows = self._standings(statements.rows_beside("<=", number + 1), place)
        return BoardSlice(self.count_above(place) - len(over), [*over, *rows[:number]], len(rows) <= number)

    def places(self, low: Place, end: Place | None) -> list[Place]:
        """Those from `low` up to `end`, where there is one, in rising order."""
        rows = [_place(row) for row in self.execute(statements.PLACES, low, top=end or BEST_PLACE)]
        return rows[:-1] if rows and rows[-1] == end else rows

    def _standings(self, sql: str, place: Place = BEST_PLACE, *, offset: int = 0) -> list[BoardRow]:
        return [BoardRow.from_columns(row) for row in self.execute(sql, place, offset=offset)]

    def groups(self) -> list[Range]:
        """In rising order, as leaves are."""
        return [_range(row) for row in self.execute(statements.GROUPS)]

    def leaves(self, low: Place = WORST_PLACE, end: Place | None = None) -> list[Range]:
        """Those that begin from `low` up to `end`, where there is one."""
        return [_range(row) for row in self.execute(statements.LEAVES, low, top=end or BEST_PLACE)]

    def leaves_holding(self, places: Collection[Place]) -> list[Range]:
        """Those that hold `places`."""
        rows = self.execute(statements.leaves_holding(connection.vendor), **_places(places))
        return sorted(map(_range, rows), key=attrgetter("low"))

    def execute(
        self,
        sql: str,
        place: Place = BEST_PLACE,
        *,
        top: Place = BEST_PLACE,
        offset: int = 0,
        name: str = "",
        **more: Any,
    ) -> list[Any]:
        """The rows of one of `statements`."""
        (carry, rest), (top_carry, top_rest) = split_score(place[0]), split_score(top[0])
        values = {
            "tenant": _written(self.tenant_id),
            "track": _written(self.track),
            "period": self.period,
            "carry": carry,
            "score": rest,
            "early": place[1],
            "who": _written(place[2]),
            "top_carry": top_carry,
            "top_score": top_rest,
            "top_early": top[1],
            "top_who": _written(top[2]),
            "offset": offset,
            "name": name,
        }
        with connection.cursor() as cursor:
            cursor.execute(sql, values | more)
            return list(cursor.fetchall())


def _places(places: Collection[Place]) -> dict[str, Any]:
    """For `statements.leaves_of`."""
    if connection.vendor == "postgresql":
        carries, rests, earlies, ids = zip(
            *((*split_score(score), early, who) for score, early, who in places), strict=True
        )
        columns = {"carries": carries, "scores": rests, "earlies": earlies, "ids": ids}
        return {name: array_literal(values) for name, values in columns.items()}
    return {"places": json.dumps([[*split_score(score), early, who.hex] for score, early, who in places])}


def _range(row: Sequence[Any]) -> Range:
    level, *place, count, pk = row
    return Range.from_row(level, _place(place), count, _read(pk))


def _place(columns: Sequence[Any]) -> Place:
    carry, rest, early, who = columns
    return join_score(carry, rest), early, _read(who)


def is_far_down(offset: int) -> bool:
    """Whether to look for it by ranges, rather than to count from the top."""
    return offset > MAX_LEAF


def _written(value: UUID) -> Any:
    return value if connection.vendor == "postgresql" else value.hex


def _read(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
