"""The stored figures of a tenant, read with a constant number of queries."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Max, Q, Sum

from participants.figures import DAY, RETAINED, figures, today_of
from participants.models import DailyFigure, FigureRun, Tenant

DAYS = 30
RETENTION_WEEKS = 12


@dataclass(frozen=True)
class StoredFigures:
    """What the overview shows.

    - `today` is a day of the tenant's zone. `computed_at` is when the numbers of today were computed; None: never.
    - `days[figure]` has the numbers of the last 2 × DAYS + 1 days that were measured.
    - `parts[figure]` has the sums by dimension of the last DAYS + 1 days, for levels the newest numbers.
    - `cohorts[week]` has the participants who were active in the week that ended on a Sunday, by the week of their arrival.
    """

    today: date
    computed_at: datetime | None
    days: Mapping[str, Mapping[date, int]]
    parts: Mapping[str, Mapping[str, int]]
    cohorts: Mapping[date, Mapping[str, int]]

    @property
    def last_days(self) -> Sequence[date]:
        """The last DAYS whole days, oldest first."""
        return [self.today - number * DAY for number in range(DAYS, 0, -1)]

    @property
    def days_before(self) -> Sequence[date]:
        """The DAYS days before `last_days`, oldest first."""
        return [day - DAYS * DAY for day in self.last_days]


def stored_figures(tenant: Tenant, *, now: datetime) -> StoredFigures:
    """Read the figures of `tenant`. Four queries."""
    today = today_of(tenant, now)
    computed_at = FigureRun.objects.filter(tenant=tenant).values_list("computed_at", flat=True).first()
    return StoredFigures(today, computed_at, _days(tenant, today), _parts(tenant, today), _cohorts(tenant, today))


def _days(tenant: Tenant, today: date) -> Mapping[str, Mapping[date, int]]:
    found: dict[str, dict[date, int]] = defaultdict(dict)
    rows = DailyFigure.objects.filter(tenant_id=tenant.pk, day__range=(today - 2 * DAYS * DAY, today), dimension="")
    for figure, day, value in rows.values_list("figure", "day", "value"):
        found[figure][day] = int(value)
    return found


def _parts(tenant: Tenant, today: date) -> Mapping[str, Mapping[str, int]]:
    levels = [name for name, figure in figures().items() if figure.is_level]
    rows = DailyFigure.objects.filter(tenant_id=tenant.pk, day__range=(today - DAYS * DAY, today)).exclude(
        figure=RETAINED
    )
    newest = rows.filter(figure__in=levels, dimension="").aggregate(day=Max("day"))["day"]
    wanted = ~Q(figure__in=levels) | Q(day=newest)
    sums = rows.filter(wanted).exclude(dimension="").order_by().values("figure", "dimension").annotate(sum=Sum("value"))
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in sums:
        found[row["figure"]][row["dimension"]] = int(row["sum"])
    return found


def _cohorts(tenant: Tenant, today: date) -> Mapping[date, Mapping[str, int]]:
    since = today - 7 * (RETENTION_WEEKS + 1) * DAY
    rows = DailyFigure.objects.filter(tenant_id=tenant.pk, day__range=(since, today - DAY), figure=RETAINED)
    found: dict[date, dict[str, int]] = defaultdict(dict)
    for day, cohort, value in rows.exclude(dimension="").order_by("day").values_list("day", "dimension", "value"):
        found[day][cohort] = int(value)
    return found
