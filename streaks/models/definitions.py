from typing import Any

from django.db import models
from django.db.models import Q

from participants.ids import new_id
from participants.models import Definition, Tenant
from participants.models.definitions import DefinitionQuerySet
from participants.models.json import JSONField
from streaks.engine.windows import PERIOD_NAMES, ROLLING, Period

PARTICIPANT_ZONE = "participant"
SECONDS_PER_HOUR = 3600
PERIODS = [(name, name.capitalize()) for name in PERIOD_NAMES]


class Status(models.TextChoices):
    """Only an active streak can be ticked. A draft was never active; a paused streak is meant to be resumed."""

    ACTIVE = "active"
    PAUSED = "paused"
    ARCHIVED = "archived"
    DRAFT = "draft"


def any_tick() -> dict[str, Any]:
    return {"type": "count", "min": 1}


class Terms(models.Model):
    """The fields that decide where windows lie and when they are satisfied. If one of them changes, counts are carried over.

    `timezone` is an IANA name, PARTICIPANT_ZONE, or null for the tenant's zone. `duration_seconds` is the length of rolling
    windows, and null for other periods. `week_start` 0 is Monday.
    """

    period = models.CharField(max_length=10, choices=PERIODS, default=Period.DAILY.value, db_default=Period.DAILY.value)
    duration_seconds = models.PositiveIntegerField(null=True, blank=True)
    timezone = models.CharField(max_length=64, null=True, blank=True)
    reset_time = models.CharField(max_length=5, default="00:00", db_default="00:00")
    week_start = models.PositiveSmallIntegerField(default=0, db_default=0)
    condition = JSONField(default=any_tick, db_default=any_tick())
    grace_periods = models.PositiveIntegerField(default=0, db_default=0)
    reset_on_miss = models.BooleanField(default=True, db_default=True)

    class Meta:
        abstract = True


TERMS = tuple(str(field.name) for field in Terms._meta.local_fields)


class StreakQuerySet(DefinitionQuerySet["Streak"]):
    def in_zone_of_tenant(self) -> "StreakQuerySet":
        """The streaks whose windows move when the tenant's zone changes."""
        follow = Q(timezone=None) | Q(timezone=PARTICIPANT_ZONE)
        return self.filter(follow).exclude(period=ROLLING)

    def awaiting_review(self) -> "StreakQuerySet":
        """The streaks whose participants must be reviewed."""
        return self.filter(review_due_at__isnull=False)


class Streak(Terms, Definition):
    """The definition of a streak. It is ticked by `record`, and by events whose name is in `event_types` (`*`: any event).

    Only events that match `fact_filter` (the short form of Gamify clients) or `expression` (the long form of Phoenix
    clients) count. At most one of the two is set. `milestones` are `[{threshold, reward_item_id, repeatable}, …]`.

    `revision` numbers the terms. A change of the terms stores the old ones as a `StreakRevision`, so that each participant's
    count can be carried over when their row is next processed. `review_due_at` is set while a review is due or running: it
    announces what a change of terms, a pause or an amnesty has changed. `review_cursor` is the last participant it processed.
    """

    name = models.CharField(max_length=255)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE, db_default=Status.ACTIVE)
    event_types = JSONField()
    fact_filter = JSONField(null=True, blank=True)
    expression = JSONField(null=True, blank=True)
    milestones = JSONField(default=list, db_default=[])
    at_risk_seconds = models.PositiveIntegerField(null=True, blank=True)
    icon_url = models.CharField(max_length=500, null=True, blank=True)
    color = models.CharField(max_length=20, null=True, blank=True)
    revision = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    review_due_at = models.DateTimeField(null=True, editable=False)
    review_cursor = models.UUIDField(null=True, editable=False)

    objects = StreakQuerySet.as_manager()  # type: ignore[misc]  # a subclass of the parent's manager type

    class Meta(Definition.Meta):
        constraints = [
            *Definition.Meta.constraints,
            models.CheckConstraint(
                condition=Q(is_active=True, status=Status.ACTIVE) | (Q(is_active=False) & ~Q(status=Status.ACTIVE)),
                name="streak_status_agrees",
            ),
            models.CheckConstraint(
                condition=Q(fact_filter__isnull=True) | Q(expression__isnull=True), name="streak_one_filter"
            ),
            models.CheckConstraint(
                condition=Q(period=ROLLING, duration_seconds__isnull=False)
                | (~Q(period=ROLLING) & Q(duration_seconds__isnull=True)),
                name="streak_rolling_has_duration",
            ),
        ]
        indexes = [
            models.Index(fields=["review_due_at"], name="streak_review_due", condition=Q(review_due_at__isnull=False))
        ]

    @property
    def is_rolling(self) -> bool:
        return self.period == ROLLING

    @property
    def grace_hours(self) -> int:
        """The grace in hours, for `grace_period_hours` of the API."""
        if self.is_rolling:
            return self.grace_periods * (self.duration_seconds or 0) // SECONDS_PER_HOUR
        return self.grace_periods * Period(self.period).rules.hours


class StreakRevision(Terms):
    """The terms (periods, condition, grace) that a streak had until `ended_at`, and the zone of its tenant at that time."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    streak = models.ForeignKey(Streak, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    tenant_timezone = models.CharField(max_length=64, default="UTC", db_default="UTC")
    ended_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "streak", "number"], name="streak_revision_unique")]
