from django.db import models

from participants.ids import new_id
from participants.models import Participant, Tenant
from participants.models.json import JSONField
from rewards.models.definitions import Reward, RewardType


class ClaimStatus(models.TextChoices):
    """A granted reward without stock is pending until stock comes."""

    PENDING = "pending"
    CLAIMED = "claimed"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"


class ClaimQuerySet(models.QuerySet["Claim"]):
    def of(self, participant: Participant) -> "ClaimQuerySet":
        return self.filter(tenant_id=participant.tenant_id, participant_id=participant.pk)

    def newest_first(self) -> "ClaimQuerySet":
        return self.order_by("-claimed_at", "-id")


class Claim(models.Model):
    """One reward that one participant has, or had: names and cost are those of that day.

    `entry_id` is the ledger entry that paid for it, `refund_id` the one that gave the points back. `source` is the definition that
    granted it, null where it was claimed; `event_id` is the event that this came of.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # No constraints and no index of their own: see docs/decisions/0003. Rows go with their participant by the eraser.
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    participant = models.ForeignKey(
        Participant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    reward = models.ForeignKey(
        Reward, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    reward_name = models.CharField(max_length=100)
    reward_type = models.CharField(max_length=20, choices=RewardType.choices)
    status = models.CharField(max_length=10, choices=ClaimStatus.choices)
    code_value = models.CharField(max_length=255, null=True)
    points_deducted = models.BigIntegerField(default=0)
    entry_id = models.UUIDField(null=True)
    refund_id = models.UUIDField(null=True)
    source = JSONField(null=True)
    event_id = models.UUIDField(null=True)
    reason = models.TextField(null=True)
    claimed_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "participant", "claimed_at", "id"], name="claim_history"),
            models.Index(fields=["tenant", "reward", "id"], name="claim_pending", condition=models.Q(status="pending")),
        ]

    def __str__(self) -> str:
        return self.reward_name


class RewardTally(models.Model):
    """How many of one reward one participant has, cancelled ones not among them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # No constraints and no index of their own, as above.
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    participant = models.ForeignKey(
        Participant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    reward = models.ForeignKey(
        Reward, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    claims = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "reward tallies"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "participant", "reward"], name="reward_tally_unique"),
        ]
