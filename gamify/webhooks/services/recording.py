"""Writes down what came of tries, and what that says about endpoints."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from gamify.webhooks.engine.messages import instant_text
from gamify.webhooks.engine.schedule import DOUBTED_FOR, has_failed_too_long, next_try_at
from gamify.webhooks.models import Delivery, DeliveryStatus, DisabledBecause, Endpoint
from gamify.webhooks.services.claiming import Claim
from gamify.webhooks.services.endpoints import disable
from gamify.webhooks.services.sending import GONE, Try
from participants.work.statements import update

MOST_LOGGED = 50
COLUMNS = ("status", "tries", "due_at", "lease", "log", "finished_at")


@dataclass(frozen=True)
class Tried:
    """What came of a claim; None where it was given back untried."""

    claim: Claim
    result: Try | None


def record(tried: Sequence[Tried], *, now: datetime) -> None:
    """Write it all down. What another worker has claimed meanwhile, since the lease was over, is the other's to tell."""
    of_tenants: defaultdict[UUID, list[Tried]] = defaultdict(list)
    for each in tried:
        of_tenants[each.claim.tenant_id].append(each)
    for of_tenant in of_tenants.values():
        _record_of_tenant(of_tenant, now=now)
    if results := [(each.claim, each.result) for each in tried if each.result]:
        _judge_endpoints(results, now=now)


@transaction.atomic
def _record_of_tenant(tried: Sequence[Tried], *, now: datetime) -> None:
    rows_now = Delivery.objects.select_for_update().only("id", "tenant_id", "status", "lease", "tries", "log")
    held = rows_now.in_bulk(sorted(each.claim.delivery_id for each in tried))
    rows = []
    for each in tried:
        row = held.get(each.claim.delivery_id)
        if row is not None and row.lease == each.claim.lease:
            _note(row, each.result, now=now)
            rows.append(row)
    if rows:
        update(connection, rows, COLUMNS)


def _note(row: Delivery, result: Try | None, *, now: datetime) -> None:
    row.lease = None
    if result is None:
        row.due_at = now
        return
    row.tries += 1
    row.log = [*row.log, [instant_text(result.at), result.status, result.milliseconds, result.error]][-MOST_LOGGED:]
    if result.has_succeeded:
        row.status, row.due_at = DeliveryStatus.SUCCEEDED, None
    else:
        row.due_at = next_try_at(tries=row.tries, at=now, chance=random.random(), wish=result.wish)  # noqa: S311 - no secret
        row.status = DeliveryStatus.FAILED if row.due_at is None else DeliveryStatus.PENDING
    row.finished_at = now if row.due_at is None else None


def _judge_endpoints(results: Sequence[tuple[Claim, Try]], *, now: datetime) -> None:
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
        long_ago = Q(failed_at=None) | Q(failed_at__lt=now - DOUBTED_FOR / 10)
        Endpoint.objects.filter(long_ago, pk__in=ids).update(failed_at=now)


def _mark_failing(fails: Mapping[UUID, Sequence[Try]], *, now: datetime) -> None:
    Endpoint.objects.filter(pk__in=fails, failing_since=None).update(failing_since=now)
    for endpoint in Endpoint.objects.active().filter(pk__in=fails).select_related("tenant"):
        if any(each.status == GONE for each in fails[endpoint.pk]):
            disable(endpoint=endpoint, because=DisabledBecause.GONE, now=now)
        elif has_failed_too_long(endpoint.failing_since, now=now):
            disable(endpoint=endpoint, because=DisabledBecause.FAILING, now=now)
