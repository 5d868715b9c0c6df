"""What must hold while endpoints are sick and processes die: counted, not timed."""

import contextlib
import http.client
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import psutil
import psycopg
from standardwebhooks import Webhook

from bench import product
from bench.awards import UNCAPPED
from bench.webhooks import receiver, taken
from tests.booting import postgres

ENDPOINTS = 20
EVENTS = 10_000
SICK_TIMEOUT = "3"
PAUSE_SECONDS = 0.006
DUE_NOW = "UPDATE webhooks_delivery SET due_at = now() WHERE due_at > now() AND lease IS NULL"
LEFT = "SELECT count(*) FROM webhooks_delivery WHERE status = 'pending'"
UNPLACED = "SELECT count(*) FROM participants_domainevent WHERE position IS NULL"
TOLD = "SELECT data->>'transaction_id', id::text FROM participants_domainevent WHERE type = 'points.awarded'"
WRITTEN = "SELECT id::text FROM points_ledgerentry"


def start(environment: Mapping[str, str], *command: str) -> subprocess.Popen[bytes]:
    """Celery as `manage.py serve` runs it without Redis."""
    celery = [sys.executable, "-m", "celery", "--quiet", "--app", "gamify_project", *command, "--loglevel", "WARNING"]
    return subprocess.Popen(celery, cwd=product.ROOT, env=os.environ | environment)


@contextlib.contextmanager
def running(environment: Mapping[str, str], *command: str) -> Iterator[None]:
    process = start(environment, *command)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def beat(environment: Mapping[str, str]) -> contextlib.AbstractContextManager[None]:
    return running(environment, "beat", "--pidfile=", "--schedule", f"{environment['GAMIFY_VAR']}/beat")


def _endpoint(port: int, key: str, url: str) -> str:
    """The secret of a new one."""
    status, answer = post(port, "admin/webhooks", {"url": url, "event_types": ["points.awarded"]}, key=key)
    assert status == 201, answer
    secret: str = answer["secret"]
    return secret


