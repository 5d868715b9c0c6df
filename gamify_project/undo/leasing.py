"""Gives an undo to one worker at a time. A worker that is killed leaves the undo to the next one, when its lease has run out."""

from typing import Any

from django.utils import timezone

from gamify_project.undo.models import Undo, UndoStatus
from participants.models import LEASE, MAX_ATTEMPTS

GIVEN_UP = (
    f"The worker was killed {MAX_ATTEMPTS} times at the same row. A new undo with the same cause and time continues it."
)
CHANGED_BY_OTHERS = ("status", "error", "planned_at", "checked_until", "finished_at", "leased_until", "attempts")


class LeaseLost(Exception):
    """The lease ran out, and another worker has the undo or has finished it."""


def take(undo: Undo) -> bool:
    """Lease the undo to this worker. Returns False if another worker has it, or if nothing is left to do."""
    now = timezone.now()
    this = Undo.objects.unfinished().filter(pk=undo.pk)
    exhausted = this.free(now).filter(attempts__gte=MAX_ATTEMPTS)
    exhausted.update(status=UndoStatus.FAILED, error=GIVEN_UP, finished_at=now, leased_until=None)
    is_taken = bool(this.lease(now, status=UndoStatus.RUNNING))
    undo.refresh_from_db(fields=CHANGED_BY_OTHERS)
    return is_taken


def change(undo: Undo, **values: Any) -> None:
    """Write columns of an undo that this worker has. Raises: LeaseLost."""
    mine = Undo.objects.unfinished().filter(pk=undo.pk, leased_until=undo.leased_until)
    if not mine.update(**values):
        raise LeaseLost
    for name, value in values.items():
        setattr(undo, name, value)


def renew(undo: Undo, *, has_progressed: bool) -> None:
    """Extend the lease after a step that did something, and before half of it is over. Raises: LeaseLost."""
    now = timezone.now()
    if has_progressed or undo.leased_until is None or undo.leased_until < now + LEASE / 2:
        change(undo, leased_until=now + LEASE, attempts=1)


def finish(undo: Undo, status: UndoStatus, *, error: str | None = None) -> None:
    """End the undo. Raises: LeaseLost."""
    change(undo, status=status, error=error, finished_at=timezone.now(), leased_until=None)


def release(undo: Undo) -> None:
    """End the lease of an undo that is not finished, so that the next worker need not wait."""
    mine = Undo.objects.unfinished().filter(pk=undo.pk, leased_until=undo.leased_until)
    mine.update(leased_until=None, attempts=0)
