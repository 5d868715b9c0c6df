"""What beat starts: breaks and risks are told, and what changed for everyone in a streak is followed up."""

import time
from collections import deque
from collections.abc import Iterable, Iterator

import structlog
from celery import shared_task
from django.utils import timezone

from participants.models import Tenant
from streaks.models import Streak
from streaks.selectors.due import BREAKS, RISKS, Sweep, tenants_with_due
from streaks.services import reviewing, sweeping

# Well before a worker is killed (LONGEST_TASK_SECONDS): what is left then is still due, and the next beat's.
BUDGET_SECONDS = 120.0

Chunks = tuple[Tenant, Iterator[int]]
"""Whose rows they are, and an iterator that looks at one chunk of them each time it is asked."""

logger = structlog.get_logger(__name__)


@shared_task(name="streaks.announce_breaks")
def announce_breaks() -> None:
    """Tell of every run that is over."""
    _announce(BREAKS)


@shared_task(name="streaks.announce_risks")
def announce_risks() -> None:
    """Tell of every run that is about to be over."""
    _announce(RISKS)


def _announce(kind: Sweep) -> None:
    now = timezone.now()
    tenants = tenants_with_due(kind, now=now)
    _take_turns(kind.name, [(tenant, sweeping(tenant=tenant, kind=kind, now=now)) for tenant in tenants])


@shared_task(name="streaks.review")
def review() -> None:
    """Tell what a change of terms, a pause that ended or an amnesty has made of everyone's runs."""
    now = timezone.now()
    streaks = Streak.objects.awaiting_review().select_related("tenant").order_by("review_due_at")
    _take_turns("review", [(streak.tenant, reviewing(streak=streak, now=now)) for streak in streaks])


def _take_turns(name: str, work: Iterable[Chunks]) -> None:
    """A chunk of each in turn, until all are done or time is up: no tenant waits for the backlog of another."""
    ends_at, waiting, looked_at = time.monotonic() + BUDGET_SECONDS, deque(work), 0
    while waiting and time.monotonic() < ends_at:
        tenant, chunks = waiting.popleft()
        found = _next_chunk(name, tenant, chunks)
        if found is not None:
            looked_at += found
            waiting.append((tenant, chunks))
    if looked_at or waiting:
        logger.info("streaks_swept", sweep=name, looked_at=looked_at, unfinished=len(waiting))


def _next_chunk(name: str, tenant: Tenant, chunks: Iterator[int]) -> int | None:
    """How many were looked at; None when it was the last, or has failed, which is nobody else's concern."""
    try:
        return next(chunks, None)
    except Exception:
        logger.exception("streak_sweep_failed", sweep=name, tenant=tenant.slug, environment=tenant.environment)
        return None
