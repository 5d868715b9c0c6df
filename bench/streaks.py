"""Ticks over HTTP against the framework's floor and against the least SQL for a tick, on a durable PostgreSQL."""

import json
import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import psycopg
from uuid_utils.compat import uuid7

from bench import crowd, load, product
from bench.awards import CONNECTIONS, PEOPLE, posts, print_conditions

STREAK = {"code": "daily", "name": "Daily", "fact_type": "login", "period": "daily"}
RECORD = "/api/v1/gamify/streaks/record"
TOLD = {"participant_id": "user_1", "user_id": "user_1", "definition_id": "", "streak_code": "daily", "new_count": 1}
SANDBOX = "SELECT id FROM participants_tenant WHERE environment = 'sandbox'"

Rate = Callable[[], float]

_random = Random(1)


def measure(*, seconds: float, rounds: int) -> None:
    with product.installed() as (server, environment):
        key = product.new_key(environment, "bench")
        with product.served_beside_floor(environment) as (port, floor_port):
            print_conditions(server, rounds)
            product.define(port, environment, "bench", "streaks", STREAK)
            cases = {
                "floor: POST, key, serializer": partial(ticks_per_second, floor_port, "/floor", key, seconds),
                "floor: plain SQL by psycopg": partial(_statements_per_second, server.url, seconds),
                "POST streaks/record": partial(ticks_per_second, port, RECORD, key, seconds),
            }
            _report(_medians(cases, rounds))


def _medians(cases: Mapping[str, Rate], rounds: int) -> dict[str, float]:
    """The cases take turns; the first round warms up."""
    found = [{name: rate() for name, rate in cases.items()} for _ in range(rounds + 1)]
    return {name: statistics.median(each[name] for each in found[1:]) for name in cases}


def ticks_per_second(port: int, path: str, key: str, seconds: float) -> float:
    return load.rate(port, posts(path, tick, key), connections=CONNECTIONS, seconds=seconds)


def tick() -> dict[str, Any]:
    """Some minute of the last ninety days. The floor's body wants an amount, which the product ignores."""
    at = datetime.now(UTC) - timedelta(minutes=_random.randrange(90 * 24 * 60))
    return {
        "participant_id": f"user_{_random.randrange(PEOPLE)}",
        "streak_code": STREAK["code"],
        "timestamp": at.isoformat(timespec="seconds"),
        "amount": 1,
    }


# --- plain SQL ---------------------------------------------------------------------------------------------------------


def _statements_per_second(url: str, seconds: float) -> float:
    """Ticks of the sandbox, which has no other requests, each in one statement and transaction."""
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        counts = list(pool.map(lambda number: _tick_plainly(url, seconds, Random(number)), range(CONNECTIONS)))
    return sum(counts) / seconds


def _tick_plainly(url: str, seconds: float, random: Random) -> int:
    count, stop_at = 0, time.monotonic() + seconds
    with psycopg.connect(url, autocommit=True, prepare_threshold=1) as connection:
        [tenant_id] = connection.execute(SANDBOX).fetchone() or [None]
        while time.monotonic() < stop_at:
            connection.execute(crowd.TICK, _values(tenant_id, f"user_{random.randrange(PEOPLE)}"))
            count += 1
    return count


def _values(tenant_id: UUID | None, name: str) -> dict[str, Any]:
    ids = {each: uuid7() for each in ("person", "event", "state")}
    return {**ids, "tenant": tenant_id, "streak": tenant_id, "name": name, "data": json.dumps(TOLD)}


def _report(rates: Mapping[str, float]) -> None:
    framework, plain, _ = rates.values()
    for name, rate in rates.items():
        print(f"  {name:<34} {rate:>8.0f}/s  {rate / framework:>6.2f} × floor  {rate / plain:>6.2f} × plain SQL")
