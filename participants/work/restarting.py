"""A unit that lost a race begins anew."""

import functools
import random
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar
from uuid import UUID

import structlog

from participants.errors import DomainError

P = ParamSpec("P")
R = TypeVar("R")

RETRY_SECONDS = 10.0  # half of what one wait for a lock may take, so that a client sees the 503 before its own timeout
MAX_EXTENSIONS = 5
PAUSE_SECONDS = 0.005
LONGEST_PAUSE_SECONDS = 0.1

logger = structlog.get_logger(__name__)


class Restart(Exception):
    """Another transaction made what this one believed missing; begun anew, the unit will find it."""


@dataclass
class _Call:
    """One call of a restartable use case. `people` (id → external id) are locked by its next attempts too."""

    people: dict[UUID, str] = field(default_factory=dict)
    extensions: int = 0


_call: ContextVar[_Call | None] = ContextVar("restartable_call", default=None)


def further_participants() -> Mapping[UUID, str]:
    """The participants that `restart_with_participants` has asked for in this call, id → external id."""
    call = _call.get()
    return {} if call is None else call.people


def restart_with_participants(people: Mapping[UUID, str]) -> None:
    """Restart the use case so that its unit locks `people` (id → external id) too.

    A unit locks all its participants first, in id order, and none later. A unit that finds out late whom else it needs must
    therefore start again. Raises Restart. Returns without restarting when the call has been extended MAX_EXTENSIONS times already:
    the caller then does what it can with the participants it has.
    """
    call = _call.get()
    if call is None or call.extensions == MAX_EXTENSIONS:
        return
    call.extensions += 1
    call.people.update(people)
    raise Restart


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
        token = _call.set(_Call())
        try:
            return _until_it_succeeds(use_case, *args, **kwargs)
        finally:
            _call.reset(token)

    return attempts


def _until_it_succeeds(use_case: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
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


def _pause(attempt: int) -> None:
    """Wait for a random time, so that two units that met do not meet again."""
    longest = min(attempt * PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
    time.sleep(random.uniform(0, longest))  # noqa: S311 - not a secret
