"""Takes the items of an undo back, each in a transaction of its own together with its state (docs/decisions/0032).

So an undo that is killed continues with the next item, and no item is taken back twice, even if two workers run the same undo.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import structlog
from django.db import OperationalError, transaction
from django.utils import timezone

from gamify_project.undo.models import UNFINISHED, ItemState, Undo, UndoItem, UndoStatus
from gamify_project.undo.planning import plan
from participants.actors import acting_as
from participants.causes import Kept, Undoing, cause_tables
from participants.errors import DomainError
from participants.work import reading, wait_for_open_units
from participants.work.restarting import TooBusy

CHUNK = 100
MAX_IN_ROLLBACK = 1_000
"""How many items of one participant a dry run takes back before it rolls back. The participant is locked for so long."""
MAX_REASON = 255
FAILED = "It failed unexpectedly; the log says why"

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Result:
    """What became of an item. `reason` is None if it was taken back; `parts` are what of it stays."""

    item: UndoItem
    reason: str | None
    parts: Sequence[Kept] = ()


def run(undo: Undo) -> Iterator[int]:
    """Generator: run an undo to its end, and yield the number of rows of each step.

    It may be abandoned after any step and started again. Errors that pass, such as a busy database, are raised; any other error
    keeps the item.
    """
    steps = _steps(undo)
    while True:
        with reading(undo.tenant), acting_as(undo.asker):  # not around a `yield`: other work runs in between
            number = next(steps, None)
        if number is None:
            return
        yield number


def _steps(undo: Undo) -> Iterator[int]:
    if undo.planned_at is None:
        yield from _plan(undo)
    yield from _take_back_in_rollbacks(undo) if undo.is_dry_run else _take_back(undo)
    _change(undo, status=UndoStatus.DONE, finished_at=timezone.now())


def _plan(undo: Undo) -> Iterator[int]:
    """Units that were open when the undo was asked for may still write rows of the cause, so wait for them."""
    _change(undo, status=UndoStatus.RUNNING)
    yield from wait_for_open_units()
    try:
        yield from plan(undo)
    except OperationalError:
        raise
    except Exception:
        logger.exception("undo_failed", undo=str(undo.pk))
        _change(undo, status=UndoStatus.FAILED, error=FAILED, finished_at=timezone.now())
        raise
    _change(undo, planned_at=timezone.now())


def _change(undo: Undo, **values: object) -> None:
    """Write columns of an undo that is not finished. Another worker may have finished it."""
    Undo.objects.filter(pk=undo.pk, status__in=UNFINISHED).update(**values)
    for name, value in values.items():
        setattr(undo, name, value)


def _waiting(undo: Undo, limit: int) -> Sequence[UndoItem]:
    """Return the next items: participant by participant, newest first, and each participant's last ones last."""
    rows = UndoItem.objects.filter(undo=undo, state=ItemState.WAITING)
    return list(rows.order_by("participant_id", "turn", "-row_id")[:limit])


# --- for real -----------------------------------------------------------------------------------------------------------


def _take_back(undo: Undo) -> Iterator[int]:
    while items := _waiting(undo, CHUNK):
        for item in items:
            with transaction.atomic():  # the participant is locked first, then what is shared, then the item
                _store(_result_of(undo, item))
        yield len(items)


def _result_of(undo: Undo, item: UndoItem) -> _Result:
    """Take one row back, in a unit of work within the current transaction. A refusal rolls only the unit back."""
    undoing = Undoing(undo.tenant, item.row_id, undo.reason, timezone.now(), item.is_consequence)
    try:
        with transaction.atomic():
            return _Result(item, None, cause_tables[item.type].undo(undoing))
    except (TooBusy, OperationalError):
        raise
    except DomainError as refusal:
        return _Result(item, refusal.message)
    except Exception:
        logger.exception("undo_of_one_failed", undo=str(undo.pk), type=item.type, row=str(item.row_id))
        return _Result(item, FAILED)


def _store(result: _Result) -> None:
    """Write what became of an item, unless another worker was first: then what this one did is what that one found done."""
    item, reason = result.item, result.reason and result.reason[:MAX_REASON]
    state = ItemState.REVERSED if reason is None else ItemState.KEPT
    waiting = UndoItem.objects.filter(pk=item.pk, state=ItemState.WAITING)
    if waiting.update(state=state, reason=reason):
        UndoItem.objects.bulk_create(_part(item, number, each) for number, each in enumerate(result.parts, 1))


def _part(item: UndoItem, number: int, kept: Kept) -> UndoItem:
    about = {"tenant_id": item.tenant_id, "participant_id": item.participant_id, "undo_id": item.undo_id}
    reason = kept.reason[:MAX_REASON]
    return UndoItem(
        **about, type=kept.type, row_id=item.row_id, part=number, kept_id=kept.id, state=ItemState.KEPT, reason=reason
    )


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
        results = [_result_of(undo, item) for item in items]
        transaction.set_rollback(True)
    with transaction.atomic():
        for result in results:
            _store(result)
    return len(items)
