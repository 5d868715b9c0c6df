"""Applying a changed ladder: moving everybody up whose points are enough, in the background."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from gamify.tiers.models import LadderRun
from gamify.tiers.selectors import participants_to_raise
from gamify.tiers.services.evaluation import recompute
from participants import messages
from participants.actors import Actor, acting_as, current_actor
from participants.models import Tenant
from participants.work import reading

CHUNK = 100
TASK = "tiers.apply_ladders"


@transaction.atomic
def apply_ladder(*, tenant: Tenant, now: datetime) -> LadderRun:
    """Ask a worker to move all participants up whose points are enough for a higher tier. Nobody is moved down.

    A request while an earlier one runs starts it again from the beginning, and both count as one.
    """
    run, _ = LadderRun.objects.select_for_update().get_or_create(tenant=tenant, defaults={"requested_at": now})
    run.requested_at, run.after, run.raised, run.finished_at = now, None, 0, None
    run.attribute_to(current_actor())
    run.save()
    transaction.on_commit(lambda: messages.send(TASK))
    return run


def apply_in_chunks(*, run: LadderRun, now: datetime) -> Iterator[int]:
    """Generator: move the next chunk of participants, and yield how many were looked at. It can be stopped after each step."""
    while chunk := _next_chunk(run):
        with reading(run.tenant), acting_as(_asker(run)):
            raised = recompute(tenant=run.tenant, participant_ids=[external_id for _, external_id in chunk], now=now)
        run.after = chunk[-1][0]
        _current(run).update(after=run.after, raised=F("raised") + raised)
        yield len(chunk)
    _current(run).update(finished_at=now)


def _next_chunk(run: LadderRun) -> list[tuple[UUID, str]]:
    people = participants_to_raise(run.tenant).order_by("pk")
    if run.after is not None:
        people = people.filter(pk__gt=run.after)
    return list(people.values_list("pk", "external_id")[:CHUNK])


def _current(run: LadderRun) -> "QuerySet[LadderRun]":
    """The row of this run, unless it was started again meanwhile."""
    return LadderRun.objects.filter(pk=run.pk, requested_at=run.requested_at)


def _asker(run: LadderRun) -> Actor:
    return Actor(run.actor or "", run.actor_label or "", run.request_id)
