"""Restarts use cases whose unit of work lost a race against a concurrent transaction."""

import functools
import random
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar
from uuid import UUID

import structlog
from django.db.backends.base.base import BaseDatabaseWrapper

from participants.database import Read, Rows, conflict_name, send
from participants.errors import DomainError
from participants.measuring import restarts

P = ParamSpec("P")
R = TypeVar("R")

RETRY_SECONDS = 10.0  # for races that are lost at once, so that a client gets the 503 before its own timeout
MAX_TIMEOUTS = 2
LOCK_SECONDS = 4.5
"""How long a use case may wait for locks. PostgreSQL measures each lock by itself, and the second in a queue waits for two."""
MAX_EXTENSIONS = 5
PAUSE_SECONDS = 0.005
LONGEST_PAUSE_SECONDS = 0.1

logger = structlog.get_logger(__name__)


class Restart(Exception):
    """A concurrent transaction was first. The next attempt of the use case will see what it wrote."""


class Timeout(Restart):
    """A statement took too long, mostly because of a lock. The transaction that holds it may end soon."""


@dataclass
class _Call:
    """One call of a restartable use case. Its next attempts also lock `participants` (id → external id)."""

    participants: dict[UUID, str] = field(default_factory=dict)
    extensions: int = 0
    started: float = field(default_factory=time.monotonic)
    timeouts: int = 0

    @property
    def seconds_left(self) -> float:
        return self.started + LOCK_SECONDS - time.monotonic()


_call: ContextVar[_Call | None] = ContextVar("restartable_call", default=None)


def further_participants() -> Mapping[UUID, str]:
    """The participants (id → external id) that `restart_with_participants` added in this call."""
    call = _call.get()
    return {} if call is None else call.participants


def restart_with_participants(participants: Mapping[UUID, str]) -> None:
    """Restart the use case so that its unit also locks `participants` (id → external id). Raises Restart.

    A unit locks all its participants first, in id order, and none later. So a unit that finds out late that it needs more
    participants must start again. Returns without restarting if the call was already extended MAX_EXTENSIONS times. The caller then
    does what it can with the participants it has.
    """
    call = _call.get()
    if call is None or call.extensions == MAX_EXTENSIONS:
        return
    call.extensions += 1
    call.participants.update(participants)
    raise Restart


class TooBusy(DomainError):
    """The use case lost races, or waited for a lock, until its time was up. It has written nothing, and the client may retry."""

    code = "service_unavailable"
    status = 503

    def __init__(self) -> None:
        super().__init__("Too many concurrent writes; try again", headers={"Retry-After": "1"})


def restartable(use_case: Callable[P, R]) -> Callable[P, R]:
    """Decorator: run `use_case` again if its unit of work raised Restart. `use_case` must do nothing outside its unit.

    Raises TooBusy after RETRY_SECONDS of lost races, and after MAX_TIMEOUTS or LOCK_SECONDS of waiting for locks.

    Races are limited by time and not by attempts: while definitions change many times a second, a unit can lose dozens of races in a
    row (mostly on SQLite) and still succeed within a second or two.
    """

    @functools.wraps(use_case)
    def attempts(*args: P.args, **kwargs: P.kwargs) -> R:
        call = _Call()
        token = _call.set(call)
        try:
            return _until_it_succeeds(call, use_case, *args, **kwargs)
        finally:
            _call.reset(token)

    return attempts


def _until_it_succeeds(call: _Call, use_case: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    attempt = 0
    while True:
        try:
            return use_case(*args, **kwargs)
        except Restart as restart:
            if _is_in_vain(call, restart):
                raise TooBusy from restart
            cause = conflict_name(restart.__cause__ or restart)
            restarts.labels(cause).inc()
            logger.info("unit_restarted", use_case=use_case.__name__, cause=cause)
            _pause(attempt)
            attempt += 1


def _is_in_vain(call: _Call, restart: Restart) -> bool:
    if isinstance(restart, Timeout):
        call.timeouts += 1
        return call.timeouts == MAX_TIMEOUTS or call.seconds_left <= 0
    return time.monotonic() >= call.started + RETRY_SECONDS


_SHORTEN = """
    SELECT set_config('gamify.statement_timeout', current_setting('statement_timeout'), true),
    set_config('statement_timeout', %s, true)
"""
_SET_BACK = "SELECT set_config('statement_timeout', current_setting('gamify.statement_timeout'), true)"


def within_the_time_left(read: Read) -> Read:
    """After a timeout, let PostgreSQL cancel `read` when the call has waited for locks for LOCK_SECONDS.

    The limit of the transaction is set back behind the read: the unit may be a part of a longer transaction.
    """
    call = _call.get()
    if call is None or not call.timeouts:
        return read
    milliseconds = str(max(1, round(call.seconds_left * 1000)))

    def execute(connection: BaseDatabaseWrapper) -> Callable[[], Rows]:
        send(connection, _SHORTEN, [milliseconds])
        fetch = read(connection)
        send(connection, _SET_BACK)
        return fetch

    return execute


def _pause(attempt: int) -> None:
    """Sleep for a random time, so that two units that collided do not collide again."""
    longest = min(attempt * PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
    time.sleep(random.uniform(0, longest))  # noqa: S311 - not a secret
