"""Processor time of each kind of request against the framework's floor, on PostgreSQL with its default durability, with Redis.

Everything that protects a request is switched on: keys, limits, idempotency keys, three tiers, five badges with criteria, three
leaderboards, a streak, and a webhook endpoint with its outbox. The floor is served by the same web server.
"""

import json
import re
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

import psycopg

from bench import load, processor, product
from tests.booting import postgres, redis

PEOPLE = 20_000
BATCH = 100
MOVED = 0.15
"""A round is thrown away if the calibration loop took so much longer or shorter than the median."""
LIMITS = {"PARTICIPANT_WRITES_PER_MINUTE": "1000000", "KEY_REQUESTS_PER_MINUTE": "100000000", "LOG_LEVEL": "WARNING"}
RULED = "ruled"
EVENT = "purchase_completed"
PREFIX = "/api/v1/gamify"
POINT = {"type": "points", "amount": 1}

# Lua for wrk. `n` counts the requests of one thread; participants and keys differ from request to request.
LUA = Template("""
wrk.headers["X-API-Key"] = "$key"
wrk.headers["Content-Type"] = "application/json"
math.randomseed($seed)
local n = 0
local function id() n = n + 1; return string.format("$seed-%d-%d", math.random(1, 2^31 - 1), n) end
local function person() return "user_" .. math.random(1, $people) end
local function award() return string.format(
  [[{"participant_id": "%s", "amount": 5, "reason": "Purchase completed", "idempotency_key": "%s"}]], person(), id()) end
local function batch()
  local awards = {}
  for i = 1, $batch do awards[i] = award() end
  return '{"awards": [' .. table.concat(awards, ",") .. ']}'
end
request = function() return wrk.format("$method", "$path", nil, $body) end
""")


@dataclass(frozen=True)
class Case:
    """One kind of request. `path` and `body` are Lua expressions; `items` is how many awards one request carries."""

    name: str
    path: str
    body: str = "nil"
    key: str = "any"
    is_floor: bool = False
    items: int = 1
    connections: int = 8


AWARD = f"{PREFIX}/points/award"
CASES = [
    Case("floor: POST, key look-up, serializer", "/floor", "award()", is_floor=True),
    Case("POST points/award", AWARD, "award()"),
    Case(
        "POST points/award, replayed",
        AWARD,
        """string.format([[{"participant_id": "user_%d", "amount": 5, "idempotency_key": "same"}]], math.random(1, 50))""",
    ),
    Case("POST points/award-batch of 100, per award", f"{PREFIX}/points/award-batch", "batch()", items=BATCH),
    Case(
        "POST streaks/record",
        f"{PREFIX}/streaks/record",
        """string.format([[{"participant_id": "%s", "streak_code": "daily"}]], person())""",
    ),
    Case(
        "POST events, nothing listens",
        f"{PREFIX}/events",
        """string.format([[{"participant_id": "%s", "event_name": "seen", "idempotency_key": "%s"}]], person(), id())""",
    ),
    Case(
        "POST events, 500 rules, 10 match",
        f"{PREFIX}/events",
        f"""string.format([[{{"participant_id": "%s", "event_name": "{EVENT}", "properties": {{"amount": 49.5}}, "idempotency_key": "%s"}}]],
        person(), id())""",
        key=RULED,
    ),
    Case(
        "POST rewards/{id}/claim, code and deduction",
        f"{PREFIX}/rewards/$reward/claim",
        """string.format([[{"participant_id": "%s", "idempotency_key": "%s"}]], person(), id())""",
    ),
    Case("GET participants/{pid}/points", f'{PREFIX}/participants/" .. person() .. "/points'),
    Case("GET participants/{pid}/state", f'{PREFIX}/participants/" .. person() .. "/state'),
    Case("POST points/award, 16 connections", AWARD, "award()", connections=16),
    Case(
        "POST points/award, all for one participant",
        AWARD,
        """string.format([[{"participant_id": "hot", "amount": 5, "idempotency_key": "%s"}]], id())""",
        connections=16,
    ),
]


@dataclass
class Round:
    """What one round of one case measured. Times are in microseconds per item, latencies in milliseconds."""

    web: float
    database: float
    rate: float
    p50: float
    p99: float
    least_share: float


