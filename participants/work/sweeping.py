"""How sweeps process due rows: chunk by chunk, alternating between tenants, isolating rows that fail.

A due row stays due until it is processed. So a sweep that runs out of time, or skips a row, loses nothing.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import structlog

from participants.models import Tenant
from participants.work.reading import reading

T = TypeVar("T")

Chunks = tuple[Tenant, Iterator[int]]
"""A tenant and an iterator over its due rows. Each step processes one chunk and yields how many rows it processed."""

logger = structlog.get_logger(__name__)


def round_robin(name: str, work: Iterable[Chunks], *, seconds: float) -> None:
    """Process one chunk of each tenant in turn, until all are done or `seconds` have passed. `name` is for the log.

    So no tenant waits for the backlog of another.
    """
    ends_at, waiting, processed = time.monotonic() + seconds, deque(work), 0
    while waiting and time.monotonic() < ends_at:
        tenant, chunks = waiting.popleft()
        count = _next_chunk(name, tenant, chunks)
        if count is not None:
            processed += count
            waiting.append((tenant, chunks))
    if processed or waiting:
        logger.info("swept", sweep=name, looked_at=processed, unfinished=len(waiting))


def _next_chunk(name: str, tenant: Tenant, chunks: Iterator[int]) -> int | None:
    """Process the next chunk. Returns its size, or None after the last chunk or a failure, which is logged."""
    try:
        with reading(tenant):
            return next(chunks, None)
    except Exception:
        logger.exception("sweep_failed", sweep=name, tenant=tenant.slug, environment=tenant.environment)
        return None


def bisect_failures(
    chunk: Sequence[T], process: Callable[[Sequence[T]], int], *, on_failure: Callable[[T], object]
) -> int:
    """Process `chunk` as a whole. If that fails, process its halves, and so on, so that one bad row does not stop the others.

    Calls `on_failure` for each row that fails alone. Returns how many rows `process` reported.
    """
    try:
        return process(chunk)
    except Exception:
        if len(chunk) == 1:
            logger.exception("sweep_of_one_failed", what=chunk[0])
            on_failure(chunk[0])
            return 0
    middle = len(chunk) // 2
    return sum(bisect_failures(half, process, on_failure=on_failure) for half in (chunk[:middle], chunk[middle:]))
