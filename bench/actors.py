"""What the actor of a row costs an award: the columns that name it, and the indexes that activity is read by.

Three copies of one database get the same awards, a block each in turn: as it is, without the indexes, and without indexes and names.
Processor time counts, of the process that awards and of its database server. So other work on the machine matters less.
"""

import contextlib
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import psycopg

from bench import processor, product

SLUG = "actors"
INDEXES = [
    *("ledger_entry_actor", "event_actor", "domain_event_actor"),
    *("ledger_entry_newest", "event_newest", "domain_event_newest"),
]
VARIANTS: Mapping[str, tuple[bool, bool]] = {
    "as it is": (True, True),
    "without the indexes": (False, True),
    "without indexes and actor": (False, False),
}
"""Whether a variant has the indexes, and whether its rows name an actor."""


@dataclass
class Awarding:
    """A process that awards points in its own copy of the database. `own` and `database` are seconds for each award, by round."""

    process: "subprocess.Popen[str]"
    server: int
    own: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)

    def award(self, number: int) -> None:
        before = processor.seconds_of([self.server])[self.server]
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()
        self.own.append(float(self.process.stdout.readline()) / number)
        self.database.append((processor.seconds_of([self.server])[self.server] - before) / number)


def measure(*, requests: int, rounds: int) -> None:
    """Award `requests` times to each copy in each round. The first round warms up."""
    with product.installed() as (server, environment), contextlib.ExitStack() as stack:
        product.new_key(environment, SLUG)
        cases = {name: stack.enter_context(_awarding(server.url, environment, name)) for name in VARIANTS}
        for _ in range(rounds + 1):
            for case in cases.values():
                case.award(requests)
        print(
            f"  {server.description}; median of {rounds} rounds of {requests} awards, processor time of an award in µs"
        )
        print(f"  {'':<28}{'own':>8}{'database':>10}{'both':>8}")
        for name, case in cases.items():
            own, database = (1e6 * statistics.median(each[1:]) for each in (case.own, case.database))
            print(f"  {name:<28}{own:>8.0f}{database:>10.0f}{own + database:>8.0f}")


@contextlib.contextmanager
def _awarding(url: str, environment: Mapping[str, str], name: str) -> Iterator[Awarding]:
    has_indexes, has_actor = VARIANTS[name]
    copy = f"copy_{list(VARIANTS).index(name)}"
    base, _, original = url.rpartition("/")
    with psycopg.connect(f"{base}/postgres", autocommit=True) as database:
        database.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{original}"')
    if not has_indexes:
        with psycopg.connect(f"{base}/{copy}", autocommit=True) as database:
            database.execute(f"DROP INDEX {', '.join(INDEXES)}")
    settings = {"DATABASE_URL": f"{base}/{copy}", "DJANGO_SETTINGS_MODULE": "gamify_project.settings"}
    command = [sys.executable, "-m", "bench.awarding", SLUG, *(() if has_actor else ("--without-actor",))]
    with subprocess.Popen(
        command,
        cwd=product.ROOT,
        env=os.environ | environment | settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Awarding(process, int(process.stdout.readline()))
        process.stdin.close()
