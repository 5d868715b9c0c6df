"""SQL texts that read scores and ranges.

They compare rows of values, `(carry, score, earliness, participant_id) > (…)`, in the order of the index. The ORM cannot express
this. A text reads at most a few hundred ranges and one leaf of places, however large the board is.

The parameters have names:

- tenant, track, period;
- carry, score, early, who: a place;
- top_carry, top_score, top_early, top_who: another place above it, which is BEST_PLACE by default;
- offset;
- name: a participant's external id.
"""

from functools import lru_cache

from gamify.leaderboards.engine.ranking.ranges import GROUP, LEAF
from gamify.leaderboards.models import Folding, Score, ScoreChange, ScoreRange
from participants.models import Participant

# ruff: noqa: S608 - the texts contain only names of our own models

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


# --- counts -----------------------------------------------------------------------------------------------------------


def _above(key: str, name: str) -> tuple[str, str]:
    """How many participants are above the place `key`, as two pieces of SQL: the tables of a WITH clause, and the number.

    The names of the tables begin with `name`. The number is the sum of three parts:

    1. the counts of all groups that begin above the place;
    2. the counts of the leaves that begin above it, up to the first of these groups;
    3. the places above it, up to the first of these leaves.
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
    """The place in the table, or the place `top` if the table is empty."""
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
    """The leaves that contain given places.

    Their parameters are the arrays carries, scores, earlies and ids on PostgreSQL, and the JSON document places on SQLite.
    """
    return f"""
        SELECT DISTINCT leaf.level, leaf.carry, leaf.score, leaf.earliness, leaf.participant_id, leaf.count, leaf.id
        FROM {_GIVEN_PLACES[vendor]} JOIN {_RANGES} leaf ON leaf.id = (
            SELECT id FROM {_RANGES}
            WHERE {_level(LEAF)} AND ({_PLACE}) <= (place.carry, place.score, place.earliness, place.participant_id)
            ORDER BY {_FALLING} LIMIT 1
        )
    """


# --- rows --------------------------------------------------------------------------------------------------------------


PLACES = f"SELECT {_PLACE} FROM {_SCORES} WHERE {_SHOWN} AND ({_PLACE}) >= {_GIVEN} AND ({_PLACE}) <= {_TOP} ORDER BY {_RISING}"


def _places(than: str, key: str, limit: int) -> str:
    """Up to `limit` places that compare as `than` (">", "<" or "<=") with a place, the nearest first.

    The limit is part of the text. With a parameter, PostgreSQL's planner assumes a tenth of the board and reads the names of
    all participants.
    """
    order = _RISING if than == ">" else _FALLING
    return f"SELECT {_PLACE} FROM {_SCORES} WHERE {_SHOWN} AND ({_PLACE}) {than} {key} ORDER BY {order} LIMIT {limit:d}"


def _holding(where: str, skipped: str) -> str:
    """The range that contains the place at the offset, counted from the top.

    `where` selects the ranges. `skipped` is the number of places above all of them.
    """
    return f"""
        SELECT {_PLACE}, upto - count AS skipped
        FROM (
            SELECT {_PLACE}, count, {skipped} + SUM(count) OVER (ORDER BY {_FALLING}) AS upto FROM {_RANGES} WHERE {where}
        ) AS counted
        WHERE upto > %(offset)s AND upto - count <= %(offset)s
    """


def _next_to(table: str, level: int) -> str:
    """The next range above the one in `table`, or no row."""
    return f"SELECT {_PLACE} FROM {_RANGES} WHERE {_level(level)} AND ({_PLACE}) > (SELECT {_PLACE} FROM {table}) ORDER BY {_RISING} LIMIT 1"


def _far_down(limit: int) -> str:
    """Tables of a WITH clause that find a page by its offset.

    They find the group that contains the first row, then the leaf, then the place inside the leaf.
    """
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


# A deleted participant keeps a score until the fold of `participant.deleted`. Their row has no names, and counts like all others.
_NAMED = f"page LEFT JOIN {_PEOPLE} p ON p.id = page.participant_id AND p.tenant_id = %(tenant)s"
_ROW = "page.carry, page.score, page.earliness, page.participant_id, p.external_id, p.display_name"
_PAGE_ORDER = "page.carry DESC, page.score DESC, page.earliness DESC, page.participant_id DESC"


@lru_cache
def rows_beside(than: str, limit: int) -> str:
    """Up to `limit` rows that compare as `than` with the given place, with names, from the top downwards."""
    return _named(f"page AS MATERIALIZED ({_places(than, _GIVEN, limit)})")


@lru_cache
def rows_from_offset(limit: int, *, is_far: bool) -> str:
    """Up to `limit` rows after the offset, with names. With `is_far`, ranges find the offset instead of counting rows."""
    return _named(_from_offset(limit, is_far=is_far))


def _named(page: str) -> str:
    return f"WITH {page} SELECT {_ROW} FROM {_NAMED} ORDER BY {_PAGE_ORDER}"


# --- fast pages -------------------------------------------------------------------------------------------------------

_HAS_WAITING = f"EXISTS (SELECT 1 FROM {_CHANGES} WHERE tenant_id = %(tenant)s)"
_REVISION = f"COALESCE((SELECT revision FROM {_FOLDINGS} WHERE tenant_id = %(tenant)s), 0)"
_EDGE = f"edge AS MATERIALIZED (SELECT {_PLACE} FROM page ORDER BY {_FALLING} LIMIT 1)"
_AT_EDGE = f"(SELECT {_PLACE} FROM edge)"
_BEST_WITH_SCORE_OF_EDGE = (
    "(SELECT carry, score, %(top_early)s, %(top_who)s FROM edge)"  # above it are only better scores
)
_IS_SHARED = f"EXISTS (SELECT 1 FROM {_SCORES} WHERE {_SHOWN} AND ({_PLACE}) > (SELECT {_PLACE} FROM edge) AND ({_PLACE}) < {_BEST_WITH_SCORE_OF_EDGE})"
_OWN = (
    f"SELECT {_PLACE} FROM {_SCORES} WHERE tenant_id = %(tenant)s AND {_OF_PERIOD} AND is_shown = true AND participant_id = ("
    f"SELECT id FROM {_PEOPLE} WHERE tenant_id = %(tenant)s AND external_id = %(name)s)"
)
_AT_OWN = f"(SELECT {_PLACE} FROM own)"


def _fast(page: str, start: str, better: str, tables: str = "") -> str:
    """The text of a fast page. It returns one row per row of `page`, or a single row without a participant.

    Each row begins with five columns about the board: whether changes wait, the revision, the total, `start` (the number of rows
    above the page) and `better` (the number of these with a better score, or NULL if all of them have one).
    """
    return f"""
        WITH {page}{tables}
        SELECT {_HAS_WAITING}, {_REVISION}, ({TOTAL}), {start}, {better}, {_ROW}
        FROM (SELECT 1) AS board LEFT JOIN ({_NAMED}) ON true ORDER BY {_PAGE_ORDER}
    """


@lru_cache
def fast_top(limit: int) -> str:
    """The first `limit` rows of the board."""
    return _fast(f"page AS MATERIALIZED ({_places('<', _TOP, limit)})", "0", "NULL")


@lru_cache
def fast_from_offset(limit: int, *, is_far: bool) -> str:
    """Up to `limit` rows after the offset."""
    tables, better = _above(_BEST_WITH_SCORE_OF_EDGE, "better")
    tables = f", {_EDGE}, {tables}"
    return _fast(_from_offset(limit, is_far=is_far), "%(offset)s", _if_shared(better), tables)


@lru_cache
def fast_around(limit: int) -> str:
    """Up to `limit` rows above a participant, and up to `limit` rows from the participant downwards."""
    over, under = (f"SELECT * FROM ({_places(than, _AT_OWN, limit)}) AS part" for than in (">", "<="))
    above, start = _above(_AT_EDGE, "above")
    tables, better = _above(_BEST_WITH_SCORE_OF_EDGE, "better")
    page = f"own AS MATERIALIZED ({_OWN}), page AS MATERIALIZED ({over} UNION ALL {under})"
    return _fast(page, start, _if_shared(better), f", {_EDGE}, {above}, {tables}")


def _if_shared(better: str) -> str:
    return f"CASE WHEN {_IS_SHARED} THEN {better} END"


@lru_cache
def fast_participant() -> str:
    """The row of one participant."""
    tables, better = _above(_BEST_WITH_SCORE_OF_EDGE, "better")
    return _fast(f"page AS MATERIALIZED ({_OWN})", "0", better, f", {_EDGE}, {tables}")
