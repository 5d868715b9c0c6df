"""Takes the items of an undo back, each in a transaction of its own together with its state (docs/decisions/0032).

So an undo that is killed continues with the next item, and no item is taken back twice.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import structlog
from django.db import OperationalError, transaction
from django.utils import timezone

from gamify_project.undo import leasing
from gamify_project.undo.erasing import lock_participants
from gamify_project.undo.leasing import LeaseLost
from gamify_project.undo.models import ItemState, Turn, Undo, UndoItem, UndoStatus
from gamify_project.undo.planning import plan
from participants.actors import acting_as
from participants.causes import Kept, Undoing, cause_tables
from participants.errors import DomainError
from participants.models import ParticipantRowQuerySet
from participants.work import reading, wait_for_open_units
from participants.work.restarting import TooBusy

CHUNK = 100
MAX_IN_ROLLBACK = 1_000
"""How many items of one participant a dry run takes back before it rolls back. The participant is locked for so long."""
MAX_REASON = 255
NOT_PLANNED = "The undo failed while it looked for what to take back. The log of the worker says why."
FAILED = "This failed unexpectedly. The log of the worker says why"

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Result:
    """What became of an item. `reason` is None if it was taken back; `parts` are what of it stays.

    `is_refused`: its domain decided that it stays, or found that it is gone.
    """

    item: UndoItem
    reason: str | None
    parts: Sequence[Kept] = ()
    is_refused: bool = False

    @property
    def is_kept(self) -> bool:
        return self.reason is not None

    @property
    def is_none_of_the_cause(self) -> bool:
        """Whether a row of another cause was checked, and does not depend on what was taken back."""
        return self.item.turn == Turn.CHECK and self.is_refused


def run(undo: Undo) -> Generator[int, None, None]:
    """Generator: run an undo to its end, and yield the number of rows of each step. It ends at once if another worker has the undo.

    It may be abandoned after any step and started again. Errors that pass, such as a busy database, are raised; any other error
    keeps the item.
    """
    with reading(undo.tenant):
        if not leasing.take(undo):
            return
    steps = _steps(undo)
    try:
        while (number := _next(undo, steps)) is not None:
            yield number
    except LeaseLost:
        logger.warning("undo_lease_lost", undo=str(undo.pk))
    finally:
        with reading(undo.tenant):
            leasing.release(undo)


def _next(undo: Undo, steps: Iterator[int]) -> int | None:
    """Do the next step. Returns None after the last one. Raises: LeaseLost."""
    with reading(undo.tenant), acting_as(undo.stored_actor):  # not around a `yield`: other work runs in between
        number = next(steps, None)
        if number is not None:
            leasing.renew(undo, has_progressed=number > 0)
        return number


def _steps(undo: Undo) -> Iterator[int]:
    if undo.planned_at is None:
        yield from _plan(undo)
    yield from _take_back_in_rollbacks(undo) if undo.is_dry_run else _take_back(undo)
    leasing.finish(undo, UndoStatus.DONE)


def _plan(undo: Undo) -> Iterator[int]:
    """Units that were open when the undo was asked for may still write rows of the cause, so wait for them."""
    yield from wait_for_open_units()
    try:
        yield from plan(undo)
    except OperationalError:
        raise
    except Exception:
        logger.exception("undo_failed", undo=str(undo.pk))
        leasing.finish(undo, UndoStatus.FAILED, error=NOT_PLANNED)
        raise
    leasing.change(undo, planned_at=timezone.now())


def _waiting(undo: Undo, limit: int) -> Sequence[UndoItem]:
    """Return the next items: participant by participant, newest first, and each participant's last ones last."""
    return list(_all_waiting(undo)[:limit])


def _all_waiting(undo: Undo) -> ParticipantRowQuerySet[UndoItem]:
    rows = UndoItem.objects.filter(undo=undo, state=ItemState.WAITING)
    return rows.order_by("participant_id", "turn", "-row_id")


