"""Applying a changed ladder: moving everybody up whose points are enough, in the background."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from gamify.tiers.models import LadderRun
from gamify.tiers.selectors import participants_to_raise
from gamify.tiers.services.evaluation import recompute
from participants import messages
from participants.actors import acting_as, current_actor
from participants.models import Tenant
from participants.work import bisect_failures

CHUNK = 100
TASK = "tiers.apply_ladders"


@transaction.atomic
def apply_ladder(*, tenant: Tenant, now: datetime) -> LadderRun:
    """Ask a worker to move all participants up whose points are enough for a higher tier. No participant is moved down.

    A request while an earlier one runs starts it again from the beginning, and both count as one.
    """
    run, _ = LadderRun.objects.select_for_update().get_or_create(tenant=tenant, defaults={"requested_at": now})
    run.requested_at, run.after, run.raised, run.finished_at = now, None, 0, None
    run.attribute_to(current_actor())
    run.save()
    transaction.on_commit(lambda: messages.send(TASK))
    return run


def apply_in_chunks(*, run: LadderRun, now: datetime) -> Iterator[int]:
    """Generator: move the next chunk of participants, and yield how many were looked at. It can be stopped after each step.

    It ends when all have been looked at, and also if the run was started again, or if another worker has it at the moment.
    """
    while number := _apply_next(run, now=now):
        yield number


@transaction.atomic
def _apply_next(run: LadderRun, *, now: datetime) -> int:
    """Move a chunk, in one transaction with the progress. The row is locked first, so that only one worker does it."""
    unfinished = LadderRun.objects.filter(pk=run.pk, requested_at=run.requested_at, finished_at=None)
    locked = unfinished.select_for_update(skip_locked=True).select_related("tenant").first()
    if locked is None:
        return 0
    if chunk := _next_chunk(locked):
        external_ids = [external_id for _, external_id in chunk]
        move = partial(_move, locked, now=now)
        locked.raised += bisect_failures(
            external_ids, move, on_failure=lambda external_id: None
        )  # the next award moves them
        locked.after = chunk[-1][0]
    else:
        locked.finished_at = now
    locked.save(update_fields=["after", "raised", "finished_at"])
    return len(chunk)


def _move(run: LadderRun, external_ids: Sequence[str], *, now: datetime) -> int:
    with transaction.atomic(), acting_as(run.stored_actor):
        return recompute(tenant=run.tenant, participant_ids=external_ids, now=now)


def _next_chunk(run: LadderRun) -> list[tuple[UUID, str]]:
    people = participants_to_raise(run.tenant).order_by("pk")
    if run.after is not None:
        people = people.filter(pk__gt=run.after)
    return list(people.values_list("pk", "external_id")[:CHUNK])
