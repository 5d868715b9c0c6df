"""Awards over HTTP against the framework's floor, on PostgreSQL with its default durability."""

import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from bench import load, product
from bench.load import RequestMaker

CONNECTIONS = 8
PEOPLE = 20_000
BATCH = 100

_random = Random(1)


@dataclass(frozen=True)
class Case:
    """What is sent where; `items` is how many awards one request carries."""

    name: str
    port: int
    make: RequestMaker
    items: int = 1


def measure(*, seconds: float, rounds: int) -> None:
    with product.installed() as (server, environment):
        key = product.new_key(environment, "bench")
        with product.served_beside_floor(environment) as (port, floor_port):
            print_conditions(server, rounds)
            _report(rates(_cases(key, port, floor_port), seconds=seconds, rounds=rounds))


def print_conditions(server: Any, rounds: int) -> None:
    print(f"  {server.description}, {product.WORKERS} workers, {CONNECTIONS} connections, median of {rounds} rounds")


def _cases(key: str, port: int, floor_port: int) -> list[Case]:
    prefix = "/api/v1/gamify"
    return [
        Case("floor: POST, key, serializer", floor_port, posts("/floor", award, key)),
        Case("POST points/award", port, posts(f"{prefix}/points/award", award, key)),
        Case("POST points/award-batch of 100", port, posts(f"{prefix}/points/award-batch", _batch, key), BATCH),
        Case("GET participants/{pid}/points", port, lambda: load.get(f"{_person()}/points", key=key)),
        Case("GET participants/{pid}/state", port, lambda: load.get(f"{_person()}/state", key=key)),
    ]


def posts(path: str, body: Callable[[], object], key: str) -> RequestMaker:
    return lambda: load.post(path, json.dumps(body()).encode(), key=key)


def award() -> dict[str, object]:
    person, key = f"user_{_random.randrange(PEOPLE)}", f"{_random.getrandbits(64):x}"
    return {"participant_id": person, "amount": 5, "reason": "Purchase completed", "idempotency_key": key}


def _batch() -> dict[str, object]:
    return {"awards": [award() for _ in range(BATCH)]}


def _person() -> str:
    return f"/api/v1/gamify/participants/user_{_random.randrange(PEOPLE)}"


def rates(cases: list[Case], *, seconds: float, rounds: int) -> dict[Case, float]:
    """Items per second, the median of rounds in which the cases take turns: the machine's mood then hits all alike."""
    rates: dict[Case, list[float]] = {case: [] for case in cases}
    for round_number in range(rounds + 1):
        for case in cases:
            rate = load.rate(case.port, case.make, connections=CONNECTIONS, seconds=seconds)
            if round_number:  # the first warms up
                rates[case].append(rate * case.items)
    return {case: statistics.median(values) for case, values in rates.items()}


def _report(rates: dict[Case, float]) -> None:
    floor = next(iter(rates.values()))
    for case, rate in rates.items():
        print(f"  {case.name:<34} {rate:>8.0f}/s  {rate / floor:>6.2f} × floor")
