"""Filters of changelists."""

from datetime import MAXYEAR, UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.http import HttpRequest

from participants.engine import day_of

if TYPE_CHECKING:  # unfold has no types
    from django.contrib.admin import FieldListFilter as RangeDateFilter
else:
    from unfold.contrib.filters.admin import RangeDateFilter


class DayFilter(RangeDateFilter):
    """Filter from one day to another, both included, in UTC. unfold's filter excludes the last day and ignores time zones."""

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        if first := self._midnight("from"):
            queryset = queryset.filter(**{f"{self.field_path}__gte": first})
        if last := self._midnight("to"):
            queryset = queryset.filter(**{f"{self.field_path}__lt": last + timedelta(days=1)})
        return queryset

    def _midnight(self, end: str) -> datetime | None:
        """Return the start of the day in box `end`, or None (no filter) if the box contains no date."""
        day = day_of(str(self.used_parameters.get(f"{self.field_path}_{end}", "")))
        return datetime.combine(day, time.min, UTC) if day and day.year < MAXYEAR else None
