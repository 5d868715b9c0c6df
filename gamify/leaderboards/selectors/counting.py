"""One board in one period, as it is written: how many stand above a place, and who stands where, by ranges and index.

Nothing here reads more than some hundred ranges and a leaf of places, however many there are. Rows are compared as they are
indexed, `(score, earliness, participant)`, which the ORM has no word for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection

from gamify.leaderboards.engine.places import BEST, WORST, Place
from gamify.leaderboards.engine.ranges import GROUP, LEAF, MAX_LEAF
from gamify.leaderboards.models import Score, ScoreRange
from participants.models import Participant

_SCORES, _RANGES = Score._meta.db_table, ScoreRange._meta.db_table
_PEOPLE = Participant._meta.db_table
_PLACE = "score, earliness, participant_id"
_OF_PERIOD = "track = %(track)s AND period = %(period)s"
_SHOWN = f"{_OF_PERIOD} AND is_shown = true"
_OF_LEVEL = "tenant_id = %(tenant)s AND " + _OF_PERIOD + " AND level = {level}"
_KEY = "(%(score)s, %(early)s, %(who)s)"
_END = (
    "(COALESCE((SELECT score FROM {of}), %(top_score)s), COALESCE((SELECT earliness FROM {of}), %(top_early)s),"
    " COALESCE((SELECT participant_id FROM {of}), %(top_who)s))"
)


def _next(level: int) -> str:
    """The first range of a level that lies above the place as a whole."""
    where = _OF_LEVEL.format(level=level)
    return (
        f"SELECT {_PLACE} FROM {_RANGES} WHERE {where} AND ({_PLACE}) > {_KEY}"  # noqa: S608 - names of our own models
        " ORDER BY score, earliness, participant_id LIMIT 1"
    )


# Whole groups, then whole leaves below the first of those, then places below the first of these.
_ABOVE = f"""
    WITH upper AS ({_next(GROUP)}), lower AS ({_next(LEAF)})
    SELECT COALESCE((
        SELECT SUM(count) FROM {_RANGES} WHERE {_OF_LEVEL.format(level=GROUP)} AND ({_PLACE}) > {_KEY}
    ), 0) + COALESCE((
        SELECT SUM(count) FROM {_RANGES} WHERE {_OF_LEVEL.format(level=LEAF)} AND ({_PLACE}) > {_KEY}
            AND ({_PLACE}) < {_END.format(of="upper")}
    ), 0) + (
        SELECT COUNT(*) FROM {_SCORES} WHERE {_SHOWN} AND ({_PLACE}) > {_KEY} AND ({_PLACE}) < {_END.format(of="lower")}
    )
