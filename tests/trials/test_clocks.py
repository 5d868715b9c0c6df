"""Clocks: one web server is two hours behind, another two hours ahead, and both step backwards. Nothing drifts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.trials.altered.clock import set_clock
from tests.trials.conftest import Installed
from tests.trials.installation import Caller, Installation
from tests.trials.reporting import size

pytestmark = [pytest.mark.deployment, pytest.mark.timeout(600)]

DAYS = size(12, 60)
HOUR = 3600
PARTICIPANT = {"participant_id": "traveller"}
STREAK = {"code": "daily", "name": "Daily", "event_types": ["login"]}
STEPS = ((-2 * HOUR, 2 * HOUR), (-3 * HOUR, HOUR), (-2 * HOUR, -HOUR))
"""How many seconds the clocks of the two servers are ahead, one step after another."""
ENTRIES = "SELECT number, delta, balance_after FROM points_ledgerentry ORDER BY number"


class Nodes:
    """Two web servers of one installation, with clocks of their own."""

    def __init__(self, trial: Installation, folder: Path) -> None:
        self._clocks = [folder / "behind", folder / "ahead"]
        self.set(STEPS[0])
        ports = [trial.serve(WEB_WORKERS="1", TRIAL_CLOCK=str(clock)) for clock in self._clocks]
        self.callers: list[Caller] = [trial.caller(port) for port in ports]

    def set(self, seconds: tuple[int, int]) -> None:
        for clock, each in zip(self._clocks, seconds, strict=True):
            set_clock(clock, seconds_ahead=each)


def test_servers_with_wrong_clocks_leave_no_drift_and_no_wrong_window(
    installed: Installed, tmp_path: Path, figures: Callable[[str], None]
) -> None:
    with nodes(installed, tmp_path) as (trial, both):
        runs = live(both)
        entries = trial.rows(ENTRIES)
        trial.verify_ledger()

    assert runs == [DAYS, DAYS]
    assert [number for number, *_ in entries] == list(range(1, len(entries) + 1))
    assert entries[-1][2] == sum(delta for _, delta, _ in entries)
    figures(
        f"{DAYS} days ticked by two servers, clocks {STEPS} s: a run of {DAYS} on both, {len(entries)} entries in order"
    )


def test_if_the_server_s_clock_decided_the_window_days_would_be_lost(installed: Installed, tmp_path: Path) -> None:
    with nodes(installed, tmp_path, without="client_time") as (_, both):
        assert live(both) != [DAYS, DAYS]


@contextmanager
def nodes(installed: Installed, folder: Path, **more: str) -> Iterator[tuple[Installation, Nodes]]:
    with installed(clock=folder / "behind", **more) as trial:
        both = Nodes(trial, folder)
        created = both.callers[0].post("admin/streaks", STREAK)
        assert created.status == 201, created
        yield trial, both


def live(both: Nodes) -> list[int]:
    """Tick each of the last days, award and spend points that expire, by turns on both servers. Returns the run that each one shows."""
    now = datetime.now(UTC)
    for number in range(DAYS):
        both.set(STEPS[number * len(STEPS) // DAYS])
        caller = both.callers[number % 2]
        noon = (now - timedelta(days=DAYS - number)).replace(hour=12, minute=0)
        expires_at = (now + timedelta(hours=4, minutes=number)).isoformat()
        answers = [
            caller.post("streaks/record", {**PARTICIPANT, "streak_code": "daily", "timestamp": noon.isoformat()}),
            caller.post("points/award", {**PARTICIPANT, "amount": 10, "expires_at": expires_at}),
            both.callers[(number + 1) % 2].post("points/deduct", {**PARTICIPANT, "amount": 3}),
        ]
        assert {answer.status for answer in answers} == {200}, answers
    return [longest_run(caller) for caller in both.callers]


def longest_run(caller: Caller) -> int:
    [streak] = caller.get("participants/traveller/streaks").json()["streaks"]
    return int(streak["longest_count"])
