"""What is lost when processes die by SIGKILL while awards are written and delivered: nothing may be."""

import contextlib
import http.client
import json
import os
import random
import signal
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import sleep
from typing import Any

import psutil
import psycopg

from bench import product
from bench.trials import ask, beat, new_endpoint, running, start, until_nothing_is_left
from bench.webhooks import receiver, taken, taken_number, verify
from tests.booting import postgres

WRITERS = 6
TOLD = "SELECT data->>'transaction_id', id::text FROM participants_domainevent WHERE type = 'points.awarded'"
WRITTEN = "SELECT id::text FROM points_ledgerentry"
LEASES_ARE_OVER = "UPDATE webhooks_delivery SET due_at = now() WHERE lease IS NOT NULL"


@dataclass
class Writing:
    """Awards over HTTP, from several threads, as long as it goes on; `acknowledged` are the transactions of the answers."""

    port: int
    key: str
    is_over: threading.Event = field(default_factory=threading.Event)
    acknowledged: list[str] = field(default_factory=list)
    unanswered: int = 0

    def write(self, number: int) -> None:
        chance = random.Random(number)
        while not self.is_over.is_set():
            award = {"participant_id": f"user_{chance.randrange(200)}", "amount": 5}
            try:
                status, answer = ask(self.port, "POST", "points/award", award, key=self.key)
            except (OSError, ValueError, http.client.HTTPException):  # its server was killed
                self.unanswered += 1
                continue
            if status == 200:
                self.acknowledged.append(answer["transaction_id"])

    @contextlib.contextmanager
    def going_on(self) -> Any:
        threads = [threading.Thread(target=self.write, args=(number,)) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.is_over.set()
            for thread in threads:
                thread.join()


@dataclass(frozen=True)
class Outcome:
    """What was acknowledged, written and told (transactions), and what arrived: for each transaction, ids and bodies as often as they came."""

    killed: Counter[str]
    unanswered: int
    acknowledged: frozenset[str]
    written: frozenset[str]
    told: Mapping[str, str]
    arrived: Mapping[str, Sequence[tuple[str, str]]]

    @property
    def repeated(self) -> list[Sequence[tuple[str, str]]]:
        """What arrived more than once."""
        return [copies for copies in self.arrived.values() if len(copies) > 1]

    def check(self) -> None:
        """Raises AssertionError if anything was lost or made up, or came again as something else."""
        assert self.acknowledged <= self.told.keys(), "an acknowledged change without its event"
        assert self.written == self.told.keys(), "a change without its event, or an event without its change"
        assert self.arrived.keys() == self.told.keys(), "an event that was not delivered"
        for transaction, copies in self.arrived.items():
            assert len(set(copies)) == 1, "a delivery that came again with another id or body"
            assert copies[0][0] == self.told[transaction], "a delivery under the id of another event"


def measure(*, kills: int) -> None:
    with postgres(options={}) as server:
        outcome = try_kills(server.url, kills=kills)
    print(f"  killed: {dict(outcome.killed)}")
    print(f"  {len(outcome.acknowledged):,} awards acknowledged, {outcome.unanswered} calls without an answer")
    print(f"  acknowledged without event: {len(outcome.acknowledged - outcome.told.keys())}")
    print(f"  written without event: {len(outcome.written - outcome.told.keys())}", end=", ")
    print(f"events without what they tell: {len(outcome.told.keys() - outcome.written)}")
    print(
        f"  events {len(outcome.told):,}, not delivered: {len(outcome.told.keys() - outcome.arrived.keys())}", end=", "
    )
    print(f"delivered more than once: {len(outcome.repeated)}", end=", ")
    print(f"of these with another id or body: {sum(len(set(copies)) > 1 for copies in outcome.repeated)}")
    outcome.check()


def try_kills(url: str, *, kills: int) -> Outcome:
    """Web and worker processes die while awards are written to the empty database at `url`, and delivered."""
    with tempfile.TemporaryDirectory() as var, receiver() as target:
        environment = {"DATABASE_URL": url, "REDIS_URL": "", "GAMIFY_VAR": var, **product.UNCAPPED}
        product.manage(environment, "migrate", "-v0")
        key = product.new_key(environment, "acme", "admin")
        with (
            product.served(environment) as port,
            beat(environment),
            psycopg.connect(url, autocommit=True) as db,
        ):
            secret = new_endpoint(port, key, f"http://127.0.0.1:{target}/ok/1")["secret"]
            writing = Writing(port, key)
            with writing.going_on():
                killed = _kill(environment, port, target, kills)
            db.execute(LEASES_ARE_OVER)  # of workers that are all dead
            with running(environment, "worker"):
                until_nothing_is_left(db)
            return Outcome(
                killed,
                writing.unanswered,
                frozenset(writing.acknowledged),
                frozenset(row[0] for row in db.execute(WRITTEN)),
                dict(db.execute(TOLD).fetchall()),
                _arrived(target, secret),
            )


def _kill(environment: Mapping[str, str], port: int, target: int, kills: int) -> Counter[str]:
    """A worker as soon as it has begun to deliver, or a little later; web processes meanwhile."""
    killed: Counter[str] = Counter()
    worker, before, chance = start(environment, "worker"), 0, random.Random(1)
    while killed.total() < kills:
        sleep(chance.uniform(0.1, 0.8))
        if taken_number(target) > before and chance.random() < 0.6:
            worker.kill()
            worker.wait()
            killed["worker"] += 1
            worker, before = start(environment, "worker"), taken_number(target)
        elif chance.random() < 0.5 and (victims := _web_workers(port)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(victims), signal.SIGKILL)
                killed["web"] += 1
    worker.kill()
    worker.wait()
    return killed


def _web_workers(port: int) -> list[int]:
    masters = [each for each in psutil.Process().children() if f"127.0.0.1:{port}" in each.cmdline()]
    return [child.pid for master in masters for child in master.children()]


def _arrived(target: int, secret: str) -> Mapping[str, Sequence[tuple[str, str]]]:
    """By the transaction that they tell of; each verifies."""
    found, arrived = taken(target), defaultdict(list)
    verify(found, {"/ok/1": secret})
    for _, message_id, _, _, _, body in found:
        arrived[json.loads(body)["data"]["transaction_id"]].append((message_id, body))
    return arrived