def post(port: int, path: str, body: Mapping[str, Any], *, key: str) -> tuple[int, Any]:
    """Status and JSON of one request on a connection of its own."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(client):
        headers = {"X-API-Key": key, "Content-Type": "application/json"}
        client.request("POST", f"/api/v1/gamify/{path}", json.dumps(body), headers)
        answer = client.getresponse()
        return answer.status, json.loads(answer.read())


def admin_key(environment: Mapping[str, str], slug: str) -> str:
    product.manage(environment, "create_tenant", slug)
    made = product.manage(environment, "create_api_key", "--tenant", slug, "--scope", "admin", "--json")
    key: str = json.loads(made)["key"]
    return key


# --- endpoints that are sick ----------------------------------------------------------------------------------------


def try_sick_endpoints() -> None:
    """10,000 events, each for one of 20 endpoints, of which 10 fail 30 %, leave 10 % without an answer and reset 10 %."""
    with postgres(options={}) as server, tempfile.TemporaryDirectory() as var, receiver() as target:
        environment = {
            "DATABASE_URL": server.url, "GAMIFY_VAR": var, "WEBHOOK_TIMEOUT_SECONDS": SICK_TIMEOUT, **UNCAPPED,
        }  # fmt: skip
        product.manage(environment, "migrate", "-v0")
        with (
            product.served(environment) as port,
            running(environment, "worker"),
            psycopg.connect(server.url, autocommit=True) as db,
        ):
            keys = [admin_key(environment, f"tenant-{number}") for number in range(ENDPOINTS)]
            kinds = ["sick" if number % 2 else "ok" for number in range(ENDPOINTS)]
            secrets = {
                f"/{kind}/{number}": _endpoint(port, key, f"http://127.0.0.1:{target}/{kind}/{number}")
                for number, (key, kind) in enumerate(zip(keys, kinds, strict=True))
            }
            for number in range(EVENTS):
                award = {"participant_id": f"user_{number % 50}", "amount": 5}
                status, _ = post(port, "points/award", award, key=keys[number % ENDPOINTS])
                assert status == 200
                time.sleep(PAUSE_SECONDS)
            _until_nothing_is_left(db)
            times = dict(
                db.execute("SELECT id::text, extract(epoch FROM written_at)::float8 FROM participants_domainevent")
            )
            _report_sick(taken(target), secrets, times)


def _until_nothing_is_left(db: Any) -> None:
    """What waits to be tried again is due at once: nobody wants to wait for three days."""
    while db.execute(UNPLACED).fetchone()[0] or db.execute(LEFT).fetchone()[0]:
        db.execute(DUE_NOW)
        time.sleep(0.5)


def _report_sick(found: list[list[Any]], secrets: Mapping[str, str], times: Mapping[str, float]) -> None:
    seen: defaultdict[str, set[str]] = defaultdict(set)
    delays = []
    for path, message_id, at, signature, timestamp, body in found:
        headers = {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}
        Webhook(secrets[path]).verify(body, headers)
        if path.startswith("/ok") and message_id not in seen[path]:
            delays.append(at - times[message_id])
        seen[path].add(message_id)
    total = sum(map(len, seen.values()))
    cuts = statistics.quantiles(delays, n=100)
    print(f"  {EVENTS:,} events, {total:,} delivered ({len(found) - total} of them twice), every signature verifies")
    print(f"  endpoints that work: median {cuts[49]:.2f} s, p95 {cuts[94]:.2f} s, p99 {cuts[98]:.2f} s")
    assert total == EVENTS


# --- processes that are killed --------------------------------------------------------------------------------------


@dataclass
class Writing:
    """Awards over HTTP, from several threads, as long as it goes on; `acknowledged` are the transactions of the answers."""

    port: int
    key: str
    is_over: threading.Event = field(default_factory=threading.Event)
    acknowledged: list[str] = field(default_factory=list)
    lost: int = 0

    def write(self, number: int) -> None:
        chance = random.Random(number)
        while not self.is_over.is_set():
            try:
                award = {"participant_id": f"user_{chance.randrange(200)}", "amount": 5}
                status, answer = post(self.port, "points/award", award, key=self.key)
            except (OSError, ValueError, http.client.HTTPException):  # its server was killed
                self.lost += 1
                continue
            if status == 200:
                self.acknowledged.append(answer["transaction_id"])


def try_kills(*, kills: int) -> None:
    """Web and worker processes die by SIGKILL while awards are written and delivered."""
    with postgres(options={}) as server, tempfile.TemporaryDirectory() as var, receiver() as target:
        environment = {"DATABASE_URL": server.url, "GAMIFY_VAR": var, **UNCAPPED}
        product.manage(environment, "migrate", "-v0")
        key = admin_key(environment, "acme")
        with (
            product.served(environment) as port,
            beat(environment),
            psycopg.connect(server.url, autocommit=True) as db,
        ):
            _endpoint(port, key, f"http://127.0.0.1:{target}/ok/1")
            writing = Writing(port, key)
            threads = [threading.Thread(target=writing.write, args=(number,)) for number in range(6)]
            for thread in threads:
                thread.start()
            killed = _kill(environment, port, kills)
            writing.is_over.set()
            for thread in threads:
                thread.join()
            with running(environment, "worker"):
                _until_nothing_is_left(db)
            _report_kills(killed, writing, db, taken(target))


def _kill(environment: Mapping[str, str], port: int, kills: int) -> Counter[str]:
    killed: Counter[str] = Counter()
    current = start(environment, "worker")
    chance = random.Random(1)
    while killed.total() < kills:
        time.sleep(chance.uniform(0.2, 1.2))
        victims = _web_workers(port)
        if victims and chance.random() < 0.6:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(victims), signal.SIGKILL)
                killed["web"] += 1
        else:
            time.sleep(chance.uniform(0, 3))  # so that it had something under way
            current.kill()
            current.wait()
            killed["worker"] += 1
            current = start(environment, "worker")
    current.kill()
    current.wait()
    return killed


def _web_workers(port: int) -> list[int]:
    masters = [each for each in psutil.Process().children() if f"127.0.0.1:{port}" in each.cmdline()]
    return [child.pid for master in masters for child in master.children()]


def _report_kills(killed: Counter[str], writing: Writing, db: Any, found: list[list[Any]]) -> None:
    told = dict(db.execute(TOLD).fetchall())
    written = {row[0] for row in db.execute(WRITTEN)}
    arrived = Counter(message_id for _, message_id, *_ in found)
    print(
        f"  killed: {dict(killed)}; {len(writing.acknowledged):,} awards acknowledged, {writing.lost} calls without an answer"
    )
    print(f"  acknowledged without event: {len(set(writing.acknowledged) - told.keys())}")
    print(
        f"  written without event: {len(written - told.keys())}, events without what they tell: {len(told.keys() - written)}"
    )
    print(f"  events {len(told):,}; not delivered: {len(set(told.values()) - arrived.keys())}")
    print(f"  delivered more than once, under the same id: {sum(count > 1 for count in arrived.values())}")
    assert set(writing.acknowledged) <= told.keys() == written
    assert set(told.values()) == arrived.keys()
