"""Reads of the bottom layer."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, Max, Min, Model, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.db.transaction import get_connection

from participants.actors import ActorKind
from participants.catalog import CatalogPart
from participants.database import Fingerprint, Query, Slot, all_tenants, one_round_trip, tenant_scope
from participants.engine import slug_problem, uuid_of
from participants.errors import ParticipantNotFound
from participants.ids import first_id_at
from participants.models import ApiKey, ConfigurationChange, HmacSecret, Participant, Tenant
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

Row = TypeVar("Row", bound=Model)


_KEY_BY_DIGEST = Query(
    lambda: (
        ApiKey.objects.select_related("tenant")
        .filter(digest=Slot("digest", ApiKey._meta.get_field("digest")))
        .order_by()
    )
)


def key_by_digest(digest: str) -> tuple[ApiKey | None, Fingerprint | None]:
    """Return the key with this digest, with its tenant, in one query, and the fingerprint of the answer (None on SQLite).

    The caller checks whether the key is active.
    """
    with all_tenants():
        keys, fingerprint = _KEY_BY_DIGEST.execute_with_fingerprint(get_connection(), {"digest": digest})
    return next(iter(keys), None), fingerprint


def verify_key_later(digest: str, tenant: Tenant, check: Callable[[Fingerprint | None], None]) -> None:
    """Look the key of `tenant` up with the next exchange with the database. See `Query.verify_later`.

    The answer contains the row of the tenant, and so the version of its definitions.
    """
    with tenant_scope(tenant.pk):
        _KEY_BY_DIGEST.verify_later(get_connection(), {"digest": digest}, check, verifies=tenant.pk)


def tenant_by_slug(slug: str, *, sandbox: bool = False) -> Tenant | None:
    environment = Environment.SANDBOX if sandbox else Environment.LIVE
    return Tenant.objects.filter(slug=slug, environment=environment).first()


def tenant_by_name(name: str, *, sandbox: bool) -> Tenant | None:
    """Return the tenant row that `name` means. `name` is a slug, an id, or for a sandbox also the id of its live tenant."""
    if sandbox:
        return Tenant.objects.filter(_has_name(name, "id", "live_id"), environment=Environment.SANDBOX).first()
    return Tenant.objects.live().filter(_has_name(name, "id")).first()


def active_secrets(name: str) -> Sequence[HmacSecret]:
    """Return the active secrets, newest first, of the tenant that `name` means and of its sandbox or live tenant. With tenants."""
    condition = _has_name(name, "tenant__id", "tenant__live_id", "tenant__sandbox__id", slug="tenant__slug")
    with all_tenants():
        return list(HmacSecret.objects.active().select_related("tenant").filter(condition))


def _has_name(name: str, *id_fields: str, slug: str = "slug") -> Q:
    """Condition: the row has this slug, or this UUID in one of `id_fields`.

    A `name` that can be neither is not sent to the database, because it may contain NUL characters.
    """
    condition = Q(**{slug: name}) if slug_problem(name) is None else Q(pk__in=[])
    if tenant_id := uuid_of(name):
        for field in id_fields:
            condition |= Q(**{field: tenant_id})
    return condition


def row_by_id(rows: "QuerySet[Row]", text: str) -> Row | None:
    """Return the row whose id is `text`; None if there is none, also if `text` is not a UUID."""
    known = uuid_of(text)
    return None if known is None else rows.filter(pk=known).first()


_TENANT = Slot("tenant", Participant._meta.get_field("tenant"))
_EXTERNAL_ID = Slot("external_id", Participant._meta.get_field("external_id"))


def _named_participant() -> "QuerySet[Participant]":
    return Participant.objects.filter(tenant=_TENANT, external_id=_EXTERNAL_ID).order_by()


_PARTICIPANT_BY_NAME = Query(_named_participant)


def of_named_participant(rows: "QuerySet[Row]") -> "QuerySet[Row]":
    """Declare a query of a participant's rows for `find_participant_with`, before the participant's id is known."""
    return rows.filter(tenant=_TENANT, participant=Subquery(_named_participant().values("id")))


def find_participant(tenant: Tenant, external_id: str, *, now: datetime | None = None) -> Participant | None:
    """Return the participant, or None. With `now` as of that time; without it the balance may include points that have just expired."""
    rows = _PARTICIPANT_BY_NAME.execute(get_connection(), {"tenant": tenant.pk, "external_id": external_id})()
    participant = next(iter(rows), None)
    if participant is not None and now is not None:
        as_if_settled([participant], now=now)
    return participant


def find_participant_with(
    tenant: Tenant, external_id: str, queries: Sequence[Query[Any]], *, now: datetime
) -> tuple[Participant | None, Mapping[Query[Any], Sequence[Any]]]:
    """Return the participant as of `now`, or None, and the rows of each of `queries` (`of_named_participant`), in one round trip."""
    connection, values = get_connection(), {"tenant": tenant.pk, "external_id": external_id}
    with one_round_trip(connection):
        participants = _PARTICIPANT_BY_NAME.execute(connection, values)
        fetches = {query: query.execute(connection, values) for query in queries}
    participant = next(iter(participants()), None)
    if participant is not None:
        as_if_settled([participant], now=now)
    return participant, {query: fetch() for query, fetch in fetches.items()}


def get_participant(tenant: Tenant, external_id: str, *, now: datetime) -> Participant:
    """Return the participant as of `now`. Raises ParticipantNotFound."""
    participant = find_participant(tenant, external_id, now=now)
    if participant is None:
        raise ParticipantNotFound(external_id)
    return participant


def sorted_participants(
    participants: "QuerySet[Participant]", *, sort_by: str, descending: bool
) -> "QuerySet[Participant]":
    """Sort by a key of SORTABLE. Participants without a value come last; ties are sorted by participant id."""
    field = F(SORTABLE[sort_by])
    order = field.desc(nulls_last=True) if descending else field.asc(nulls_last=True)
    return participants.order_by(order, "external_id")


def name_filter(text: str) -> Q:
    """Condition: id or display name contains `text`, ignoring case.

    SQLite's LIKE ignores the case of ASCII letters only. Its regular expressions are Python's, which ignore the case of all letters.
    """
    if connection.vendor == "sqlite":
        return Q(external_id__iregex=re.escape(text)) | Q(display_name__iregex=re.escape(text))
    return Q(external_id__icontains=text) | Q(display_name__icontains=text)


def tenants_to_audit(*, since: datetime) -> Sequence[Tenant]:
    """Return the tenants whose newest audit began before `since`: never audited ones first, then the oldest audit first."""
    waiting = Tenant.objects.filter(Q(audit_run=None) | Q(audit_run__began_at__lt=since))
    with all_tenants():
        return list(waiting.order_by(F("audit_run__began_at").asc(nulls_first=True), "pk"))


@dataclass(frozen=True)
class AuditsSummary:
    """The sum of the newest audits of all tenants.

    `stalest_at` is the time of the oldest of these audits. A tenant that was never audited counts with the time of its creation. None
    if there is no tenant.
    """

    rows: int
    drifts: int
    tenants_with_drifts: int
    stalest_at: datetime | None


def audits_summary() -> AuditsSummary:
    with_drifts = Q(audit_run__drifts__gt=0)
    with all_tenants():
        found = Tenant.objects.order_by().aggregate(
            rows=Coalesce(Sum("audit_run__rows"), 0),
            drifts=Coalesce(Sum("audit_run__drifts"), 0),
            tenants_with_drifts=Count("pk", filter=with_drifts),
            stalest_at=Min(Coalesce("audit_run__audited_at", "created_at")),
        )
    return AuditsSummary(**found)


@dataclass(frozen=True)
class ChangeFilter:
    """Which changes of the configuration are wanted; None: all. See `ActivityFilter`."""

    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    object_type: str | None = None
    code: str | None = None
    before: UUID | None = None


def changes_page(
    tenant: Tenant, wanted: ChangeFilter, *, limit: int
) -> tuple[Sequence[ConfigurationChange], UUID | None]:
    """Return up to `limit` changes, newest first, and the cursor of the next page, None after the last one."""
    rows = ConfigurationChange.objects.filter(wrote(wanted.actor), tenant_id=tenant.pk).newest_first()
    if wanted.object_type is not None:
        rows = rows.filter(object_type=wanted.object_type)
    if wanted.code is not None:
        rows = rows.filter(code=wanted.code)
    found = list(rows.filter(written_between(wanted.since, wanted.until, wanted.before))[: limit + 1])
    return found[:limit], found[limit - 1].pk if len(found) > limit else None


def wrote(actor: str | None) -> Q:
    """Return the condition for rows that name an actor, given as `kind:id`, by its id, or by its kind. None: any actor."""
    if actor is None:
        return Q()
    kind, _, rest = actor.partition(":")
    if actor in KINDS:
        return Q(actor__startswith=f"{actor}:")
    if rest and kind in KINDS:
        return Q(actor=actor)
    return Q(actor__in=[f"{each}:{actor}" for each in KINDS])


KINDS = frozenset(kind.value for kind in ActorKind)


def written_between(since: datetime | None, until: datetime | None, before: UUID | None) -> Q:
    """Return the condition for rows that were written in [since, until) and before the row `before`. Ids are ordered by time."""
    condition = Q() if since is None else Q(pk__gte=first_id_at(since))
    if until is not None:
        condition &= Q(pk__lt=first_id_at(until))
    return condition if before is None else condition & Q(pk__lt=before)


def _versions(tenant: Tenant) -> Mapping[tuple[str, str], int]:
    numbered = ConfigurationChange.objects.filter(tenant_id=tenant.pk, number__gt=1)
    newest = numbered.order_by().values_list("object_type", "code").annotate(newest=Max("number"))
    return {(object_type, code): number for object_type, code, number in newest}


versions_in = CatalogPart("versions", _versions)
"""The newest version of each definition that was changed, by type and code. All others have version 1."""
