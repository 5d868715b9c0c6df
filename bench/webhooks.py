"""Deliveries per second by one worker, against a bare httpx loop that posts the same bodies to the same receiver."""

import contextlib
import json
import statistics
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import time_machine
from standardwebhooks import Webhook

from bench import load, product

EVENTS = 10_000
BATCH = 100

# Each runs in a process of its own that has Django loaded and kept from the garbage collector, as a worker has, and prints seconds.
PUMP = """
import gc, time
from gamify.webhooks.services import deliver_due, delivery_loop
delivery_loop.LINGER_SECONDS = 0
gc.collect(); gc.freeze()
started = time.perf_counter(); deliver_due(); print(time.perf_counter() - started)
"""
LOOP = """
import gc, time, httpx2
from gamify.webhooks.engine.messages import message_bytes, message_of
from gamify.webhooks.models import Delivery
from participants.models import DomainEvent
events = list(DomainEvent.objects.filter(type="points.awarded").order_by("-id")[:{events}])
bodies = [message_bytes(message_of(event)) for event in events]
gc.collect(); gc.freeze()
with httpx2.Client() as client:
    started = time.perf_counter()
    for body in bodies:
        client.post("http://127.0.0.1:{port}/loop", content=body).raise_for_status()
    print(time.perf_counter() - started)
"""


@contextlib.contextmanager
def receiver() -> Iterator[int]:
    """Its port."""
    command = [sys.executable, "-m", "bench.receiver"]
    with subprocess.Popen(command, cwd=product.ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


def taken(port: int) -> list[list[Any]]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/taken") as answer:
        found: list[list[Any]] = json.load(answer)
        return found


def taken_number(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/number") as answer:
        return int(answer.read())


def verify(found: Iterable[list[Any]], secrets: Mapping[str, str]) -> None:
    """As their receiver did when they arrived, with the public library. Raises WebhookVerificationError."""
    for path, message_id, at, signature, timestamp, body in found:
        headers = {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}
        with time_machine.travel(at, tick=False):
            Webhook(secrets[path]).verify(body, headers)


def award_many(port: int, key: str, number: int) -> None:
    awards = [{"participant_id": f"user_{n}", "amount": 5} for n in range(BATCH)]
    request = load.post("/api/v1/gamify/points/award-batch", json.dumps({"awards": awards}).encode(), key=key)
    for _ in range(number // BATCH):
        if (status := load.ask(port, request)) != 200:
            raise RuntimeError(f"awards were answered {status}")


def measure(*, rounds: int) -> None:
    with product.installed() as (server, environment), receiver() as target:
        print(f"  {server.description}, {EVENTS:,} deliveries, one worker, median of {rounds} rounds")
        key = product.new_key(environment, "bench")
        pumped, looped = [], []
        with product.served(environment) as port:
            endpoint = {"url": f"http://127.0.0.1:{target}/ok/1", "event_types": ["points.awarded"]}
            product.define(port, environment, "bench", "webhooks", endpoint)
            for _ in range(rounds):
                award_many(port, key, EVENTS)
                pumped.append(EVENTS / _seconds(environment, PUMP))
                looped.append(EVENTS / _seconds(environment, LOOP.format(events=EVENTS, port=target)))
        assert len(taken(target)) == 2 * rounds * EVENTS, "every delivery arrived"
        _report(statistics.median(looped), statistics.median(pumped))


def _seconds(environment: Mapping[str, str], code: str) -> float:
    return float(product.manage(environment, "shell", "--no-imports", "-c", code).split()[-1])


def _report(loop: float, pump: float) -> None:
    print(f"  bare httpx loop           {loop:>8.0f}/s    1.00 × loop")
    print(f"  deliveries                {pump:>8.0f}/s  {pump / loop:>6.2f} × loop")
