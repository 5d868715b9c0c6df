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
    """`automatic`: the first event that an objective matches enrols; `manual`: only a request enrols."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


def every_objective() -> Any:
    return ALL


class Challenge(Definition):
    """The definition of a challenge: objectives that are completed by events.

    An inactive challenge ignores events; participants keep their progress. A change applies to existing enrolments too.

    - `objectives`: `[{code, label, event_types, expression, condition, prerequisites}, …]`.
    - `completion`: the number of objectives that complete the challenge, or ALL.
    - `milestones`: `[{objectives, grants}, …]`.
    - `starts_at`, `ends_at`: of a fixed challenge, else null. `duration_days`: of a rolling challenge, else null.
    """

    duration_type = models.CharField(
        max_length=10,
        choices=DurationChoice.choices,
        default=DurationChoice.PERPETUAL,
        db_default=DurationChoice.PERPETUAL,
    )
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    duration_days = models.PositiveIntegerField(null=True, blank=True)
    enrolment = models.CharField(
        max_length=10,
        choices=EnrolmentChoice.choices,
        default=EnrolmentChoice.AUTOMATIC,
        db_default=EnrolmentChoice.AUTOMATIC,
    )
    objectives = JSONField()
    completion = JSONField(default=every_objective, db_default=every_objective())
    milestones = JSONField(default=list, db_default=[])
    completion_grants = JSONField(default=list, db_default=[])
    is_repeatable = models.BooleanField(default=False, db_default=False)

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