def _results(undo: Undo, items: Sequence[UndoItem]) -> Sequence[_Result]:
    """Take rows back within the current transaction.

    Those that come last are tried until no more of them can be taken back, because one may depend on another: a badge may count the
    participant's other badges.
    """
    results = [_result_of(undo, item) for item in items if not item.turn]
    remaining = [item for item in items if item.turn]
    while remaining:
        found = [_result_of(undo, item) for item in remaining]
        kept = [each for each in found if each.is_kept]
        results += [each for each in found if not each.is_kept]
        if len(kept) == len(remaining):
            return [*results, *kept]
        remaining = [each.item for each in kept]
    return results


def _result_of(undo: Undo, item: UndoItem) -> _Result:
    """Take one row back, in a unit of work within the current transaction. A refusal rolls only the unit back."""
    undoing = Undoing(undo.tenant, item.row_id, undo.reason, timezone.now(), item.is_consequence)
    try:
        with transaction.atomic():
            return _Result(item, None, cause_tables[item.type].undo(undoing))
    except (TooBusy, OperationalError):
        raise
    except DomainError as refusal:
        return _Result(item, refusal.message, is_refused=True)
    except Exception:
        logger.exception("undo_of_one_failed", undo=str(undo.pk), type=item.type, row=str(item.row_id))
        return _Result(item, FAILED)


def _store(result: _Result) -> None:
    """Write what became of an item, unless another worker was first: then what this one did is what that one found done."""
    item, reason = result.item, result.reason and result.reason[:MAX_REASON]
    state = ItemState.KEPT if result.is_kept else ItemState.REVERSED
    waiting = UndoItem.objects.filter(pk=item.pk, state=ItemState.WAITING)
    if result.is_none_of_the_cause:
        waiting.delete()
    elif waiting.update(state=state, reason=reason):
        UndoItem.objects.bulk_create(_part(item, number, each) for number, each in enumerate(result.parts, 1))


def _part(item: UndoItem, number: int, kept: Kept) -> UndoItem:
    about = {"tenant_id": item.tenant_id, "participant_id": item.participant_id, "undo_id": item.undo_id}
    reason = kept.reason[:MAX_REASON]
    return UndoItem(
        **about, type=kept.type, row_id=item.row_id, part=number, kept_id=kept.id, state=ItemState.KEPT, reason=reason
    )


# --- for real -----------------------------------------------------------------------------------------------------------


def _take_back(undo: Undo) -> Iterator[int]:
    while items := _waiting(undo, CHUNK):
        for number, together in enumerate(_transactions(undo, items)):
            with transaction.atomic():  # the participant is locked first, then what is shared, then the items
                for result in _results(undo, together):
                    _store(result)
            leasing.renew(undo, has_progressed=number == 0)  # so only a worker that takes nothing back has failed
        yield len(items)


def _transactions(undo: Undo, items: Sequence[UndoItem]) -> Iterator[Sequence[UndoItem]]:
    """Yield the items of each transaction: one by one, but all of a participant that come last together."""
    for (participant_id, is_last), group in groupby(items, key=lambda item: (item.participant_id, bool(item.turn))):
        if is_last:  # `items` may end in the middle of them
            yield list(_all_waiting(undo).filter(participant_id=participant_id))
        else:
            yield from ([item] for item in group)


# --- dry runs -----------------------------------------------------------------------------------------------------------


def _take_back_in_rollbacks(undo: Undo) -> Iterator[int]:
    """Take the items of one participant after the other back, and roll back, so that each item finds what those before it did."""
    while items := _waiting(undo, MAX_IN_ROLLBACK):
        groups = [list(group) for _, group in groupby(items, key=lambda item: item.participant_id)]
        if len(groups) > 1 and len(items) == MAX_IN_ROLLBACK:
            groups.pop()  # it may go on behind the limit
        for group in groups:
            yield _try(undo, group)


def _try(undo: Undo, items: Sequence[UndoItem]) -> int:
    with transaction.atomic():
        results = _results(undo, items)
        transaction.set_rollback(True)
    with transaction.atomic():
        lock_participants(undo.tenant, [item.participant_id for item in items])
        for result in results:
            _store(result)
    return len(items)
