"""Reads of the bottom layer."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from participants.database import Query, Slot
from participants.engine import is_slug, uuid_of
from participants.errors import ParticipantNotFound
from participants.models import ApiKey, HmacSecret, Participant, Tenant
from participants.models.tenants import Environment
from participants.work.settling import as_if_settled

SORTABLE: Mapping[str, str] = {
    "participant_id": "external_id",
    "display_name": "display_name",
    "total_points": "total_earned",
    "available_points": "balance",
    "total_events": "total_events",
    "first_seen_at": "first_seen_at",
    "last_seen_at": "last_seen_at",
}


_KEY_BY_DIGEST = Query(
    lambda: (
        ApiKey.objects.select_related("tenant")
        .filter(digest=Slot("digest", ApiKey._meta.get_field("digest")))
        .order_by()
    )
)


def key_by_digest(digest: str) -> ApiKey | None:
    """The key with this digest and its tenant, in one query; whether it still stands is for the caller to ask."""
    return next(iter(_KEY_BY_DIGEST.execute(connection, {"digest": digest})()), None)


def tenant_by_slug(slug: str, *, sandbox: bool = False) -> Tenant | None:
    environment = Environment.SANDBOX if sandbox else Environment.LIVE
    return Tenant.objects.filter(slug=slug, environment=environment).first()


def tenant_by_name(name: str, *, sandbox: bool) -> Tenant | None:
    """The row that `name`, a slug or UUID, means: live rows by their own id, twins also by that of their live tenant."""
    if sandbox:
        return Tenant.objects.filter(_named(name, "id", "live_id"), environment=Environment.SANDBOX).first()
    return Tenant.objects.live().filter(_named(name, "id")).first()


def active_secrets(name: str) -> Sequence[HmacSecret]:
    """What partners may sign with, newest first, of the tenant that `name` means and of its twin; with their tenants."""
    named = _named(name, "tenant__id", "tenant__live_id", "tenant__sandbox__id", slug="tenant__slug")
    return list(HmacSecret.objects.active().select_related("tenant").filter(named))


def _named(name: str, *id_fields: str, slug: str = "slug") -> Q:
    """Rows with this slug or with this UUID in any of the fields. What can be neither is not asked for: it may hold NUL."""
    named = Q(**{slug: name}) if is_slug(name) else Q(pk__in=[])
    if tenant_id := uuid_of(name):
        for field in id_fields:
            named |= Q(**{field: tenant_id})
    return named


def find_participant(tenant: Tenant, external_id: str, *, now: datetime | None = None) -> Participant | None:
    """As they stand at `now`, where that matters: without it, points may be among the balance that have just expired."""
    participant = Participant.objects.of(tenant).filter(external_id=external_id).first()
    if participant is not None and now is not None:
        as_if_settled([participant], now=now)
    return participant


def get_participant(tenant: Tenant, external_id: str, *, now: datetime) -> Participant:
    """As they stand at `now`. Raises ParticipantNotFound."""
    participant = find_participant(tenant, external_id, now=now)
    if participant is None:
        raise ParticipantNotFound(external_id)
    return participant


def sorted_participants(
    participants: "QuerySet[Participant]", *, sort_by: str, descending: bool
) -> "QuerySet[Participant]":
    """In the asked order; those without a value come last, ties by participant id."""
    field = F(SORTABLE[sort_by])
    order = field.desc(nulls_last=True) if descending else field.asc(nulls_last=True)
    return participants.order_by(order, "external_id")


def name_filter(text: str) -> Q:
    """Id or display name contains `text`, whatever its case.

    SQLite's LIKE knows the case of ASCII letters only; its regular expressions are Python's and know them all.
    """
    if connection.vendor == "sqlite":
        return Q(external_id__iregex=re.escape(text)) | Q(display_name__iregex=re.escape(text))
    return Q(external_id__icontains=text) | Q(display_name__icontains=text)


def tenants_to_audit(*, since: datetime) -> Sequence[Tenant]:
    """Those whose newest audit was begun before `since`: who was never audited first, then whose is longest ago."""
    waiting = Tenant.objects.filter(Q(audit_run=None) | Q(audit_run__began_at__lt=since))
    return list(waiting.order_by(F("audit_run__began_at").asc(nulls_first=True), "pk"))


@dataclass(frozen=True)
class AuditsSummary:
    """What the newest audits of all tenants came to. `stalest_at` is since when the tenant whose audit is longest ago has been without
    one, from its creation on where there was none; None where there is no tenant.
    """

    rows: int
    drifts: int
    tenants_with_drifts: int
    stalest_at: datetime | None


def audits_summary() -> AuditsSummary:
    with_drifts = Q(audit_run__drifts__gt=0)
    found = Tenant.objects.order_by().aggregate(
        rows=Coalesce(Sum("audit_run__rows"), 0),
        drifts=Coalesce(Sum("audit_run__drifts"), 0),
        tenants_with_drifts=Count("pk", filter=with_drifts),
        stalest_at=Min(Coalesce("audit_run__audited_at", "created_at")),
    )
    return AuditsSummary(**found)
