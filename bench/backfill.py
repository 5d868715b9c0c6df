"""A history of streaks from a file, by the command, against the same ticks recorded one by one over HTTP."""

import csv
import json
import statistics
from collections.abc import Mapping
from operator import itemgetter
from pathlib import Path

from bench import product
from bench.awards import PEOPLE
from bench.streaks import RECORD, STREAK, tick, ticks_per_second

LINES = 100_000
COLUMNS = ("participant_id", "streak_code", "timestamp")


def measure(*, seconds: float, rounds: int) -> None:
    with product.installed() as (server, environment):
        print(f"  {server.description}, median of {rounds} rounds; {LINES:,} lines of {PEOPLE:,} participants")
        single: list[float] = []
        imported: list[float] = []
        for number in range(rounds):
            single.append(_recorded_singly(environment, f"single-{number}", seconds=seconds))
            imported.append(_brought_in(environment, f"backfill-{number}"))
        _report(statistics.median(single), statistics.median(imported))


def _recorded_singly(environment: Mapping[str, str], slug: str, *, seconds: float) -> float:
    key = product.new_key(environment, slug)
    with product.served(environment) as port:
        product.define(port, environment, slug, "streaks", STREAK)
        return ticks_per_second(port, RECORD, key, seconds)


def _brought_in(environment: Mapping[str, str], slug: str) -> float:
    """Lines per second, the start of the command included."""
    product.manage(environment, "create_tenant", slug)
    with product.served(environment) as port:
        product.define(port, environment, slug, "streaks", STREAK)
    file = Path(environment["GAMIFY_VAR"]) / f"{slug}.csv"
    _write_history(file)
    report = json.loads(product.manage(environment, "backfill_streaks", str(file), "--tenant", slug, "--json"))
    if report["lines"] != LINES or report["bad"]:
        raise RuntimeError(f"backfill_streaks reported {report}")
    return float(report["per_second"])


def _write_history(file: Path) -> None:
    """Oldest first, as an export has it."""
    with file.open("w", newline="") as out:
        rows = csv.DictWriter(out, COLUMNS, extrasaction="ignore")
        rows.writeheader()
        rows.writerows(sorted((tick() for _ in range(LINES)), key=itemgetter("timestamp")))


def _report(single: float, imported: float) -> None:
    for name, rate in (("POST streaks/record", single), ("backfill_streaks", imported)):
        print(f"  {name:<34} {rate:>8.0f}/s  {rate / single:>6.2f} × single")
