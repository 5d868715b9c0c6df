"""Spans of days in a tenant's zone, and the conditions that find the rows of a span through an index."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.db.models.functions import TruncDate

from participants.engine import start_of_day
from participants.ids import first_id_at
from participants.models import Tenant

DAY = timedelta(days=1)
CLOCK_MARGIN = DAY
"""Ids come from the clock of the process that wrote the row, a little after the `now` of its request."""


def today_of(tenant: Tenant, now: datetime) -> date:
    """Return the day on which `now` falls in the tenant's zone."""
    return now.astimezone(ZoneInfo(tenant.timezone)).date()


@dataclass(frozen=True)
class DaySpan:
    """The days `first` to `last` of a tenant, both included, seen at `now`.

    `written_before` is the end of the time in which the rows were written; None: no end. A sweep sets it, so that days of long ago
    cost the rows of these days, and not all rows since.
    """

    tenant: Tenant
    first: date
    last: date
    now: datetime
    written_before: datetime | None = None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.tenant.timezone)

    @property
    def starts_at(self) -> datetime:
        return self.start_of(self.first)

    @property
    def ends_at(self) -> datetime:
        return self.start_of(self.last + DAY)

    @property
    def includes_today(self) -> bool:
        return self.first <= today_of(self.tenant, self.now) <= self.last

    @property
    def days(self) -> Iterator[date]:
        return (self.first + number * DAY for number in range((self.last - self.first).days + 1))

    def start_of(self, day: date) -> datetime:
        return start_of_day(day, self.zone)

    def up_to(self, day: date, *, days: int) -> "DaySpan":
        """Return the span of the `days` days that end with `day`."""
        return replace(self, first=day - (days - 1) * DAY, last=day)

    def since(self, day: date) -> "DaySpan | None":
        """Return the part of the span from `day` on, or None if there is none."""
        return None if day > self.last else replace(self, first=max(day, self.first))

    def has(self, column: str) -> Q:
        """Return the condition for rows whose instant in `column` is in the span.

        The condition on the primary key, which begins with the time of writing, finds them through an index. An instant in the future
        of its writing is found only on its own day.
        """
        return self.happened(column) & self.written("pk")

    def happened(self, column: str) -> Q:
        """Return the condition for rows whose instant in `column` is in the span, without the help of an index."""
        return Q(**{f"{column}__gte": self.starts_at, f"{column}__lt": self.ends_at})

    def written(self, key: str) -> Q:
        """Return the condition for rows that were written in the span or later. `key` is a column with a UUIDv7."""
        condition = Q(**{f"{key}__gte": first_id_at(self.starts_at - CLOCK_MARGIN)})
        if self.written_before is not None:
            condition &= Q(**{f"{key}__lt": first_id_at(self.written_before)})
        return condition

    def written_since_end(self, key: str) -> Q:
        """Return the condition for rows that were written after the span, and up to a day before its end."""
        return Q(**{f"{key}__gte": first_id_at(self.ends_at - CLOCK_MARGIN)})

    def day_of(self, column: str) -> TruncDate:
        """Return the expression for the day of an instant."""
        return TruncDate(column, tzinfo=self.zone)
