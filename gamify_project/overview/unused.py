"""What is not in use: definitions that nobody earned, event names that nothing listens to, and names that never come."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import reverse

from gamify.facts.engine.listeners import ANY_EVENT
from gamify.facts.services import listed_event_names
from gamify_project.overview.cards import Reader, may_open
from gamify_project.overview.stored import DAYS, StoredFigures
from participants.catalog import catalog_of
from participants.figures import DAY, Figure, figures
from participants.models import Definition, Tenant

SHOWN = 50


@dataclass(frozen=True)
class Unused:
    """An active definition that nobody has earned for 30 days."""

    kind: str
    name: str
    url: str


@dataclass(frozen=True)
class EventNames:
    """Names of events of the last 30 days: `(name, number)` of those that nothing listens to, and the names that never came."""

    unheard: Sequence[tuple[str, int]]
    missing: Sequence[str]
    listens_to_all: bool


def unused_definitions(tenant: Tenant, stored: StoredFigures, reader: Reader, *, now: datetime) -> Sequence[Unused]:
    """Return the active definitions that are older than 30 days and have no number in them. One query per kind."""
    return [
        Unused(str(row._meta.verbose_name).capitalize(), row.name, page_of(row))
        for name, figure in figures().items()
        if may_open(reader, figure.page)
        for row in _unused(tenant, stored, name, figure, now)
    ][:SHOWN]


def _unused(tenant: Tenant, stored: StoredFigures, name: str, figure: Figure, now: datetime) -> Iterator[Definition]:
    """Yield nothing if not all of the days were measured: then nobody knows."""
    days = stored.days.get(name, {})
    if figure.definition is None or any(day not in days for day in stored.last_days):
        return
    old = figure.definition._default_manager.filter(
        tenant_id=tenant.pk, is_active=True, created_at__lt=now - DAYS * DAY
    )
    yield from old.exclude(code__in=list(stored.parts.get(name, {}))).order_by("name")[:SHOWN]


def page_of(row: Model) -> str:
    """Return the address of the page of a row."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[quote(str(row.pk))])


def event_names(tenant: Tenant, stored: StoredFigures) -> EventNames:
    """Compare the names that came with those that definitions list."""
    seen = stored.parts.get("events.reported", {})
    listed = listed_event_names(catalog_of(tenant))
    unheard = sorted(((name, number) for name, number in seen.items() if name not in listed), key=lambda each: -each[1])
    missing = sorted(listed - seen.keys() - {ANY_EVENT})
    return EventNames(unheard[:SHOWN], missing[:SHOWN], ANY_EVENT in listed)
