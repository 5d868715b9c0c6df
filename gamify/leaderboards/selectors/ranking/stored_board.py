"""The stored scores and ranges of one board in one period: counts, rows and ranges. Waiting changes are not included."""

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
    """A participant on a board. Stored rows of a deleted participant have no external id; their waiting move removes them."""

    place: Place
    external_id: str
    display_name: str | None

    @classmethod
    def from_columns(cls, row: Sequence[Any]) -> "BoardRow":
        """Build a row from carry, score, earliness, participant id, external id and display name."""
        *place, external_id, display_name = row
        return cls(_place(place), external_id, display_name)

    @property
    def score(self) -> int:
        return self.place[0]


@dataclass(frozen=True)
class BoardSlice:
    """Consecutive rows of a board, from the top downwards.

    `start` is the number of rows above the first one. `is_at_end` tells whether the last row is the last of the board.
    """

    start: int
    rows: Sequence[BoardRow]
    is_at_end: bool


@dataclass(frozen=True)
class StoredBoard:
    """The stored scores and ranges of one track in one period."""

    tenant_id: UUID
    track: UUID
    period: int

    def total(self) -> int:
        [(total,)] = self.execute(statements.TOTAL)
        return int(total)

    def count_above(self, place: Place) -> int:
        """How many participants are above `place`. No participant needs to have this place."""
        [(number,)] = self.execute(statements.ABOVE, place)
        return int(number)

    def from_offset(self, offset: int, limit: int) -> BoardSlice:
        """Up to `limit` rows after the first `offset` ones."""
        rows = self._rows(statements.rows_from_offset(limit + 1, is_far=is_far_down(offset)), offset=offset)
        return BoardSlice(offset, rows[:limit], len(rows) <= limit)

    def around(self, place: Place, number: int) -> BoardSlice:
        """Up to `number` rows above `place`, and up to `number` rows from `place` downwards."""
        above = self._rows(statements.rows_beside(">", number), place)
        rows = self._rows(statements.rows_beside("<=", number + 1), place)
        return BoardSlice(self.count_above(place) - len(above), [*above, *rows[:number]], len(rows) <= number)

    def places(self, low: Place, end: Place | None) -> list[Place]:
        """The places from `low` (inclusive) to `end` (exclusive, None for the top of the board), in rising order."""
        rows = [_place(row) for row in self.execute(statements.PLACES, low, top=end or BEST_PLACE)]
        return rows[:-1] if rows and rows[-1] == end else rows

    def _rows(self, sql: str, place: Place = BEST_PLACE, *, offset: int = 0) -> list[BoardRow]:
        return [BoardRow.from_columns(row) for row in self.execute(sql, place, offset=offset)]

    def groups(self) -> list[Range]:
        """All groups, in rising order."""
        return [_range(row) for row in self.execute(statements.GROUPS)]

    def leaves(self, low: Place = WORST_PLACE, end: Place | None = None) -> list[Range]:
        """The leaves that begin from `low` (inclusive) to `end` (exclusive, None for the top), in rising order."""
        return [_range(row) for row in self.execute(statements.LEAVES, low, top=end or BEST_PLACE)]

    def leaves_holding(self, places: Collection[Place]) -> list[Range]:
        """The leaves that contain `places`, in rising order."""
        rows = self.execute(statements.leaves_holding(connection.vendor), **_place_parameters(places))
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
        """Run one of the texts of `statements` and return its rows.

        `place` and `top` are the two places that the text may use, `name` is an external id, `more` further parameters.
        """
        (carry, rest), (top_carry, top_rest) = split_score(place[0]), split_score(top[0])
        values = {
            "tenant": _uuid_parameter(self.tenant_id),
            "track": _uuid_parameter(self.track),
            "period": self.period,
            "carry": carry,
            "score": rest,
            "early": place[1],
            "who": _uuid_parameter(place[2]),
            "top_carry": top_carry,
            "top_score": top_rest,
            "top_early": top[1],
            "top_who": _uuid_parameter(top[2]),
            "offset": offset,
            "name": name,
        }
        with connection.cursor() as cursor:
            cursor.execute(sql, values | more)
            return list(cursor.fetchall())


def _place_parameters(places: Collection[Place]) -> dict[str, Any]:
    """The parameters that pass `places` to the SQL text `leaves_holding`: arrays on PostgreSQL, JSON on SQLite."""
    if connection.vendor == "postgresql":
        carries, rests, earlies, ids = zip(
            *((*split_score(score), early, who) for score, early, who in places), strict=True
        )
        columns = {"carries": carries, "scores": rests, "earlies": earlies, "ids": ids}
        return {name: array_literal(values) for name, values in columns.items()}
    return {"places": json.dumps([[*split_score(score), early, who.hex] for score, early, who in places])}


def _range(row: Sequence[Any]) -> Range:
    level, *place, count, pk = row
    return Range.from_row(level, _place(place), count, _uuid(pk))


def _place(columns: Sequence[Any]) -> Place:
    carry, rest, early, who = columns
    return join_score(carry, rest), early, _uuid(who)


def is_far_down(offset: int) -> bool:
    """Whether ranges find the offset faster than counting from the top."""
    return offset > MAX_LEAF


def _uuid_parameter(value: UUID) -> Any:
    return value if connection.vendor == "postgresql" else value.hex


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
