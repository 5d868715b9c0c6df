"""How sweeps process due rows: chunk by chunk, alternating between tenants, isolating rows that fail.

A due row stays due until it is processed. So a sweep that runs out of time, or skips a row, loses nothing.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from participants.models import Tenant
from participants.work.reading import reading

T = TypeVar("T")

Chunks = tuple[Tenant, Iterator[int]]
"""A tenant and an iterator over its due rows. Each step processes one chunk and yields how many rows it processed."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Swept:
    """What a periodic task did: how many rows it processed.

    `failed` counts pieces of work that raised an error, which is in the log, and `unfinished` those for which the time was not
    enough. Both stay due for the next run. A piece is all that is due of one tenant, or of one definition.
    """

    rows: int = 0
    failed: int = 0
    unfinished: int = 0


def round_robin(name: str, work: Iterable[Chunks], *, seconds: float) -> Swept:
    """Process one chunk of each tenant in turn, until all are done or `seconds` have passed. `name` is for the log.

    So no tenant waits for the backlog of another.
    """
    ends_at, waiting, rows, failed = time.monotonic() + seconds, deque(work), 0, 0
    while waiting and time.monotonic() < ends_at:
        tenant, chunks = waiting.popleft()
        try:
            with reading(tenant):
                count = next(chunks, None)
        except Exception:
            logger.exception("sweep_failed", sweep=name, tenant=tenant.slug, environment=tenant.environment)
            failed += 1
            continue
        if count is not None:
            rows += count
            waiting.append((tenant, chunks))
    if rows or waiting:
        logger.info("swept", sweep=name, looked_at=rows, unfinished=len(waiting))
    return Swept(rows, failed, len(waiting))


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
