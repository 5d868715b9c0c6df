"""Clients that write without a pause, note every answer, and repeat what was refused or not answered under the same key."""

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.trials.installation import Caller, Installation, Unanswered

PARTICIPANTS = 10
"""Of each client."""
APPLIED = "SELECT reason, count(*) FROM points_ledgerentry GROUP BY reason"
TOLD = "SELECT data->>'reason', count(*) FROM participants_domainevent WHERE type = 'points.awarded' GROUP BY 1"


@dataclass(frozen=True)
class Sample:
    """One request: when it began (monotonic seconds), how long it took, and its status; 0 if there was no answer."""

    at: float
    seconds: float
    status: int


@dataclass
class Load:
    """What the clients sent and were answered. `acknowledged` are the keys that were answered 200.

    Each client pauses after each request, and repeats a part of them (0 to 1) although they were answered.
    """

    pause_seconds: float
    repeats: float
    samples: list[Sample] = field(default_factory=list)
    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    out_of_shape: list[bytes] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    callers: list[Caller] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def run(self, client: int, caller: Caller) -> None:
        chance, number = random.Random(client), 0
        try:
            while not self.is_over.wait(self.pause_seconds):
                number += 1
                key = f"{client}_{number}"
                self.award(caller, key)
                if chance.random() < self.repeats:
                    self.award(caller, key)
        except Exception as error:  # noqa: BLE001 - it is raised at the end
            self.failures.append(error)

    def award(self, caller: Caller, key: str) -> bool:
        client, _, number = key.partition("_")
        about = {"participant_id": f"user_{client}_{int(number) % PARTICIPANTS}", "reason": key}
        self.sent.add(key)
        began, status = time.monotonic(), 0
        with contextlib.suppress(Unanswered):
            answer = caller.post("points/award", about | {"amount": 5, "idempotency_key": key})
            status = answer.status
            self._note(key, status, answer.body, answer.headers)
        self.samples.append(Sample(began, time.monotonic() - began, status))
        return status == 200

    def _note(self, key: str, status: int, body: bytes, headers: object) -> None:
        if status == 200:
            self.acknowledged.add(key)
        elif b'"detail"' not in body or b'"code"' not in body or "x-request-id" not in dict(headers):  # type: ignore[call-overload]
            self.out_of_shape.append(body)

    def statuses(self) -> Counter[int]:
        return Counter(sample.status for sample in self.samples)

    def longest(self) -> float:
        return max(sample.seconds for sample in self.samples)


@contextlib.contextmanager
def load_on(
    trial: Installation,
    port: int,
    *,
    slugs: Sequence[str] = ("acme",) * 4,
    requests_per_second: float = 400,
    repeats: float = 0,
    patience_seconds: float = 30,
) -> Iterator[Load]:
    """Write from one client for each of `slugs` while the block runs. A client waits `patience_seconds` for an answer."""
    load = Load(len(slugs) / requests_per_second, repeats)
    load.callers = [trial.caller(port, slug, seconds=patience_seconds) for slug in slugs]
    threads = [threading.Thread(target=load.run, args=each) for each in enumerate(load.callers)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.is_over.set()
        for thread in threads:
            thread.join()
    assert not load.failures, load.failures


def check_nothing_is_lost(trial: Installation, load: Load) -> None:
    """Every acknowledged write is there, no write is there twice or without its event. Raises AssertionError."""
    applied, told = Counter(dict(trial.rows(APPLIED))), Counter(dict(trial.rows(TOLD)))
    lost = load.acknowledged - applied.keys()
    assert not lost, f"{len(lost)} acknowledged writes were lost, of {len(load.acknowledged)}"
    assert set(applied.values()) == {1}, "a write was applied twice"
    assert applied.keys() <= load.sent
    assert told == applied, "an event was lost, or has no write"


def repeat_unacknowledged(load: Load) -> None:
    """Send everything that was not acknowledged once more. Raises AssertionError if it is refused."""
    for key in load.sent - load.acknowledged:
        assert load.award(load.callers[int(key.partition("_")[0])], key), load.samples[-1]
