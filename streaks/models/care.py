from django.db import models
from django.db.models import F, Q

from participants.ids import new_id
from participants.models import Attributed, Tenant
from participants.models.json import JSONField
from streaks.models.definitions import Streak


class StreakPause(Attributed):
    """A time in which a streak is inactive. Windows that it touches cannot be missed. `ended_at` is null while it lasts."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    streak = models.ForeignKey(Streak, on_delete=models.CASCADE, related_name="pauses")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "streak"], condition=Q(ended_at__isnull=True), name="streak_pause_one_open"
            )
        ]


class AmnestyQuerySet(models.QuerySet["Amnesty"]):
    def of(self, tenant: Tenant) -> "AmnestyQuerySet":
        return self.filter(tenant_id=tenant.pk)

    def in_force(self) -> "AmnestyQuerySet":
        """The amnesties that are not undone."""
        return self.filter(undone_at=None)


class Amnesty(Attributed):
    """Days on which no participant of a tenant can miss a window, such as an outage or a holiday. They may be in the past.

    `from_on` and `to_on` are dates in `timezone`, both included. `streak_codes` lists the streaks; null means all.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    from_on = models.DateField("from")
    to_on = models.DateField("to")
    timezone = models.CharField(max_length=64)
    streak_codes = JSONField(null=True, blank=True)
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField(editable=False)
    undone_at = models.DateTimeField(null=True, editable=False)

    objects = AmnestyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "amnesties"
        ordering = ["-created_at"]
        constraints = [models.CheckConstraint(condition=Q(to_on__gte=F("from_on")), name="amnesty_ends_later")]

    def __str__(self) -> str:
        return self.name

    def concerns(self, code: str) -> bool:
        """Whether it excuses windows of the streak with this code."""
        return self.streak_codes is None or code in self.streak_codes
