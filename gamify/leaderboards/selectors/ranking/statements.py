"""What is asked of a board's scores and ranges, in SQL: rows are compared as they are indexed, `(score, earliness, participant)`, which
the ORM has no word for.

Every text takes its values by name: tenant, track, period, a place (carry, score, early, who), another one above it (top_carry, top_score,
top_early, top_who),
offset, name (a participant's id as clients know it). No text reads more than some hundred ranges and a leaf of places, however many there are.
"""

from functools import lru_cache

from gamify.leaderboards.engine.ranking.ranges import GROUP, LEAF
from gamify.leaderboards.models import Folding, Score, ScoreChange, ScoreRange
from participants.models import Participant

# ruff: noqa: S608 - the texts are made of names of our own models

_SCORES, _RANGES, _PEOPLE = (model._meta.db_table for model in (Score, ScoreRange, Participant))
_CHANGES, _FOLDINGS = (model._meta.db_table for model in (ScoreChange, Folding))
_PLACE = "carry, score, earliness, participant_id"
_RISING, _FALLING = _PLACE, "carry DESC, score DESC, earliness DESC, participant_id DESC"
_OF_PERIOD = "track = %(track)s AND period = %(period)s"
_SHOWN = f"{_OF_PERIOD} AND is_shown = true"
_TOP = "(%(top_carry)s, %(top_score)s, %(top_early)s, %(top_who)s)"
_GIVEN = "(%(carry)s, %(score)s, %(early)s, %(who)s)"


def _level(level: int) -> str:
    return f"tenant_id = %(tenant)s AND {_OF_PERIOD} AND level = {level}"


# --- how many ---------------------------------------------------------------------------------------------------------


def _above(key: str, name: str) -> tuple[str, str]:
    """How many stand above the place `key`: the tables it takes, called after `name`, and the number.

    Whole groups, then whole leaves below the first of those, then places below the first of these.
    """
    tables = ", ".join(
        f"{name}_{level} AS (SELECT {_PLACE} FROM {_RANGES} WHERE {_level(level)} AND ({_PLACE}) > {key} ORDER BY {_RISING} LIMIT 1)"
        for level in (GROUP, LEAF)
    )
    number = f"""
        COALESCE((SELECT SUM(count) FROM {_RANGES} WHERE {_level(GROUP)} AND ({_PLACE}) > {key}), 0)
        + COALESCE((
            SELECT SUM(count) FROM {_RANGES}
            WHERE {_level(LEAF)} AND ({_PLACE}) > {key} AND ({_PLACE}) < {_first_of(f"{name}_{GROUP}")}
        ), 0)
        + (
            SELECT COUNT(*) FROM {_SCORES}
            WHERE {_SHOWN} AND ({_PLACE}) > {key} AND ({_PLACE}) < {_first_of(f"{name}_{LEAF}")}
        )
    """
    return tables, number


def _first_of(table: str) -> str:
    """The place in it, or the top where it is empty."""
    columns = (
        ("carry", "top_carry"),
        ("score", "top_score"),
        ("earliness", "top_early"),
        ("participant_id", "top_who"),
    )
    return "(" + ", ".join(f"COALESCE((SELECT {name} FROM {table}), %({top})s)" for name, top in columns) + ")"


_TABLES, _NUMBER = _above(_GIVEN, "next")
ABOVE = f"WITH {_TABLES} SELECT {_NUMBER}"
TOTAL = f"SELECT COALESCE(SUM(count), 0) FROM {_RANGES} WHERE {_level(GROUP)}"

_RANGE = f"level, {_PLACE}, count, id"
GROUPS = f"SELECT {_RANGE} FROM {_RANGES} WHERE {_level(GROUP)} ORDER BY {_RISING}"
LEAVES = f"SELECT {_RANGE} FROM {_RANGES} WHERE {_level(LEAF)} AND ({_PLACE}) >= {_GIVEN} AND ({_PLACE}) < {_TOP} ORDER BY {_RISING}"
_GIVEN_PLACES = {
    "postgresql": "unnest(%(carries)s::int[], %(scores)s::bigint[], %(earlies)s::bigint[], %(ids)s::uuid[]) AS place (carry, score, earliness, participant_id)",
    "sqlite": """(
        SELECT json_extract(value, '$[0]') AS carry, json_extract(value, '$[1]') AS score, json_extract(value, '$[2]') AS earliness,
            json_extract(value, '$[3]') AS participant_id
        FROM json_each(%(places)s)
    ) AS place""",
}


