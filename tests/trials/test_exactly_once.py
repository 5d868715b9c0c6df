"""Exactly once: clients retry under idempotency keys while web, worker, beat and delivery processes die by SIGKILL."""

import contextlib
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import psutil
import pytest

from bench.webhooks import verify
from tests.processes import until
from tests.receivers import Receiver, receiving
from tests.trials.conftest import Installed
from tests.trials.installation import Caller, Installation, Unanswered
from tests.trials.reporting import size

pytestmark = [pytest.mark.deployment, pytest.mark.timeout(1800)]

KEYS = size(60, 400)
KILLS = size(12, 200)
CLIENTS = 6
PARTICIPANTS = 20
PATIENCE_SECONDS = 300.0
BACKGROUND = ("worker", "beat", "deliveries")
LEASES_ARE_OVER = "UPDATE webhooks_delivery SET due_at = now() WHERE lease IS NOT NULL"
LEFT = "SELECT count(*) FROM webhooks_delivery WHERE status = 'pending'"
UNPLACED = "SELECT count(*) FROM participants_domainevent WHERE position IS NULL"
APPLIED = "SELECT reason, count(*) FROM points_ledgerentry GROUP BY reason"
SIGNED = ("webhook-signature", "webhook-timestamp")
TOLD = "SELECT data->>'reason', id::text FROM participants_domainevent WHERE type = 'points.awarded'"


@dataclass
class Retrying:
    """Clients that repeat every request until it is answered, and all of them again under the same keys.

    They use the first `released` keys, so that new awards and deliveries go on between the kills; all keys once `is_over`.
    """

    trial: Installation
    port: int
    keys: Sequence[str]
    released: int = 1
    is_over: threading.Event = field(default_factory=threading.Event)
    answers: defaultdict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    statuses: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0

    def retry_all(self, seed: int) -> None:
        """Award under every key, in an order of this client's own, at least once."""
        caller, chance = self.trial.caller(self.port), random.Random(seed)
        while True:
            is_last_round = self.is_over.is_set()
            keys = self.keys if is_last_round else self.keys[: self.released]
            for key in chance.sample(keys, k=len(keys)):
                deadline = time.monotonic() + PATIENCE_SECONDS
                while not self.has_succeeded(caller, key):
                    assert time.monotonic() < deadline, f"never answered: {key}, {self.statuses}"
            if is_last_round:
                return

    def has_succeeded(self, caller: Caller, key: str) -> bool:
        about = {"participant_id": f"user_{int(key.removeprefix('key_')) % PARTICIPANTS}", "reason": key}
        try:
            answer = caller.post("points/award", about | {"amount": 5, "idempotency_key": key})
        except Unanswered:  # its server was killed
            self.unanswered += 1
            return False
        self.statuses[answer.status] += 1
        if answer.status == 200:
            self.answers[key].add(answer.body)
        return answer.status == 200


@contextlib.contextmanager
def retrying(trial: Installation, port: int, keys: Sequence[str]) -> Iterator[Retrying]:
    """Retry while the block runs, then let every client finish its round. Raises what a client raised."""
    clients = Retrying(trial, port, keys)
    failures: list[Exception] = []

    def run(seed: int) -> None:
        try:
            clients.retry_all(seed)
        except Exception as error:  # noqa: BLE001 - it is raised at the end
            failures.append(error)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield clients
    finally:
        clients.is_over.set()
        for thread in threads:
            thread.join()
    assert not failures, failures


def kill_processes(
    trial: Installation, clients: Retrying, target: Receiver, chance: random.Random, kills: int
) -> Counter[str]:
    """Kill random processes, and start those again that are not children of another. Returns the kills by service."""
    killed: Counter[str] = Counter()
    services = {name: trial.start(name) for name in BACKGROUND} if kills else {}
    if kills:
        until(lambda: bool(target.received), what="the first delivery arrives", seconds=300)
    delivered = 0
    while killed.total() < kills:
        clients.released = 1 + len(clients.keys) * killed.total() // kills
        time.sleep(chance.uniform(0.1, 0.8))
        name = chance.choice(["web", "web", "worker", "beat", "deliveries"])
        if name == "deliveries" and len(target.received) == delivered:
            continue  # it has delivered nothing yet
        delivered = len(target.received)
        main = trial.processes[0] if name == "web" else services[name]
        children = psutil.Process(main.pid).children()
        if name in {"web", "worker"} and children and chance.random() < 0.8:
            with contextlib.suppress(psutil.NoSuchProcess):
                chance.choice(children).kill()
                killed[name] += 1
        elif name != "web":
            kill_with_children(psutil.Process(main.pid))
            main.wait()
            killed[name] += 1
            services[name] = trial.start(name)
    return killed


