"""A history of streaks from a file, by the command, against the same ticks recorded one by one over HTTP."""

import json
import statistics
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from bench import load, product
from bench.awards import CONNECTIONS, UNCAPPED
from tests.booting import postgres

LINES = 100_000
PEOPLE = 5_000
STREAK = {"code": "daily_login", "name": "Daily login", "fact_type": "user.login", "period": "daily"}
RECORD = "/api/v1/gamify/streaks/record"

_random = Random(1)


def measure(*, seconds: float, rounds: int) -> None:
    with postgres(options={}) as server, tempfile.TemporaryDirectory() as var:
        print(f"  {server.description}, median of {rounds} rounds; {LINES:,} lines of {PEOPLE:,} participants")
        environment = {"DATABASE_URL": server.url, "GAMIFY_VAR": var, **UNCAPPED}
        product.manage(environment, "migrate", "-v0")
        single: list[float] = []
        imported: list[float] = []
        for number in range(rounds):
            single.append(_recorded_singly(environment, f"single-{number}", seconds=seconds))
            imported.append(_brought_in(environment, f"backfill-{number}", Path(var)))
        _report(statistics.median(single), statistics.median(imported))


def _recorded_singly(environment: Mapping[str, str], slug: str, *, seconds: float) -> float:
    key = product.new_key(environment, slug)
    with product.served(environment) as port:
        product.define(port, environment, slug, "streaks", STREAK)
        outcome = load.run(
            port,
            lambda connection, n: load.post(RECORD, json.dumps(_tick()).encode(), key=key),
            connections=CONNECTIONS,
            seconds=seconds,
        )
    if set(outcome.statuses) != {200}:
        raise RuntimeError(f"POST {RECORD} answered {outcome.statuses}")
    return outcome.rate


def _brought_in(environment: Mapping[str, str], slug: str, folder: Path) -> float:
    """Lines per second, the start of the command included."""
    product.manage(environment, "create_tenant", slug)
    with product.served(environment) as port:
        product.define(port, environment, slug, "streaks", STREAK)
    file = folder / f"{slug}.csv"
    _write_history(file)
    report = json.loads(product.manage(environment, "backfill_streaks", str(file), "--tenant", slug, "--json"))
    if report["lines"] != LINES or report["bad"]:
        raise RuntimeError(f"backfill_streaks reported {report}")
    return float(report["per_second"])


def _write_history(file: Path) -> None:
    with file.open("w") as out:
        out.write("participant_id,streak_code,timestamp\n")
        out.writelines(f"{tick['participant_id']},{tick['streak_code']},{tick['timestamp']}\n" for tick in _history())


def _history() -> list[dict[str, str]]:
    """Oldest first, as an export has it."""
    return sorted((_tick() for _ in range(LINES)), key=lambda tick: tick["timestamp"])


def _tick() -> dict[str, str]:
    """Some minute of the last ninety days."""
    at = datetime.now(UTC) - timedelta(minutes=_random.randrange(90 * 24 * 60))
    person = f"user_{_random.randrange(PEOPLE)}"
    return {"participant_id": person, "streak_code": STREAK["code"], "timestamp": at.isoformat(timespec="seconds")}


def _report(single: float, imported: float) -> None:
    for name, rate in (("POST streaks/record", single), ("backfill_streaks", imported)):
        print(f"  {name:<34} {rate:>8.0f}/s  {rate / single:>6.2f} × single")
