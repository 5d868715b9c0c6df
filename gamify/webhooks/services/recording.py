"""Records the results of tries in deliveries and endpoints."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from gamify.webhooks.engine.schedule import DOUBTFUL_FOR, has_failed_too_long, next_try_at
from gamify.webhooks.models import Delivery, DeliveryStatus, DisabledReason, Endpoint
from gamify.webhooks.services.claiming import ClaimedDelivery
from gamify.webhooks.services.endpoints import disable
from gamify.webhooks.services.sending import HTTP_GONE, Try
from participants.database import instance_from, update
from participants.engine import instant_text

MAX_LOGGED = 50
COLUMNS = ("status", "tries", "due_at", "lease", "log", "finished_at")


@dataclass(frozen=True)
class ClaimResult:
    """The result of a claimed delivery; None if it was released without a try."""

    claim: ClaimedDelivery
    result: Try | None


def record(claimed: Sequence[ClaimResult], *, now: datetime) -> None:
    """Record all results. Skip deliveries that another worker has claimed since, because the lease was over."""
    by_tenant: defaultdict[UUID, list[ClaimResult]] = defaultdict(list)
    for each in claimed:
        by_tenant[each.claim.tenant_id].append(each)
    for of_tenant in by_tenant.values():
        _record_of_tenant(of_tenant, now=now)
    if results := [(each.claim, each.result) for each in claimed if each.result]:
        _update_endpoints(results, now=now)


@transaction.atomic
def _record_of_tenant(claimed: Sequence[ClaimResult], *, now: datetime) -> None:
    ids = sorted(each.claim.delivery_id for each in claimed)
    held = Delivery.objects.filter(pk__in=ids).order_by("pk").select_for_update()
    known = {pk: row for pk, *row in held.values_list("pk", "lease", "tries", "log")}
    rows = []
    for each in claimed:
        lease, tries, log = known.get(each.claim.delivery_id, (None, 0, []))
        if lease == each.claim.lease:
            outcome = _outcome(each.result, tries, log, now=now)
            rows.append(
                instance_from(
                    Delivery, (outcome | {"id": each.claim.delivery_id, "tenant_id": each.claim.tenant_id}).items()
                )
            )
    if rows:
        update(connection, rows, COLUMNS)


def _outcome(result: Try | None, tries: int, log: list[Any], *, now: datetime) -> dict[str, Any]:
    """Return the new values of COLUMNS. `tries` and `log` are those before this try."""
    status: DeliveryStatus = DeliveryStatus.PENDING
    due_at: datetime | None = now
    if result is not None:
        tries += 1
        log = [*log, [instant_text(result.at), result.status, result.milliseconds, result.error]][-MAX_LOGGED:]
        status, due_at = _next_step(result, tries, now=now)
    finished_at = now if due_at is None else None
    return {"status": status, "tries": tries, "due_at": due_at, "lease": None, "log": log, "finished_at": finished_at}


def _next_step(result: Try, tries: int, *, now: datetime) -> tuple[DeliveryStatus, datetime | None]:
    if result.has_succeeded:
        return DeliveryStatus.SUCCEEDED, None
    due_at = next_try_at(tries=tries, at=now, chance=random.random(), retry_after=result.retry_after)  # noqa: S311 - no secret
    return DeliveryStatus.FAILED if due_at is None else DeliveryStatus.PENDING, due_at


def _update_endpoints(results: Sequence[tuple[ClaimedDelivery, Try]], *, now: datetime) -> None:
    """Note success and failure of endpoints. One success ends the time of failing; failures without a success start it."""
    by_endpoint: defaultdict[UUID, list[Try]] = defaultdict(list)
    for claim, result in results:
        by_endpoint[claim.endpoint_id].append(result)
    working = [pk for pk, tries in by_endpoint.items() if any(each.has_succeeded for each in tries)]
    Endpoint.objects.filter(pk__in=working).exclude(failing_since=None).update(failing_since=None)
    _mark_doubtful([pk for pk, tries in by_endpoint.items() if not all(each.has_succeeded for each in tries)], now=now)
    failing = {pk: tries for pk, tries in by_endpoint.items() if pk not in working}
    if failing:
        _mark_failing(failing, now=now)


def _mark_doubtful(ids: Sequence[UUID], *, now: datetime) -> None:
    """Write `failed_at` of these endpoints. Skip those for which it was written some seconds ago, to save writes."""
    if ids:
        long_ago = Q(failed_at=None) | Q(failed_at__lt=now - DOUBTFUL_FOR / 10)
        Endpoint.objects.filter(long_ago, pk__in=ids).update(failed_at=now)


def _mark_failing(failing: Mapping[UUID, Sequence[Try]], *, now: datetime) -> None:
    Endpoint.objects.filter(pk__in=failing, failing_since=None).update(failing_since=now)
    for endpoint in Endpoint.objects.active().filter(pk__in=failing).select_related("tenant"):
        if any(each.status == HTTP_GONE for each in failing[endpoint.pk]):
            disable(endpoint=endpoint, reason=DisabledReason.GONE, now=now)
        elif has_failed_too_long(endpoint.failing_since, now=now):
            disable(endpoint=endpoint, reason=DisabledReason.FAILING, now=now)
