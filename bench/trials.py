"""What becomes of deliveries while some endpoints are sick."""

import contextlib
import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from bench import product
from bench.webhooks import receiver, taken, verify

ENDPOINTS = 20
EVENTS = 10_000
SICK_TIMEOUT = "3"
HEALTHY_EVENTS = 4_000
SOME = 5
EVENTS_A_SECOND = 120
LONG_AGO, FAR_AHEAD = "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"
NEW_TENANTS = """
from django.core.management import call_command
from django.utils import timezone
from participants.management.base import existing_tenant
from participants.services.keys import create_api_key
for number in range({number}):
    call_command("create_tenant", f"tenant-{{number}}", stdout=open("/dev/null", "w"))
    tenant = existing_tenant(f"tenant-{{number}}", sandbox=False)
    print(create_api_key(tenant=tenant, scopes=["admin"], name="", expires_at=None, now=timezone.now()).key)
"""
DUE_SOON = """
UPDATE webhooks_delivery SET due_at = now() + interval '5 s' WHERE due_at > now() + interval '6.1 s' AND lease IS NULL
"""
COMMITTED = """
SELECT id::text, extract(epoch FROM written_at)::float8 FROM participants_domainevent
WHERE type = 'points.awarded' AND written_at > %s
"""
LEFT = "SELECT count(*) FROM webhooks_delivery WHERE status = 'pending'"
UNPLACED = "SELECT count(*) FROM participants_domainevent WHERE position IS NULL"


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


def new_endpoint(port: int, key: str, url: str) -> Any:
    """A new one, with its secret."""
    status, answer = ask(port, "POST", "admin/webhooks", {"url": url, "event_types": ["points.awarded"]}, key=key)
    assert status == 201, answer
    return answer


def ask(port: int, method: str, path: str, body: Mapping[str, Any], *, key: str) -> tuple[int, Any]:
    """Status and JSON of one request on a connection of its own."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(client):
        headers = {"X-API-Key": key, "Content-Type": "application/json"}
        client.request(method, f"/api/v1/gamify/{path}", json.dumps(body), headers)
        answer = client.getresponse()
        return answer.status, json.loads(answer.read())


def try_sick_endpoints() -> None:
    """Events for 20 endpoints that all work; then 10,000 while half of them fail 30 %, hang 10 % and reset 10 %."""
    with (
        product.installed(WEBHOOK_TIMEOUT_SECONDS=SICK_TIMEOUT) as (server, environment),
        receiver() as target,
        product.served(environment) as port,
        running(environment, "worker"),
        beat(environment),
        psycopg.connect(server.url, autocommit=True) as db,
    ):
        customers = [Customer.new(port, key, target) for key in _admin_keys(environment, ENDPOINTS)]
        print(f"  {server.description}; timeout {SICK_TIMEOUT} s, pauses of 5 s and then 5 s instead of 5 min …")
        _try_once("all work", customers, HEALTHY_EVENTS, db, target)
        for each in customers[1::2]:
            each.move(f"http://127.0.0.1:{target}/sick/{each.path.rpartition('/')[2]}")
        _try_once("half are sick", customers, EVENTS, db, target)


@dataclass
class Customer:
    """A tenant with one endpoint."""

    port: int
    key: str
    path: str
    webhook_id: str
    secret: str

    @classmethod
    def new(cls, port: int, key: str, target: int) -> "Customer":
        path = f"/ok/{key[-12:]}"
        made = new_endpoint(port, key, f"http://127.0.0.1:{target}{path}")
        return cls(port, key, path, made["id"], made["secret"])

    def move(self, url: str) -> None:
        ask(self.port, "PATCH", f"admin/webhooks/{self.webhook_id}", {"url": url}, key=self.key)
        self.path = f"/{url.split('/', 3)[3]}"

    def award_some(self) -> None:
        awards = [{"participant_id": f"user_{number}", "amount": 5} for number in range(SOME)]
        status, answer = ask(self.port, "POST", "points/award-batch", {"awards": awards}, key=self.key)
        assert status == 200, answer

    def replay_failed(self) -> int:
        """What failed ten times is delivered again, as an operator would have it; answers how many."""
        span = f"from={LONG_AGO}&to={FAR_AHEAD}&status=failed"
        status, answer = ask(self.port, "POST", f"admin/webhooks/{self.webhook_id}/replay?{span}", {}, key=self.key)
        assert status == 200, answer
        count: int = answer["replayed"]
        return count


def _admin_keys(environment: Mapping[str, str], number: int) -> list[str]:
    """Of as many new tenants, made by one process."""
    return product.manage(environment, "shell", "--no-imports", "-c", NEW_TENANTS.format(number=number)).split()


def _try_once(title: str, customers: list[Customer], events: int, db: Any, target: int) -> None:
    before, began = len(taken(target)), db.execute("SELECT now()").fetchone()[0]
    pace = time.monotonic()
    for number in range(events // SOME):
        customers[number % len(customers)].award_some()
        db.execute(DUE_SOON)
        time.sleep(max(0.0, pace + (number + 1) * SOME / EVENTS_A_SECOND - time.monotonic()))
    took = time.monotonic() - pace
    until_nothing_is_left(db)
    replayed = sum(each.replay_failed() for each in customers)
    until_nothing_is_left(db)
    times = dict(db.execute(COMMITTED, [began]).fetchall())
    print(f"  {title}: {events:,} events in {took:.0f} s, all settled {time.monotonic() - pace:.0f} s after the first")
    _report_delivered(taken(target)[before:], {each.path: each.secret for each in customers}, times, replayed)


def until_nothing_is_left(db: Any) -> None:
    """Who waits to be tried again need not wait for minutes, nor three days: as if that time had passed, within 5 seconds."""
    while db.execute(UNPLACED).fetchone()[0] or db.execute(LEFT).fetchone()[0]:
        db.execute(DUE_SOON)
        time.sleep(0.5)


def _report_delivered(
    found: list[list[Any]], secrets: Mapping[str, str], times: Mapping[str, float], replayed: int
) -> None:
    verify(found, secrets)
    first_at: dict[str, tuple[str, float]] = {}
    for path, message_id, at, *_ in found:
        first_at.setdefault(message_id, (path, at))
    lost = len(times.keys() - first_at.keys())
    print(f"    delivered {len(first_at):,}, lost {lost}, twice {len(found) - len(first_at)}, all verify;", end=" ")
    print(f"{replayed} failed ten times and were replayed")
    for kind in sorted({path.split("/")[1] for path in secrets}):
        delays = [at - times[pk] for pk, (path, at) in first_at.items() if path.startswith(f"/{kind}/")]
        cuts = statistics.quantiles(delays, n=100)
        print(
            f"    {kind:<5} p50 {cuts[49]:6.2f} s, p95 {cuts[94]:6.2f} s, p99 {cuts[98]:6.2f} s, max {max(delays):6.2f} s"
        )
    assert first_at.keys() == times.keys()
