"""Writes down what came of tries, and what that says about endpoints."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from gamify.webhooks.engine.messages import instant_text
from gamify.webhooks.engine.schedule import DOUBTFUL_FOR, has_failed_too_long, next_try_at
from gamify.webhooks.models import Delivery, DeliveryStatus, DisabledReason, Endpoint
from gamify.webhooks.services.claiming import ClaimedDelivery
from gamify.webhooks.services.endpoints import disable
from gamify.webhooks.services.sending import HTTP_GONE, Try
from participants.database import instance_from, update

MAX_LOGGED = 50
COLUMNS = ("status", "tries", "due_at", "lease", "log", "finished_at")


@dataclass(frozen=True)
class ClaimResult:
    """What came of a claim; None where it was given back untried."""

    claim: ClaimedDelivery
    result: Try | None


def record(tried: Sequence[ClaimResult], *, now: datetime) -> None:
    """Write it all down. What another worker has claimed meanwhile, since the lease was over, is the other's to tell."""
    of_tenants: defaultdict[UUID, list[ClaimResult]] = defaultdict(list)
    for each in tried:
        of_tenants[each.claim.tenant_id].append(each)
    for of_tenant in of_tenants.values():
        _record_of_tenant(of_tenant, now=now)
    if results := [(each.claim, each.result) for each in tried if each.result]:
        _judge_endpoints(results, now=now)


@transaction.atomic
def _record_of_tenant(tried: Sequence[ClaimResult], *, now: datetime) -> None:
    ids = sorted(each.claim.delivery_id for each in tried)
    held = Delivery.objects.filter(pk__in=ids).order_by("pk").select_for_update()
    known = {pk: row for pk, *row in held.values_list("pk", "lease", "tries", "log")}
    rows = []
    for each in tried:
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
    """What COLUMNS become of a delivery, after so many tries before this one."""
    status: DeliveryStatus = DeliveryStatus.PENDING
    due_at: datetime | None = now
    if result is not None:
        tries += 1
        log = [*log, [instant_text(result.at), result.status, result.milliseconds, result.error]][-MAX_LOGGED:]
        status, due_at = _what_follows(result, tries, now=now)
    finished_at = now if due_at is None else None
    return {"status": status, "tries": tries, "due_at": due_at, "lease": None, "log": log, "finished_at": finished_at}


def _what_follows(result: Try, tries: int, *, now: datetime) -> tuple[DeliveryStatus, datetime | None]:
    if result.has_succeeded:
        return DeliveryStatus.SUCCEEDED, None
    due_at = next_try_at(tries=tries, at=now, chance=random.random(), retry_after=result.retry_after)  # noqa: S311 - no secret
    return DeliveryStatus.FAILED if due_at is None else DeliveryStatus.PENDING, due_at


def _judge_endpoints(results: Sequence[tuple[ClaimedDelivery, Try]], *, now: datetime) -> None:
    """One success and an endpoint is not failing any more; without one it is, since its first failure."""
    by_endpoint: defaultdict[UUID, list[Try]] = defaultdict(list)
    for claim, result in results:
        by_endpoint[claim.endpoint_id].append(result)
    works = [pk for pk, tries in by_endpoint.items() if any(each.has_succeeded for each in tries)]
    Endpoint.objects.filter(pk__in=works).exclude(failing_since=None).update(failing_since=None)
    _doubt([pk for pk, tries in by_endpoint.items() if not all(each.has_succeeded for each in tries)], now=now)
    fails = {pk: tries for pk, tries in by_endpoint.items() if pk not in works}
    if fails:
        _mark_failing(fails, now=now)


def _doubt(ids: Sequence[UUID], *, now: datetime) -> None:
    """Not with every failure: some seconds do not matter."""
    if ids:
        long_ago = Q(failed_at=None) | Q(failed_at__lt=now - DOUBTFUL_FOR / 10)
        Endpoint.objects.filter(long_ago, pk__in=ids).update(failed_at=now)


def _mark_failing(fails: Mapping[UUID, Sequence[Try]], *, now: datetime) -> None:
    Endpoint.objects.filter(pk__in=fails, failing_since=None).update(failing_since=now)
    for endpoint in Endpoint.objects.active().filter(pk__in=fails).select_related("tenant"):
        if any(each.status == HTTP_GONE for each in fails[endpoint.pk]):
            disable(endpoint=endpoint, reason=DisabledReason.GONE, now=now)
        elif has_failed_too_long(endpoint.failing_since, now=now):
            disable(endpoint=endpoint, reason=DisabledReason.FAILING, now=now)
