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
    """What a tenant ranks its participants by. `time_window` is the period shown to who asks for none; the others are kept as well.

    Scores hang on `track`, not on the board: what measures something else, or measures it otherwise, begins a new track, which is
    filled from the history in the background. `built_to` is the last participant who was looked at for it, `built_at` when it was
    complete; until then answers say that it is building.
    """

    metric = models.CharField(max_length=20, default=DEFAULT_METRIC)
    selector = JSONField(default=dict, blank=True)
    time_window = models.CharField(max_length=10, choices=WindowChoice.choices, default=WindowChoice.ALL_TIME)
    timezone = models.CharField(max_length=64, default="UTC")
    participant_filter = JSONField(null=True, blank=True)
    track = models.UUIDField(default=new_id, editable=False)
    built_to = models.UUIDField(null=True, editable=False)
    built_at = models.DateTimeField(null=True, editable=False)
