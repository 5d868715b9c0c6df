from django.db import models

from participants.ids import new_id
from participants.models import Attributed, ParticipantRow, ParticipantRowQuerySet
from participants.models.json import JSONField
from rewards.engine.multipliers import MULTIPLIER_DIGITS, MULTIPLIER_PLACES, Multiplier
from rewards.models.definitions import Reward, RewardType


class ClaimStatus(models.TextChoices):
    """The status of a claim. A reward that was granted while there was no stock is pending."""

    PENDING = "pending"
    CLAIMED = "claimed"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"


class ClaimQuerySet(ParticipantRowQuerySet["Claim"]):
    def pending_for(self, reward: Reward) -> "ClaimQuerySet":
        """The pending claims of `reward`, in the order in which they are served."""
        return self.filter(tenant_id=reward.tenant_id, reward_id=reward.pk, status=ClaimStatus.PENDING).order_by("pk")

    def newest_first(self) -> "ClaimQuerySet":
        return self.order_by("-claimed_at", "-id")


class MultiplierFields(models.Model):
    """The factor and the period of a points multiplier; null for other rewards."""

    multiplier = models.DecimalField(max_digits=MULTIPLIER_DIGITS, decimal_places=MULTIPLIER_PLACES, null=True)
    active_from = models.DateTimeField(null=True)
    active_until = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def as_multiplier(self) -> Multiplier | None:
        """The multiplier and its period; None for other rewards."""
        if self.multiplier is None or self.active_from is None or self.active_until is None:
            return None
        return Multiplier(self.multiplier, self.active_from, self.active_until)


class Claim(Attributed, MultiplierFields, ParticipantRow):
    """One reward that one participant has, or had. Name, type and cost are copied when it is claimed.

    - `entry_id` is the ledger entry that paid for it, `refund_id` the entry that refunded it.
    - `source` is the definition that granted it; null if it was claimed.
    - `event_id` is the event that led to it.
    - Claims of points multipliers have a factor and a period.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reward = models.ForeignKey(
        Reward, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    reward_name = models.CharField(max_length=100)
    reward_type = models.CharField(max_length=20, choices=RewardType.choices)
    status = models.CharField(max_length=10, choices=ClaimStatus.choices)
    code_value = models.CharField(max_length=255, null=True)
    points_deducted = models.BigIntegerField(default=0, db_default=0)
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


class RewardTally(MultiplierFields, ParticipantRow):
    """The number of claims of one reward by one participant, without cancelled ones.

    For a points multiplier it also has the factor and the period of the newest claim, so that an award reads a single row.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reward = models.ForeignKey(
        Reward, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    claims = models.PositiveIntegerField()

    objects = ParticipantRowQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "reward tallies"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "participant", "reward"], name="reward_tally_unique"),
        ]
