from django.db import models
from django.db.models import F, Q

from participants.ids import new_id
from participants.models import Attributed, Definition, ParticipantRow, ParticipantRowQuerySet, Tenant


class AwardType(models.TextChoices):
    """How a tier is reached.

    Automatic tiers are reached by points, and can be assigned by hand too. Manual tiers are only assigned by hand or granted.
    """

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class Tier(Definition):
    """The definition of a tier. A higher `level` is better.

    `criteria_config` is `{"min_points": 10000, "basis": "balance" | "lifetime"}`. An automatic tier has `min_points`.
    Awards to participants in the tier are multiplied by `points_multiplier`; null means 1.
    """

    level = models.PositiveIntegerField()
    color = models.CharField(max_length=20, null=True, blank=True)
    icon_url = models.CharField(max_length=500, null=True, blank=True)
    criteria_config = models.JSONField(default=dict, db_default={}, blank=True)
    award_type = models.CharField(
        max_length=10, choices=AwardType.choices, default=AwardType.AUTOMATIC, db_default=AwardType.AUTOMATIC
    )
    benefits = models.JSONField(default=list, db_default=[], blank=True)
    points_multiplier = models.DecimalField(max_digits=7, decimal_places=4, null=True, blank=True)

    @property
    def is_automatic(self) -> bool:
        return self.award_type == AwardType.AUTOMATIC


class LadderRun(Attributed):
    """The newest request of a tenant to move all participants into the tiers that their points lead to (`services.recompute`).

    `after` is the id of the last participant that was looked at. `raised` counts those who moved. `finished_at` is null while it runs.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="ladder_run")
    requested_at = models.DateTimeField()
    after = models.UUIDField(null=True)
    raised = models.PositiveBigIntegerField(default=0, db_default=0)
    finished_at = models.DateTimeField(null=True)


class TierChangeQuerySet(ParticipantRowQuerySet["TierChange"]):
    def oldest_first(self) -> "TierChangeQuerySet":
        return self.order_by("number")

    def in_force(self) -> "TierChangeQuerySet":
        """Without changes that were taken back, and without those that took them back."""
        taken_back = self.exclude(reverses_id=None).values("reverses_id")
        return self.filter(reverses_id=None).exclude(pk__in=taken_back)


class TierChange(Attributed, ParticipantRow):
    """One change of one participant's tier. Rows are only inserted.

    - `number`: 1, 2, 3 … per participant, in the order of commits. The participant's `tier_count` is the newest number.
    - `name`, `level`: as they were at the time of the change.
    - `previous_is_manual`: whether the tier before was assigned by hand. Null in rows that an earlier release wrote.
    - `entry_id`: the ledger entry that caused the change. Null for a tier that was assigned, granted or recomputed.
    - `reverses_id`: the change that this one takes back. A change is taken back at most once. `how` is then that of the tier to which the participant returns.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.BigIntegerField()
    tier_id = models.UUIDField()
    code = models.CharField(max_length=50)
    name = models.CharField(max_length=100)
    level = models.PositiveIntegerField()
    previous_code = models.CharField(max_length=50, null=True)
    previous_level = models.PositiveIntegerField(null=True)
    previous_is_manual = models.BooleanField(null=True)
    how = models.CharField(max_length=10, choices=AwardType.choices)
    reason = models.TextField(null=True)
    entry_id = models.UUIDField(null=True)
    reverses_id = models.UUIDField(null=True)
    changed_at = models.DateTimeField()

    objects = TierChangeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "participant", "number"], name="tier_change_number_unique"),
            models.UniqueConstraint(
                fields=["tenant", "participant", "reverses_id"],
                condition=Q(reverses_id__isnull=False),
                name="tier_change_taken_back_once",
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="tier_change_number_positive"),
            models.CheckConstraint(
                condition=Q(previous_code__isnull=True) | ~Q(previous_code=F("code")), name="tier_change_changes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.previous_code or 'no tier'} → {self.code}"
