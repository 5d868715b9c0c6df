"""Leaderboards over HTTP at a thousand and at a million participants, uniform and skewed, against a trivial GET; what keeping them
costs an award; and how fast changes are folded. On PostgreSQL with its default durability.
"""

import json
import statistics
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from bench import crowd, load, product
from bench.awards import Case, award, posts, rates

PREFIX = "/api/v1/gamify"
KEPT = ("Europe/Berlin", "Asia/Tokyo", "UTC")  # zones of three boards of points earned, each in five periods


@dataclass(frozen=True)
class Asked:
    """A GET, and what it is called in the table; `group` names what is compared with each other at both sizes."""

    group: str
    size: int
    port: int
    request: Callable[[], bytes]


def measure(*, requests: int, rounds: int, large: int) -> None:
    with product.installed() as (server, environment):
        with product.served(environment) as port:
            print(f"  {server.description}, {product.WORKERS} workers; p50 of {requests} requests, {rounds} rounds")
            asked = [
                each
                for size in (1_000, large)
                for kind in ("uniform", "skewed")
                for each in _filled(environment, server.url, port, size, kind)
            ]
            _report(_medians(asked, requests=requests, rounds=rounds), large)
            _keeping(environment, port)
        _folding(environment)


# --- reading ------------------------------------------------------------------------------------------------------------


def _filled(environment: Mapping[str, str], url: str, port: int, size: int, kind: str) -> Iterator[Asked]:
    slug = f"{kind}-{size}"
    key = product.new_key(environment, slug)
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as database:
        tenant = _tenant(database, slug)
        _people(database, tenant, size)
        product.define(port, environment, slug, "leaderboards", {"code": "top", "name": "Top"})
        names = _scores(database, tenant, size, kind)
        database.execute("VACUUM ANALYZE")
    board = f"{PREFIX}/leaderboards/top"
    yield from (
        Asked(f"{kind}: {what}", size, port, lambda path=path: load.get(path, key=key))
        for what, path in {
            "trivial GET": f"{PREFIX}/participants/{names['middle']}/points",
            "top 10": f"{board}?limit=10",
            "rank 10th": f"{board}/rank/{names['10th']}",
            "rank middle": f"{board}/rank/{names['middle']}",
            "rank last": f"{board}/rank/{names['last']}",
            "around middle": f"{board}?limit=10&around={names['middle']}",
            "offset to the middle": f"{board}?limit=10&offset={size // 2}",
        }.items()
    )


def _tenant(database: Any, slug: str) -> uuid.UUID:
    query = "SELECT id FROM participants_tenant WHERE slug = %s AND environment = 'live'"
    found: uuid.UUID = database.execute(query, [slug]).fetchone()[0]
    return found


def _people(database: Any, tenant: uuid.UUID, size: int) -> None:
    """Ids that no other tenant's have."""
    people = crowd.PEOPLE.replace("lpad(to_hex(n), 32, '0')::uuid", "md5(%(tenant)s || n)::uuid")
    now = time.strftime("%Y-%m-%d %H:%M:%S+00")
    database.execute(people, {"tenant": str(tenant), "states": size, "now": now})


_FILL = """
    INSERT INTO leaderboards_score (tenant_id, participant_id, track, period, score, earliness, is_shown)
    SELECT %(tenant)s, md5(%(tenant)s || n)::uuid, %(track)s, 0, {score}, -1700000000000000 - n, true
    FROM generate_series(1, %(size)s) AS n
"""
_BY = {
    "uniform": "1 + ((hashint8(n)::bigint + 2147483648) %% 1000000)",
    "skewed": "1 + (1000000 / (1 + ((hashint8(n)::bigint + 2147483648) %% %(size)s)))",  # half of them have 1 or 2
}


