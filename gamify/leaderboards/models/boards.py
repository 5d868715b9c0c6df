from django.db import models

from participants.ids import new_id
from participants.models import Definition
from participants.models.json import JSONField

DEFAULT_METRIC = "points_earned"
MAX_PROGRESS_WHILE_BUILDING = 0.99


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

    `people_to_fill` is the number of participants when filling began, and `people_filled` how many of them are done. They are
    counted once, so that `build_progress` costs no count. They mean nothing while `built_to` is null.
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
    # The previous release does not know these columns, and still creates and fills boards during an upgrade.
    people_filled = models.BigIntegerField(default=0, db_default=0, editable=False)
    people_to_fill = models.BigIntegerField(null=True, editable=False)

    @property
    def build_progress(self) -> float:
        """How much of the board is filled, from 0 to 1. It is 1 if the board is complete, and at most 0.99 before."""
        if self.built_at is not None:
            return 1.0
        if self.built_to is None or not self.people_to_fill:
            return 0.0
        return min(round(self.people_filled / self.people_to_fill, 2), MAX_PROGRESS_WHILE_BUILDING)