@dataclass
class Served:
    """A running web server: its port, its worker processes, and the database's processes."""

    port: int
    workers: list[int]
    database: int


def measure(*, seconds: float, rounds: int) -> None:
    client = shutil.which("wrk")
    if client is None:
        raise SystemExit("  This measurement needs wrk as its client: apt-get install wrk")
    with _everything() as (servers, places, description):
        print(f"  {description}, {product.WORKERS} workers, client {client}, {rounds} rounds of {seconds:g} s")
        found = _rounds(servers, places, seconds=seconds, rounds=rounds)
        _report(found)


@contextmanager
def _everything() -> Iterator[tuple[Mapping[bool, Served], Mapping[str, str], str]]:
    """The product and the floor, each served, with definitions and participants. Yields the servers by `is_floor`."""
    with postgres(options={}) as server, redis() as cache, tempfile.TemporaryDirectory() as var:
        environment = {"DATABASE_URL": server.url, "REDIS_URL": cache.url, "GAMIFY_VAR": var, **LIMITS}
        product.manage(environment, "migrate", "-v0")
        keys = {name: product.new_key(environment, f"bench-{name}") for name in ("any", RULED)}
        floor = environment | {"DJANGO_SETTINGS_MODULE": "bench.floor_settings"}
        with (
            product.served_process(environment) as (port, pid),
            product.served_process(floor) as (floor_port, floor_pid),
        ):
            reward = define_everything(port, environment, keys)
            main = _postmaster(server.url)
            servers = {
                False: Served(port, processor.children_of(pid), main),
                True: Served(floor_port, processor.children_of(floor_pid), main),
            }
            yield servers, {**keys, "reward": reward}, f"{server.description}, {cache.description}"


def define_everything(port: int, environment: Mapping[str, str], keys: Mapping[str, str]) -> str:
    """Create the definitions of both tenants and give everybody points. Returns the id of a reward with codes for all."""
    slug = "bench-any"
    product.define(port, environment, slug, "streaks", {"code": "daily", "name": "D", "event_types": ["login"]})
    product.define(port, environment, slug, "tiers", *(
        {"code": f"t{level}", "name": "T", "level": level, "criteria_config": {"min_points": 10**6 * level}}
        for level in range(1, 4)
    ))  # fmt: skip
    product.define(port, environment, slug, "badges", *(
        {"code": f"b{n}", "name": "B", "criteria": {"metric": "total_earned", "min": 10**8 + n}} for n in range(5)
    ))  # fmt: skip
    product.define(port, environment, slug, "leaderboards", *(
        {"code": window, "name": "L", "metric": "points_earned", "time_window": window}
        for window in ("all_time", "weekly", "daily")
    ))  # fmt: skip
    endpoint = {"url": "http://127.0.0.1:9/hook", "event_types": ["badge.*"]}
    product.define(port, environment, slug, "webhooks", endpoint)
    rules = [(f"r{n}", EVENT, None if n < 10 else _DEAR) for n in range(500)]
    product.define(port, environment, f"bench-{RULED}", "rules", *(
        {"code": code, "name": "R", "when": {"event_types": [event], "expression": expression}, "then": [POINT]}
        for code, event, expression in rules
    ))  # fmt: skip
    _give_points(port, keys["any"])
    return product.reward_with_codes(port, environment, slug, codes=60_000)


_DEAR = {"condition": {"field": "amount", "operator": "gte", "value": 1_000_000}}


def _give_points(port: int, key: str) -> None:
    for start in range(1, PEOPLE + 1, BATCH):
        awards = [{"participant_id": f"user_{n}", "amount": 100_000} for n in range(start, start + BATCH)]
        body = json.dumps({"awards": awards}).encode()
        if load.ask(port, load.post(f"{PREFIX}/points/award-batch", body, key=key)) != 200:
            raise RuntimeError("the first points were refused")


def _postmaster(url: str) -> int:
    """The process id of the PostgreSQL server. Its children serve the connections."""
    with psycopg.connect(url) as connection:
        status = Path(f"/proc/{connection.info.backend_pid}/status").read_text()
    return int(_found(r"PPid:\s+(\d+)", status))


# --- rounds -----------------------------------------------------------------------------------------------------------


