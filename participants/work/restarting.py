"""A unit that lost a race begins anew."""

import functools
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import structlog

from participants.errors import DomainError

P = ParamSpec("P")
R = TypeVar("R")

RETRY_SECONDS = 10.0  # half of what one wait for a lock may take, so that a client sees the 503 before its own timeout
PAUSE_SECONDS = 0.005
LONGEST_PAUSE_SECONDS = 0.1

logger = structlog.get_logger(__name__)


class Restart(Exception):
    """Another transaction made what this one believed missing; begun anew, the unit will find it."""


class TooBusy(DomainError):
    """The same race was lost over and over: nothing was written, and the client may try again."""

    code = "service_unavailable"
    status = 503

    def __init__(self) -> None:
        super().__init__("Too many concurrent writes; try again", headers={"Retry-After": "1"})


def restartable(use_case: Callable[P, R]) -> Callable[P, R]:
    """Begin `use_case` anew when its unit of work lost a race. It must do nothing outside the unit.

    Raises TooBusy once `RETRY_SECONDS` have passed. Time counts, not the number of attempts: while definitions change many
    times a second, on SQLite above all, a unit can lose dozens of races in a row and still succeed within a second or two.
    """

    @functools.wraps(use_case)
    def attempts(*args: P.args, **kwargs: P.kwargs) -> R:
        deadline = time.monotonic() + RETRY_SECONDS
        attempt = 0
        while True:
            try:
                return use_case(*args, **kwargs)
            except Restart as restart:
                if time.monotonic() >= deadline:
                    raise TooBusy from restart
                logger.info("unit_restarted", use_case=use_case.__name__, cause=str(restart.__cause__))
                _pause(attempt)
                attempt += 1

    return attempts


def _pause(attempt: int) -> None:
    """Wait for a random time, so that two units that met do not meet again."""
    longest = min(attempt * PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
    time.sleep(random.uniform(0, longest))  # noqa: S311 - not a secret
