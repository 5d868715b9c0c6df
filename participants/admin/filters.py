"""Filters of changelists."""

from datetime import MAXYEAR, date, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpRequest

from participants.admin.picker import picked_tenant
from participants.engine import day_of, start_of_day

if TYPE_CHECKING:  # unfold has no types
    from django.contrib.admin import FieldListFilter as RangeDateFilter
else:
    from unfold.contrib.filters.admin import RangeDateFilter


class DayFilter(RangeDateFilter):
    """Filter from one day to another, both included, in the zone of the picked tenant. unfold's filter excludes the last day and ignores time zones."""

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        zone = zone_of_days(request)
        if first := self._day("from"):
            queryset = queryset.filter(**{f"{self.field_path}__gte": start_of_day(first, zone)})
        if last := self._day("to"):
            queryset = queryset.filter(**{f"{self.field_path}__lt": start_of_day(last + timedelta(days=1), zone)})
        return queryset

    def _day(self, end: str) -> date | None:
        """Return the day in box `end`, or None (no filter) if the box contains no date."""
        return filter_day(str(self.used_parameters.get(f"{self.field_path}_{end}", "")))


def filter_day(text: str) -> date | None:
    """Parse a date of a filter. Returns None for any other text, and for dates whose begin or end in some zone cannot be computed."""
    day = day_of(text)
    return day if day and date.min < day and day.year < MAXYEAR else None


def zone_of_days(request: HttpRequest) -> ZoneInfo:
    """Return the zone in which lists count days: that of the picked tenant, as on the overview. UTC without a tenant."""
    tenant = picked_tenant(request)
    return ZoneInfo(tenant.timezone if tenant else "UTC")
