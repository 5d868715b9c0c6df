from django.db import models

from participants.ids import new_id
from participants.models import Definition
from participants.models.json import JSONField

DEFAULT_METRIC = "points_earned"


class WindowChoice(models.TextChoices):
    ALL_TIME = "all_time"
    YEARLY = "yearly"
    MONTHLY = "monthly"
    WEEKLY = "weekly"
    DAILY = "daily"


class Leaderboard(Definition):
    """A ranking of a tenant's participants by a metric.

    `metric` is a name in `board_metrics` (`gamify.facts.services.metrics`). `time_window` is the period in answers to requests
    that name none; all other periods are stored as well.

    Scores belong to `track`, not to the board. A board that changes what it measures starts a new track, which is filled from the
    history in the background. `built_to` is the last participant that was filled in, `built_at` the time when filling was
    complete. Until then answers have `building` true.
    """

    metric = models.CharField(max_length=20, default=DEFAULT_METRIC, db_default=DEFAULT_METRIC)
    selector = JSONField(default=dict, db_default={}, blank=True)
    time_window = models.CharField(
        max_length=10, choices=WindowChoice.choices, default=WindowChoice.ALL_TIME, db_default=WindowChoice.ALL_TIME
    )
    timezone = models.CharField(max_length=64, default="UTC", db_default="UTC")
    participant_filter = JSONField(null=True, blank=True)
    track = models.UUIDField(default=new_id, editable=False)
    built_to = models.UUIDField(null=True, editable=False)
    built_at = models.DateTimeField(null=True, editable=False)
