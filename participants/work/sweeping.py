"""How sweeps go through what is due: tenants in turn, chunk by chunk, and around what fails.

What is due stays due until it is looked at; so a sweep that runs out of time, or leaves something, has lost nothing.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import structlog

from participants.models import Tenant

T = TypeVar("T")

Chunks = tuple[Tenant, Iterator[int]]
"""Whose rows they are, and an iterator that looks at one chunk of them each time it is asked."""

logger = structlog.get_logger(__name__)


def round_robin(name: str, work: Iterable[Chunks], *, seconds: float) -> None:
    """A chunk of each in turn, until all are done or time is up: no tenant waits for the backlog of another."""
    ends_at, waiting, looked_at = time.monotonic() + seconds, deque(work), 0
    while waiting and time.monotonic() < ends_at:
        tenant, chunks = waiting.popleft()
        found = _next_chunk(name, tenant, chunks)
        if found is not None:
            looked_at += found
            waiting.append((tenant, chunks))
    if looked_at or waiting:
        logger.info("swept", sweep=name, looked_at=looked_at, unfinished=len(waiting))


def _next_chunk(name: str, tenant: Tenant, chunks: Iterator[int]) -> int | None:
    """How many were looked at; None when it was the last, or has failed, which is nobody else's concern."""
    try:
        return next(chunks, None)
    except Exception:
        logger.exception("sweep_failed", sweep=name, tenant=tenant.slug, environment=tenant.environment)
        return None


def bisect_failures(
    chunk: Sequence[T], process: Callable[[Sequence[T]], int], *, on_failure: Callable[[T], object]
) -> int:
    """Look at them together, or where that fails by halves: one that cannot be looked at stops nobody."""
    try:
        return process(chunk)
    except Exception:
        if len(chunk) == 1:
            logger.exception("sweep_of_one_failed", what=chunk[0])
            on_failure(chunk[0])
            return 0
    middle = len(chunk) // 2
    return sum(bisect_failures(half, process, on_failure=on_failure) for half in (chunk[:middle], chunk[middle:]))
