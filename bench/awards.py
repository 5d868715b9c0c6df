"""Awards over HTTP against the framework's floor, on PostgreSQL with its default durability."""

import json
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from bench import load, product
from bench.load import RequestMaker
from tests.booting import postgres

CONNECTIONS = 8
PEOPLE = 20_000
BATCH = 100
UNCAPPED = {"PARTICIPANT_WRITES_PER_MINUTE": "0", "KEY_REQUESTS_PER_MINUTE": "0", "LOG_LEVEL": "WARNING"}

_random = Random(1)


@dataclass(frozen=True)
class Case:
    """What is sent where; `items` is how many awards one request carries."""

    name: str
    port: int
    make: RequestMaker
    items: int = 1


def measure(*, seconds: float, rounds: int) -> None:
    with postgres(options={}) as server, tempfile.TemporaryDirectory() as var:
        print(
            f"  {server.description}, {product.WORKERS} workers, {CONNECTIONS} connections, median of {rounds} rounds"
        )
        environment = {"DATABASE_URL": server.url, "GAMIFY_VAR": var, **UNCAPPED}
        product.manage(environment, "migrate", "-v0")
        key = product.new_key(environment, "bench")
        floor = environment | {"DJANGO_SETTINGS_MODULE": "bench.floor_settings"}
        with product.served(environment) as port, product.served(floor) as floor_port:
            _report(rates(_cases(key, port, floor_port), seconds=seconds, rounds=rounds))


def _cases(key: str, port: int, floor_port: int) -> list[Case]:
    prefix = "/api/v1/gamify"
    return [
        Case("floor: POST, key, serializer", floor_port, _posts("/floor", _award, key)),
        Case("POST points/award", port, _posts(f"{prefix}/points/award", _award, key)),
        Case("POST points/award-batch of 100", port, _posts(f"{prefix}/points/award-batch", _batch, key), BATCH),
        Case("GET participants/{pid}/points", port, lambda connection, n: load.get(_balance_path(), key=key)),
        Case("GET participants/{pid}/state", port, lambda connection, n: load.get(_state_path(), key=key)),
    ]


def _posts(path: str, body: Callable[[], object], key: str) -> RequestMaker:
    return lambda connection, n: load.post(path, json.dumps(body()).encode(), key=key)


def _award() -> dict[str, object]:
    person, key = f"user_{_random.randrange(PEOPLE)}", f"{_random.getrandbits(64):x}"
    return {"participant_id": person, "amount": 5, "reason": "Purchase completed", "idempotency_key": key}


def _batch() -> dict[str, object]:
    return {"awards": [_award() for _ in range(BATCH)]}


def _balance_path() -> str:
    return f"/api/v1/gamify/participants/user_{_random.randrange(PEOPLE)}/points"


def _state_path() -> str:
    return f"/api/v1/gamify/participants/user_{_random.randrange(PEOPLE)}/state"


def rates(cases: list[Case], *, seconds: float, rounds: int) -> dict[Case, float]:
    """Items per second, the median of rounds in which the cases take turns: the machine's mood then hits all alike."""
    rates: dict[Case, list[float]] = {case: [] for case in cases}
    for round_number in range(rounds + 1):
        for case in cases:
            outcome = load.run(case.port, case.make, connections=CONNECTIONS, seconds=seconds)
            if set(outcome.statuses) != {200}:
                raise RuntimeError(f"{case.name} answered {outcome.statuses}")
            if round_number:  # the first warms up
                rates[case].append(outcome.rate * case.items)
    return {case: statistics.median(values) for case, values in rates.items()}


def _report(rates: dict[Case, float]) -> None:
    floor = next(iter(rates.values()))
    for case, rate in rates.items():
        print(f"  {case.name:<34} {rate:>8.0f}/s  {rate / floor:>6.2f} × floor")
