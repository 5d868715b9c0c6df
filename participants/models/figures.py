"""Daily figures: numbers about one tenant and one day, which a sweep computes from the tenant's rows."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from participants.ids import new_id
from participants.models.rows import TenantRow
from participants.models.tenants import Tenant


class WholeNumberField(models.IntegerField):  # type: ignore[type-arg]  # Django has no type arguments at run time
    """An integer of up to 30 digits: a sum of 64-bit integers can be longer than 64 bits. SQLite stores 64 bits exactly.

    A DecimalField would be wrong, because Django reads only 15 digits of it from SQLite.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "numeric(30, 0)"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        return value if prepared else self.get_prep_value(value)

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> int | None:
        return None if value is None else int(value)


class DailyFigure(TenantRow):
    """One number about one day of one tenant. It names no participant, so an erasure does not touch it.

    - `figure` is the name of a registered figure (`participants.figures`).
    - `day` is a day in the zone that the tenant had when the number was computed. Final days stay as they are if the zone changes.
    - `dimension` is empty for the number of the whole day. Otherwise it is the part that `value` is about, such as the code of a badge.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    day = models.DateField()
    figure = models.CharField(max_length=60)
    dimension = models.CharField(max_length=100, default="", db_default="")
    value = WholeNumberField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "day", "figure", "dimension"], name="daily_figure_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.figure} {self.dimension} on {self.day}: {self.value}"


class FigureRun(models.Model):
    """How far the daily figures of one tenant are computed.

    - `computed_at` is the `now` of the newest computation. Numbers of days that are not over count what had happened by then.
    - `final_through` is the last day that is never computed again by the sweep; null before the first one.
    - `due_at` is when the sweep computes them next.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="figure_run")
    computed_at = models.DateTimeField(null=True)
    final_through = models.DateField(null=True)
    due_at = models.DateTimeField(null=True)