def kill_with_children(process: psutil.Process) -> None:
    for each in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()


def try_kills(trial: Installation, target: Receiver, chance: random.Random, *, kills: int) -> str:
    """Run the trial, check what it promises, and return its figures. Raises AssertionError."""
    keys = [f"key_{number}" for number in range(KEYS)]
    port = trial.serve()
    endpoint = trial.caller(port).post("admin/webhooks", {"url": target.url, "event_types": ["points.awarded"]})
    assert endpoint.status == 201, endpoint
    with retrying(trial, port, keys) as clients:
        killed = kill_processes(trial, clients, target, chance, kills)
    applied, told = Counter(dict(trial.rows(APPLIED))), trial.rows(TOLD)
    assert applied == Counter(keys), "a key was not applied exactly once"
    assert {key: len(answers) for key, answers in clients.answers.items()} == dict.fromkeys(keys, 1), "unequal replays"
    assert Counter(key for key, _ in told) == applied, "an event was lost, or emitted twice"
    trial.execute(LEASES_ARE_OVER)  # of processes that were killed
    until(lambda: trial.rows(UNPLACED) == trial.rows(LEFT) == [(0,)], what="all is delivered", seconds=120)
    repeated = check_deliveries(target, dict(told), endpoint.json()["secret"])
    return (
        f"{KEYS} keys, {CLIENTS} clients, killed {dict(killed)}: {clients.statuses.total()} answers {dict(clients.statuses)}, "
        f"{clients.unanswered} without; applied once: {len(applied)}, delivered: {len(told)}, of them again: {repeated}"
    )


def check_deliveries(target: Receiver, told: Mapping[str, str], secret: str) -> int:
    """Every event arrived under its id; if more than once, then with the same body. Returns how many came again."""
    arrived: defaultdict[str, list[bytes]] = defaultdict(list)
    for each in target.received:
        arrived[each.headers["webhook-id"]].append(each.body)
    assert arrived.keys() == set(told.values()), "an event was not delivered, or an unknown one was"
    assert all(len(set(bodies)) == 1 for bodies in arrived.values()), "a delivery came again with another body"
    found = [
        [each.path, each.headers["webhook-id"], each.at, *map(each.headers.get, SIGNED), each.body.decode()]
        for each in target.received
    ]
    verify(found, {"/hook": secret})
    return sum(len(bodies) > 1 for bodies in arrived.values())


def with_target(installed: Installed, target: Receiver, **more: str) -> AbstractContextManager[Installation]:
    """An installation that may deliver to `target`."""
    allowed = {"WEBHOOK_ALLOW_HTTP": "1", "WEBHOOK_PORTS": str(target.port), "WEBHOOK_NETWORKS": "127.0.0.0/8"}
    return installed(WEB_WORKERS="2", SWEEP_SECONDS="5", **allowed, **more)


def test_every_key_is_applied_and_every_event_delivered_exactly_once_while_processes_are_killed(
    installed: Installed, chance: random.Random, figures: Callable[[str], None]
) -> None:
    with receiving() as target, with_target(installed, target) as trial:
        text = try_kills(trial, target, chance, kills=KILLS)
        trial.verify_ledger()

    figures(text)


@pytest.mark.parametrize(
    ("guard", "failure"),
    [("stored_answers", "not applied exactly once"), ("outbox", "an event was lost")],
)
def test_without_its_guard_a_key_is_applied_twice_or_an_event_is_lost(
    installed: Installed, chance: random.Random, guard: str, failure: str
) -> None:
    with (
        receiving() as target,
        with_target(installed, target, without=guard) as trial,
        pytest.raises(AssertionError, match=failure),
    ):
        try_kills(trial, target, chance, kills=0)
