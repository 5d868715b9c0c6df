from typing import Any

from django.db import models
from django.db.models import F, Q

from gamify.challenges.engine import Duration
from participants.models import Definition
from participants.models.json import JSONField

ALL = "all"


class DurationChoice(models.TextChoices):
    FIXED = Duration.FIXED.value
    ROLLING = Duration.ROLLING.value
    PERPETUAL = Duration.PERPETUAL.value


class EnrolmentChoice(models.TextChoices):
    """`automatic`: by the first event that an objective hears; `manual`: by being asked for."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


def every_objective() -> Any:
    return ALL


class Challenge(Definition):
    """Objectives to be reached by events. An inactive one hears nothing; what participants have of it stays.

    `objectives` are `[{code, label, event_types, expression, condition, prerequisites}, …]`; so many of them as `completion`
    says, a number or ALL, complete it. `milestones` are `[{objectives, grants}, …]`. A fixed one has `starts_at` and `ends_at`,
    a rolling one `duration_days`, no other has them. They hold as they stand now, for whoever is enrolled already as well.
    """

    duration_type = models.CharField(max_length=10, choices=DurationChoice.choices, default=DurationChoice.PERPETUAL)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    duration_days = models.PositiveIntegerField(null=True, blank=True)
    enrolment = models.CharField(max_length=10, choices=EnrolmentChoice.choices, default=EnrolmentChoice.AUTOMATIC)
    objectives = JSONField()
    completion = JSONField(default=every_objective)
    milestones = JSONField(default=list)
    completion_grants = JSONField(default=list)
    is_repeatable = models.BooleanField(default=False)

    class Meta(Definition.Meta):
        constraints = [
            *Definition.Meta.constraints,
            models.CheckConstraint(
                condition=Q(duration_type=DurationChoice.FIXED, starts_at__lt=F("ends_at"))
                | (~Q(duration_type=DurationChoice.FIXED) & Q(starts_at__isnull=True, ends_at__isnull=True)),
                name="challenge_fixed_has_dates",
            ),
            models.CheckConstraint(
                condition=Q(duration_type=DurationChoice.ROLLING, duration_days__isnull=False, duration_days__gt=0)
                | (~Q(duration_type=DurationChoice.ROLLING) & Q(duration_days__isnull=True)),
                name="challenge_rolling_has_days",
            ),
        ]