@lru_cache
def leaves_holding(vendor: str) -> str:
    """The leaves that hold some places, which come as arrays (carries, scores, earlies, ids) or as JSON (places), by the vendor."""
    return f"""
        SELECT DISTINCT held.level, held.carry, held.score, held.earliness, held.participant_id, held.count, held.id
        FROM {_GIVEN_PLACES[vendor]} JOIN {_RANGES} held ON held.id = (
            SELECT id FROM {_RANGES}
            WHERE {_level(LEAF)} AND ({_PLACE}) <= (place.carry, place.score, place.earliness, place.participant_id)
            ORDER BY {_FALLING} LIMIT 1
        )
    """


# --- who --------------------------------------------------------------------------------------------------------------


PLACES = f"SELECT {_PLACE} FROM {_SCORES} WHERE {_SHOWN} AND ({_PLACE}) >= {_GIVEN} AND ({_PLACE}) <= {_TOP} ORDER BY {_RISING}"


def _places(than: str, key: str, limit: int) -> str:
    """So many that are `than` a place, the nearest first.

    The limit stands in the text: of a number that it does not know, the planner thinks a tenth of the board, and reads everybody's name.
    """
    order = _RISING if than == ">" else _FALLING
    return f"SELECT {_PLACE} FROM {_SCORES} WHERE {_SHOWN} AND ({_PLACE}) {than} {key} ORDER BY {order} LIMIT {limit:d}"


def _holding(where: str, skipped: str) -> str:
    """Of ranges from the top downwards, the one that holds the place at the offset; `skipped` stand above all of them."""
    return f"""
        SELECT {_PLACE}, upto - count AS skipped
        FROM (
            SELECT {_PLACE}, count, {skipped} + SUM(count) OVER (ORDER BY {_FALLING}) AS upto FROM {_RANGES} WHERE {where}
        ) AS counted
        WHERE upto > %(offset)s AND upto - count <= %(offset)s
    """


def _next_to(table: str, level: int) -> str:
    """The range above the one in `table`, or nothing."""
    return f"SELECT {_PLACE} FROM {_RANGES} WHERE {_level(level)} AND ({_PLACE}) > (SELECT {_PLACE} FROM {table}) ORDER BY {_RISING} LIMIT 1"


def _far_down(limit: int) -> str:
    """The tables that find a page by its offset: the group that holds its first one, then the leaf, and of that leaf the place."""
    within = f"{_level(LEAF)} AND ({_PLACE}) >= (SELECT {_PLACE} FROM grp) AND ({_PLACE}) < {_first_of('above_grp')}"
    return f"""
        grp AS MATERIALIZED ({_holding(_level(GROUP), "0")}),
        above_grp AS MATERIALIZED ({_next_to("grp", GROUP)}),
        leaf AS MATERIALIZED ({_holding(within, "(SELECT skipped FROM grp)")}),
        above_leaf AS MATERIALIZED ({_next_to("leaf", LEAF)}),
        page AS MATERIALIZED (
            SELECT {_PLACE} FROM {_SCORES}
            WHERE {_SHOWN} AND ({_PLACE}) < {_first_of("above_leaf")} AND EXISTS (SELECT 1 FROM leaf)
            ORDER BY {_FALLING} LIMIT {limit:d} OFFSET COALESCE(%(offset)s - (SELECT skipped FROM leaf), 0)
        )
    """


def _from_offset(limit: int, *, is_far: bool) -> str:
    return _far_down(limit) if is_far else f"page AS MATERIALIZED ({_places('<', _TOP, limit)} OFFSET %(offset)s)"


_NAMED = f"page JOIN {_PEOPLE} p ON p.id = page.participant_id AND p.tenant_id = %(tenant)s"
_STANDING = "page.carry, page.score, page.earliness, page.participant_id, p.external_id, p.display_name"
_PAGE_ORDER = "page.carry DESC, page.score DESC, page.earliness DESC, page.participant_id DESC"


