from django.db import models
from django.db.models import Q

from participants.ids import new_id
from participants.models import Definition, Participant, Tenant
from participants.models.json import JSONField
from streaks.engine.windows import HOURS, Period


class PeriodChoice(models.TextChoices):
    DAILY = Period.DAILY.value
    WEEKLY = Period.WEEKLY.value
    MONTHLY = Period.MONTHLY.value


class Streak(Definition):
    """What counts as keeping at it. Ticks come from `record` or from events whose name is in `event_types`.

    `revision` numbers the rules that count (period, grace, reset): a change of one adds a row of `StreakRevision` for the
    rules that end with it, so that each participant's count can be carried over when it is next looked at.
    """

    event_types = JSONField()
    fact_filter = JSONField(null=True, blank=True)
    period = models.CharField(max_length=10, choices=PeriodChoice.choices, default=PeriodChoice.DAILY)
    grace_periods = models.PositiveIntegerField(default=0)
    reset_on_miss = models.BooleanField(default=True)
    icon_url = models.CharField(max_length=500, null=True, blank=True)
    color = models.CharField(max_length=20, null=True, blank=True)
    revision = models.PositiveIntegerField(default=1, editable=False)

    class Meta(Definition.Meta):
        pass

    @property
    def grace_hours(self) -> int:
        """The grace in hours, as one of the two spellings of the API has it."""
        return self.grace_periods * HOURS[Period(self.period)]


class StreakRevision(models.Model):
    """Rules that a streak had until `ended_at`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    streak = models.ForeignKey(Streak, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    period = models.CharField(max_length=10)
    grace_periods = models.PositiveIntegerField()
    reset_on_miss = models.BooleanField()
    timezone = models.CharField(max_length=64)
    ended_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "streak", "number"], name="streak_revision_unique")]


class StreakPause(models.Model):
    """A time in which a streak was inactive; no window that it touches can be missed. `ended_at` is null while it lasts."""

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


class ParticipantStreakQuerySet(models.QuerySet["ParticipantStreak"]):
    def of(self, participant: Participant) -> "ParticipantStreakQuerySet":
        return self.filter(tenant_id=participant.tenant_id, participant_id=participant.pk)


class ParticipantStreak(models.Model):
    """One participant in one streak: all that counting needs, and nothing that a clock makes wrong.

    `runs` are satisfied windows, `[[first, length], …]`, under the rules numbered `revision`; `carried` is what was brought from
    earlier rules, `[count, longest, last]`. `at_risk_at` and `breaks_at` are the instants at which something is to be announced.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # No constraints and no index of their own: see docs/decisions/0003. Rows go with their participant by the eraser.
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    participant = models.ForeignKey(
        Participant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    streak = models.ForeignKey(
        Streak, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    revision = models.PositiveIntegerField()
    runs = models.JSONField(default=list)
    carried = models.JSONField(default=list)
    last_activity_at = models.DateTimeField()
    at_risk_at = models.DateTimeField(null=True)
    breaks_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects = ParticipantStreakQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "participant", "streak"], name="participant_streak_unique")
        ]
        indexes = [
            models.Index(fields=["breaks_at"], name="streak_breaks_at", condition=Q(breaks_at__isnull=False)),
            models.Index(fields=["at_risk_at"], name="streak_at_risk_at", condition=Q(at_risk_at__isnull=False)),
        ]