"""  # noqa: S608 - names of our own models
_TOTAL = f"SELECT COALESCE(SUM(count), 0) FROM {_RANGES} WHERE {_OF_LEVEL.format(level=GROUP)}"  # noqa: S608 - as above
_COUNTS = (
    f"SELECT {_PLACE}, count FROM {_RANGES} WHERE {{where}} AND ({_PLACE}) >= {_KEY}"  # noqa: S608 - as above
    " AND (score, earliness, participant_id) < (%(top_score)s, %(top_early)s, %(top_who)s)"
    " ORDER BY score DESC, earliness DESC, participant_id DESC"
)
_PLACES = (
    f"SELECT {_PLACE} FROM {_SCORES} WHERE {_SHOWN} AND ({_PLACE}) >= {_KEY}"  # noqa: S608 - as above
    f" AND ({_PLACE}) <= (%(top_score)s, %(top_early)s, %(top_who)s) ORDER BY score, earliness, participant_id"
)
# The limit stands in the text: of a number that it does not know, the planner thinks a tenth of the board, and reads everybody's name.
_PAGE = f"""
    WITH page AS MATERIALIZED (
        SELECT {_PLACE} FROM {_SCORES} WHERE {_SHOWN} AND ({_PLACE}) {{than}} {_KEY}
        ORDER BY score {{way}}, earliness {{way}}, participant_id {{way}} LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT page.score, page.earliness, page.participant_id, p.external_id, p.display_name
    FROM page JOIN {_PEOPLE} p ON p.id = page.participant_id AND p.tenant_id = %(tenant)s
    ORDER BY page.score {{way}}, page.earliness {{way}}, page.participant_id {{way}}
"""  # noqa: S608 - as above
_BELOW, _FROM = _PAGE.format(than="<", way="DESC"), _PAGE.format(than="<=", way="DESC")
_OVER = _PAGE.format(than=">", way="ASC")


@dataclass(frozen=True)
class Standing:
    """Somebody on a board. `external_id` and `display_name` are as clients know them."""

    place: Place
    external_id: str
    display_name: str | None

    @property
    def score(self) -> int:
        return self.place[0]


@dataclass(frozen=True)
class Window:
    """Standings in order, and how many stand above the first. `ends` says whether nobody stands below the last."""

    start: int
    standings: Sequence[Standing]
    ends: bool


@dataclass(frozen=True)
class Written:
    """What is written of one track in one period."""

    tenant_id: UUID
    track: UUID
    period: int

    def total(self) -> int:
        [(total,)] = self._ask(_TOTAL)
        return int(total)

    def above(self, place: Place) -> int:
        """How many stand above `place`, which may be nobody's."""
        [(number,)] = self._ask(_ABOVE, place)
        return int(number)

    def from_offset(self, offset: int, limit: int) -> Window:
        """So many from the one that `offset` stand above."""
        below, rest = (BEST, offset) if offset <= MAX_LEAF else self._found(offset)
        rows = self._standings(_BELOW, below, limit + 1, rest)
        return Window(offset, rows[:limit], len(rows) <= limit)

    def around(self, place: Place, number: int) -> Window:
        """So many above `place`, and so many from it downwards."""
        over = self._standings(_OVER, place, number, 0)[::-1]
        rows = self._standings(_FROM, place, number + 1, 0)
        return Window(self.above(place) - len(over), [*over, *rows[:number]], len(rows) <= number)

    def places(self, low: Place, end: Place | None) -> list[Place]:
        """Those from `low` up to `end`, where there is one, in rising order."""
        rows = [(score, early, _read(who)) for score, early, who in self._ask(_PLACES, low, top=end or BEST)]
        return rows[:-1] if rows and rows[-1] == end else rows

    def _standings(self, sql: str, place: Place, limit: int, offset: int) -> list[Standing]:
        rows = self._ask(sql.replace("%(limit)s", str(int(limit))), place, offset=offset)
        return [
            Standing((score, early, _read(who)), external_id, display_name)
            for score, early, who, external_id, display_name in rows
        ]

    def _found(self, offset: int) -> tuple[Place, int]:
        """The place below which to look, and how many to leave out there: the group that holds the one looked for, then the leaf."""
        low, high, rest = self._range_at(GROUP, (WORST, BEST), offset)
        _, high, rest = self._range_at(LEAF, (low, high), rest)
        return high, rest

    def _range_at(self, level: int, within: tuple[Place, Place], offset: int) -> tuple[Place, Place, int]:
        """Where the range begins and ends that holds the one that `offset` of those `within` stand above."""
        low, high = within
        for low, count in self._counts(level, within):
            if offset < count:
                break
            offset, high = offset - count, low
        return low, high, offset

    def _counts(self, level: int, within: tuple[Place, Place]) -> Iterator[tuple[Place, int]]:
        sql = _counts_sql(level)
        for score, early, who, count in self._ask(sql, within[0], top=within[1]):
            yield (score, early, _read(who)), count

    def _ask(self, sql: str, place: Place = BEST, *, top: Place = BEST, **more: Any) -> list[Any]:
        values = {
            "tenant": _written(self.tenant_id),
            "track": _written(self.track),
            "period": self.period,
            "score": place[0],
            "early": place[1],
            "who": _written(place[2]),
            "top_score": top[0],
            "top_early": top[1],
            "top_who": _written(top[2]),
        }
        with connection.cursor() as cursor:
            cursor.execute(sql, values | more)
            return list(cursor.fetchall())


@lru_cache
def _counts_sql(level: int) -> str:
    return _COUNTS.format(where=_OF_LEVEL.format(level=level))


def _written(value: UUID) -> Any:
    return value if connection.vendor == "postgresql" else value.hex


def _read(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