@lru_cache
def rows_beside(than: str, limit: int) -> str:
    """So many that are `than` the given place, with their names, from the top downwards."""
    return _named(f"page AS MATERIALIZED ({_places(than, _GIVEN, limit)})")


@lru_cache
def rows_from_offset(limit: int, *, is_far: bool) -> str:
    """So many from the offset on, with their names; `is_far` where that is more than some hundred."""
    return _named(_from_offset(limit, is_far=is_far))


def _named(page: str) -> str:
    return f"WITH {page} SELECT {_STANDING} FROM {_NAMED} ORDER BY {_PAGE_ORDER}"


# --- all at once ------------------------------------------------------------------------------------------------------

_WAITS = f"EXISTS (SELECT 1 FROM {_CHANGES} WHERE tenant_id = %(tenant)s)"
_REVISION = f"COALESCE((SELECT revision FROM {_FOLDINGS} WHERE tenant_id = %(tenant)s), 0)"
_EDGE = f"edge AS MATERIALIZED (SELECT {_PLACE} FROM page ORDER BY {_FALLING} LIMIT 1)"
_AT_EDGE = f"(SELECT {_PLACE} FROM edge)"
_SHARING_EDGE = (
    "(SELECT carry, score, %(top_early)s, %(top_who)s FROM edge)"  # nobody above it has the score of the edge
)
_IS_SHARED = f"EXISTS (SELECT 1 FROM {_SCORES} WHERE {_SHOWN} AND ({_PLACE}) > (SELECT {_PLACE} FROM edge) AND ({_PLACE}) < {_SHARING_EDGE})"
_OWN = (
    f"SELECT {_PLACE} FROM {_SCORES} WHERE tenant_id = %(tenant)s AND {_OF_PERIOD} AND is_shown = true AND participant_id = ("
    f"SELECT id FROM {_PEOPLE} WHERE tenant_id = %(tenant)s AND external_id = %(name)s)"
)
_AT_OWN = f"(SELECT {_PLACE} FROM own)"


def _at_once(page: str, start: str, better: str, tables: str = "") -> str:
    """One row per standing of `page`, or one without; each begins with what is told of the board.

    `better` is how many have a better score than the first of the page; null where that is as many as stand above it (`start`).
    """
    return f"""
        WITH {page}{tables}
        SELECT {_WAITS}, {_REVISION}, ({TOTAL}), {start}, {better}, {_STANDING}
        FROM (SELECT 1) AS board LEFT JOIN ({_NAMED}) ON true ORDER BY {_PAGE_ORDER}
    """


@lru_cache
def fast_top(limit: int) -> str:
    """The first ones of the board."""
    return _at_once(f"page AS MATERIALIZED ({_places('<', _TOP, limit)})", "0", "NULL")


@lru_cache
def fast_from_offset(limit: int, *, is_far: bool) -> str:
    """So many from the offset on."""
    tables, better = _above(_SHARING_EDGE, "better")
    tables = f", {_EDGE}, {tables}"
    return _at_once(_from_offset(limit, is_far=is_far), "%(offset)s", _where_shared(better), tables)


@lru_cache
def fast_around(limit: int) -> str:
    """So many above the participant, and so many from them downwards."""
    over, under = (f"SELECT * FROM ({_places(than, _AT_OWN, limit)}) AS part" for than in (">", "<="))
    above, start = _above(_AT_EDGE, "above")
    tables, better = _above(_SHARING_EDGE, "better")
    page = f"own AS MATERIALIZED ({_OWN}), page AS MATERIALIZED ({over} UNION ALL {under})"
    return _at_once(page, start, _where_shared(better), f", {_EDGE}, {above}, {tables}")


def _where_shared(better: str) -> str:
    return f"CASE WHEN {_IS_SHARED} THEN {better} END"


@lru_cache
def fast_participant() -> str:
    """The participant alone."""
    tables, better = _above(_SHARING_EDGE, "better")
    return _at_once(f"page AS MATERIALIZED ({_OWN})", "0", better, f", {_EDGE}, {tables}")