def _scores(database: Any, tenant: uuid.UUID, size: int, kind: str) -> dict[str, str]:
    """What folding would have come to: leaves of 256, groups of 64 of those."""
    [(board, track)] = database.execute("SELECT id, track FROM leaderboards_leaderboard WHERE tenant_id = %s", [tenant])
    values = {"tenant": str(tenant), "track": track, "size": size}
    database.execute(_FILL.format(score=_BY[kind]), values)
    database.execute(_RANGES, values | {"level": 0, "per": 256})
    database.execute(_RANGES, values | {"level": 1, "per": 256 * 64})
    database.execute("UPDATE leaderboards_leaderboard SET built_at = now() WHERE id = %s", [board])
    database.execute("UPDATE participants_tenant SET catalog_version = catalog_version + 1 WHERE id = %s", [tenant])
    places = {"10th": 9, "middle": size // 2, "last": size - 1}
    return {name: _name_at(database, values, place) for name, place in places.items()}


_RANGES = """
    INSERT INTO leaderboards_scorerange (id, tenant_id, track, period, level, score, earliness, participant_id, count)
    SELECT gen_random_uuid(), %(tenant)s, %(track)s, 0, %(level)s,
        CASE WHEN part = 0 THEN -9223372036854775808 ELSE (array_agg(score ORDER BY place))[1] END,
        CASE WHEN part = 0 THEN -9223372036854775808 ELSE (array_agg(earliness ORDER BY place))[1] END,
        CASE WHEN part = 0 THEN '00000000-0000-0000-0000-000000000000' ELSE (array_agg(who ORDER BY place))[1] END,
        count(*)
    FROM (
        SELECT score, earliness, participant_id AS who, place, place / %(per)s AS part FROM (
            SELECT score, earliness, participant_id,
                row_number() OVER (ORDER BY score, earliness, participant_id) - 1 AS place
            FROM leaderboards_score WHERE track = %(track)s AND period = 0
        ) AS placed
    ) AS parted GROUP BY part
"""


def _name_at(database: Any, values: Mapping[str, Any], place: int) -> str:
    query = """
        SELECT external_id FROM participants_participant WHERE id = (
            SELECT participant_id FROM leaderboards_score WHERE track = %(track)s AND period = 0
            ORDER BY score DESC, earliness DESC, participant_id DESC OFFSET %(place)s LIMIT 1)
    """
    found: str = database.execute(query, {**values, "place": place}).fetchone()[0]
    return found


def _medians(asked: list[Asked], *, requests: int, rounds: int) -> dict[tuple[str, int], float]:
    times: dict[tuple[str, int], list[float]] = {(each.group, each.size): [] for each in asked}
    for round_number in range(rounds + 1):
        for each in asked:
            took = load.latencies(each.port, each.request(), number=requests)
            if round_number:  # the first warms up
                times[each.group, each.size] += took
    return {which: statistics.median(took) for which, took in times.items()}


def _report(medians: Mapping[tuple[str, int], float], large: int) -> None:
    for (group, size), median in medians.items():
        if size == large:
            small = medians[group, 1_000]
            trivial = medians[group.split(":")[0] + ": trivial GET", large]
            ratios = f"{median / small:>5.2f} × 1,000   {median / trivial:>5.2f} × trivial"
            print(f"  {group:<30} {small * 1000:>7.2f} ms  {median * 1000:>7.2f} ms   {ratios}")


# --- writing ------------------------------------------------------------------------------------------------------------


def _keeping(environment: Mapping[str, str], port: int) -> None:
    """Nothing folds meanwhile: that has a table of its own."""
    without, with_boards = product.new_key(environment, "without"), product.new_key(environment, "with-boards")
    for number, zone in enumerate(KEPT):
        board = {"code": f"b{number}", "name": f"B {number}", "timezone": zone}
        product.define(port, environment, "with-boards", "leaderboards", board)
    path = f"{PREFIX}/points/award"
    cases = [
        Case("award without boards", port, posts(path, award, without)),
        Case("award with 3 boards", port, posts(path, award, with_boards)),
    ]
    plain, kept = rates(cases, seconds=3, rounds=3).values()
    print(
        f"  award without boards {plain:>8.0f}/s\n  award with 3 boards  {kept:>8.0f}/s  {1 - kept / plain:>6.1%} less"
    )


def _folding(environment: Mapping[str, str]) -> None:
    """What the awards above have left, by the task's own function."""
    printed = product.manage(environment, "shell", "-c", _FOLD.format(slug="with-boards"))
    changes, seconds = json.loads(printed.strip().splitlines()[-1])
    print(f"  folding, 3 boards    {changes / seconds:>8.0f} changes/s ({changes} in {seconds:.1f} s)")


_FOLD = """
import json, time
from django.utils import timezone
from gamify.leaderboards.services import fold
from participants.models import Tenant
tenant = Tenant.objects.get(slug="{slug}", environment="live")
began = time.monotonic()
changes = fold(tenant=tenant, now=timezone.now())
print(json.dumps([changes, time.monotonic() - began]))
"""