def _rounds(
    servers: Mapping[bool, Served], places: Mapping[str, str], *, seconds: float, rounds: int
) -> dict[str, list[Round]]:
    """Run all cases in turn, `rounds` times after a warm-up. Rounds during which the machine changed its speed are left out."""
    found: dict[str, list[tuple[float, Round]]] = {case.name: [] for case in CASES}
    for number in range(rounds + 1):
        for case in CASES:
            pace, outcome = _round(servers[case.is_floor], case, places, seconds=seconds, seed=number)
            if number:
                found[case.name].append((pace, outcome))
    usual = statistics.median(pace for each in found.values() for pace, _ in each)
    kept = {name: [outcome for pace, outcome in each if abs(pace / usual - 1) <= MOVED] for name, each in found.items()}
    thrown = sum(len(found[name]) - len(kept[name]) for name in found)
    print(f"  {thrown} of {rounds * len(CASES)} measurements were thrown away, because the machine changed its speed")
    return kept


def _round(served: Served, case: Case, places: Mapping[str, str], *, seconds: float, seed: int) -> tuple[float, Round]:
    pace = processor.calibration()
    before = processor.seconds_of(served.workers)
    database_before = processor.seconds_of(processor.children_of(served.database))
    output = _wrk(served.port, case, places, seconds=seconds, seed=seed)
    web = processor.used(before, processor.seconds_of(served.workers))
    stored = processor.used(database_before, processor.seconds_of(processor.children_of(served.database)))
    pace = max(pace, processor.calibration(), key=lambda each: abs(each - pace))
    requests = int(_found(r"(\d+) requests in", output))
    items = requests * case.items
    shares = [seconds / sum(web.values()) for seconds in web.values()]
    return pace, Round(
        web=sum(web.values()) / items * 1e6,
        database=sum(stored.values()) / items * 1e6,
        rate=float(_found(r"Requests/sec:\s+([\d.]+)", output)) * case.items,
        p50=_milliseconds(_found(r"50%\s+([\d.]+\w+)", output)),
        p99=_milliseconds(_found(r"99%\s+([\d.]+\w+)", output)),
        least_share=min(shares),
    )


def _wrk(port: int, case: Case, places: Mapping[str, str], *, seconds: float, seed: int) -> str:
    path = case.path.replace("$reward", places["reward"])
    method = "GET" if case.body == "nil" else "POST"
    script = LUA.substitute(
        key=places[case.key], seed=seed + 1, people=PEOPLE, batch=BATCH, method=method, path=path, body=case.body
    )
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", f"-c{case.connections}", f"-d{seconds:g}s", "--latency", "-s", file.name]
        ran = subprocess.run(
            [*command, f"http://127.0.0.1:{port}"], check=True, stdout=subprocess.PIPE, text=True, timeout=seconds + 60
        )
    if "Non-2xx" in ran.stdout or "Socket errors" in ran.stdout:
        raise RuntimeError(f"{case.name}: {ran.stdout}")
    return ran.stdout


def _found(pattern: str, text: str) -> str:
    [found, *_] = re.findall(pattern, text)
    return str(found)


def _milliseconds(text: str) -> float:
    number, unit = re.findall(r"([\d.]+)(\w+)", text)[0]
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


# --- the table --------------------------------------------------------------------------------------------------------


def _report(found: Mapping[str, list[Round]]) -> None:
    print(f"  {'':<44} {'web':>7} {'database':>9} {'ratio':>6} {'rate':>8} {'p50':>7} {'p99':>8} {'least':>6}")
    print(f"  {'':<44} {'µs':>7} {'µs':>9} {'':>6} {'1/s':>8} {'ms':>7} {'ms':>8} {'share':>6}")
    medians = {name: _median(rounds) for name, rounds in found.items() if rounds}
    floor = next(iter(medians.values()))
    for name, each in medians.items():
        ratio = (floor.web + floor.database) / (each.web + each.database)
        print(
            f"  {name:<44} {each.web:>7.0f} {each.database:>9.0f} {ratio:>6.2f} {each.rate:>8.0f} "
            f"{each.p50:>7.1f} {each.p99:>8.1f} {each.least_share:>6.0%}"
        )


def _median(rounds: list[Round]) -> Round:
    return Round(**{name: statistics.median(getattr(each, name) for each in rounds) for name in Round.__annotations__})
