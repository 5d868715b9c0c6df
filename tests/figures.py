"""Rows of the past, as if they had been written then, and the stored figures."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from participants.ids import first_id_at
from participants.models import DailyFigure, DomainEvent, Participant, Tenant
from participants.services.figures import rebuild


def id_at(instant: datetime) -> UUID:
    """An id that was created at `instant`."""
    return UUID(int=first_id_at(instant).int | (uuid4().int & ((1 << 64) - 1)) | (0x7 << 76) | (0x8 << 60))


def domain_event(tenant: Tenant, type_name: str, at: datetime, **columns: Any) -> DomainEvent:
    columns = {"data": {}, "participant_id": None, **columns}
    return DomainEvent.objects.create(id=id_at(at), tenant=tenant, type=type_name, occurred_at=at, **columns)


def compute(tenant: Tenant, since: date, now: datetime) -> None:
    for _ in rebuild(tenant=Tenant.objects.get(pk=tenant.pk), since=since, now=now):
        pass


def figure(tenant: Tenant, name: str) -> dict[str, int]:
    """The numbers of all days that are not 0, by day."""
    rows = DailyFigure.objects.filter(tenant=tenant, figure=name, dimension="").exclude(value=0).order_by("day")
    return {day.isoformat(): int(value) for day, value in rows.values_list("day", "value")}


def parts(tenant: Tenant, name: str, day: date) -> dict[str, int]:
    rows = DailyFigure.objects.filter(tenant=tenant, figure=name, day=day).exclude(dimension="")
    return {dimension: int(value) for dimension, value in rows.values_list("dimension", "value")}


def first_seen(participant: Participant, at: datetime) -> None:
    Participant.objects.filter(pk=participant.pk).update(first_seen_at=at)
