from django.db import models
from django.db.models import F, Q

from participants.ids import new_id
from participants.models import Definition, Participant, Tenant


class AwardType(models.TextChoices):
    """Automatic tiers are reached by points, and may be given by hand as well; manual ones are only given by hand."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class Tier(Definition):
    """One step of a tenant's ladder; a higher `level` is better.

    `criteria_config` is `{"min_points": 10000, "basis": "balance" | "lifetime"}`; an automatic tier has `min_points`.
    Who stands in it is credited `points_multiplier` times what an award says; null is once.
    """

    level = models.PositiveIntegerField()
    color = models.CharField(max_length=20, null=True, blank=True)
    icon_url = models.CharField(max_length=500, null=True, blank=True)
    criteria_config = models.JSONField(default=dict, blank=True)
    award_type = models.CharField(max_length=10, choices=AwardType.choices, default=AwardType.AUTOMATIC)
    benefits = models.JSONField(default=list, blank=True)
    points_multiplier = models.DecimalField(max_digits=7, decimal_places=4, null=True, blank=True)

    @property
    def is_automatic(self) -> bool:
        return self.award_type == AwardType.AUTOMATIC


class TierChangeQuerySet(models.QuerySet["TierChange"]):
    def of(self, participant: Participant) -> "TierChangeQuerySet":
        return self.filter(tenant_id=participant.tenant_id, participant_id=participant.pk)

    def oldest_first(self) -> "TierChangeQuerySet":
        return self.order_by("number")


class TierChange(models.Model):
    """One change of the tier that one participant stands in. Rows are only ever added.

    Changes of a participant are numbered 1, 2, 3 … in the order of their commits; the newest number stands on the
    participant. Names and levels are those of that day. `entry_id` is the ledger entry that led here, null for a tier
    given by hand.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # No constraints and no index of their own: see docs/decisions/0003. Rows go with their participant by the eraser.
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    participant = models.ForeignKey(
        Participant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    number = models.BigIntegerField()
    tier_id = models.UUIDField()
    code = models.CharField(max_length=50)
    name = models.CharField(max_length=100)
    level = models.PositiveIntegerField()
    previous_code = models.CharField(max_length=50, null=True)
    previous_level = models.PositiveIntegerField(null=True)
    how = models.CharField(max_length=10, choices=AwardType.choices)
    reason = models.TextField(null=True)
    entry_id = models.UUIDField(null=True)
    changed_at = models.DateTimeField()

    objects = TierChangeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "participant", "number"], name="tier_change_number_unique"),
            models.CheckConstraint(condition=Q(number__gte=1), name="tier_change_number_positive"),
            models.CheckConstraint(
                condition=Q(previous_code__isnull=True) | ~Q(previous_code=F("code")), name="tier_change_changes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.previous_code or 'no tier'} → {self.code}"
