"""Double spend: clients of many processes deduct single points from one balance. Exactly the points that are there are spent."""

import random
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from tests.trials.conftest import Installed
from tests.trials.installation import Caller, Installation, in_threads
from tests.trials.reporting import SEED, size

pytestmark = [pytest.mark.deployment, pytest.mark.timeout(1200)]

ROUNDS = size(1, 20)
POINTS = size(100, 1000)
DEDUCTS = size(320, 3200)
PROCESSES = size("4", "8")
CLIENTS = 8

Outcome = Counter[tuple[int, str]]
RIGHT = Counter({(200, ""): POINTS, (400, "insufficient_points"): DEDUCTS - POINTS})


def test_points_are_spent_once_by_clients_of_many_processes(
    installed: Installed, figures: Callable[[str], None]
) -> None:
    with installed(WEB_WORKERS=PROCESSES) as trial:
        port = trial.serve()
        for seed in range(SEED, SEED + ROUNDS):
            assert (spend(trial, port, seed), balance(trial, seed)) == (RIGHT, 0), f"seed {seed}"
        trial.verify_ledger()

    figures(f"{ROUNDS} × {DEDUCTS} deducts on {POINTS} points by {PROCESSES} processes: {dict(RIGHT)}, balance 0")


def test_without_the_lock_points_are_spent_twice(installed: Installed) -> None:
    with installed(without="participant_lock", WEB_WORKERS=PROCESSES) as trial:
        trial.execute("ALTER TABLE points_ledgerentry DROP CONSTRAINT ledger_entry_number_unique")
        port = trial.serve()

        assert spend(trial, port, SEED) != RIGHT
        with pytest.raises(AssertionError, match="balance"):
            trial.verify_ledger()


def spend(trial: Installation, port: int, seed: int) -> Outcome:
    """Award the points to a new participant, and deduct them from all clients at once. Returns how often each answer came."""
    awarded = trial.caller(port).post("points/award", {"participant_id": f"spender_{seed}", "amount": POINTS})
    assert awarded.status == 200, awarded
    shares = Counter(random.Random(seed).choices(range(CLIENTS), k=DEDUCTS))
    return Counter(
        answer
        for part in in_threads([partial(deduct, trial.caller(port), seed, share) for share in shares.values()])
        for answer in part
    )


def deduct(caller: Caller, seed: int, times: int) -> list[tuple[int, str]]:
    answers = [caller.post("points/deduct", {"participant_id": f"spender_{seed}", "amount": 1}) for _ in range(times)]
    return [(answer.status, answer.json().get("code", "")) for answer in answers]


def balance(trial: Installation, seed: int) -> int:
    [(found,)] = trial.rows("SELECT balance FROM participants_participant WHERE external_id = %s", f"spender_{seed}")
    return int(found)
