from django.db import models

from participants.ids import new_id
from participants.models import Participant, Tenant
from participants.models.json import JSONField
from rewards.engine import MULTIPLIER_DIGITS, MULTIPLIER_PLACES, Multiplier
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

    def pending_for(self, reward: Reward) -> "ClaimQuerySet":
        """The pending claims of `reward`, in the order in which they are to be served."""
        return self.filter(tenant_id=reward.tenant_id, reward_id=reward.pk, status=ClaimStatus.PENDING).order_by("pk")

    def newest_first(self) -> "ClaimQuerySet":
        return self.order_by("-claimed_at", "-id")


class MultiplierFields(models.Model):
    """What points are multiplied by, from when until when; nulls for what multiplies nothing."""

    multiplier = models.DecimalField(max_digits=MULTIPLIER_DIGITS, decimal_places=MULTIPLIER_PLACES, null=True)
    active_from = models.DateTimeField(null=True)
    active_until = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def as_multiplier(self) -> Multiplier | None:
        """What points are multiplied by and when; None for any other reward."""
        if self.multiplier is None or self.active_from is None or self.active_until is None:
            return None
        return Multiplier(self.multiplier, self.active_from, self.active_until)


class Claim(MultiplierFields):
    """One reward that one participant has, or had: names and cost are those of that day.

    `entry_id` is the ledger entry that paid for it, `refund_id` the one that gave the points back. `source` is the definition that
    granted it, null where it was claimed; `event_id` is the event that this came of. One of a points multiplier says what points were
    to be multiplied by, from when until when.
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


class RewardTally(MultiplierFields):
    """How many of one reward one participant has, cancelled ones not among them.

    Of a points multiplier also what points are multiplied by, from when until when, as the newest claim says: one row tells all that
    an award must know.
    """

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
