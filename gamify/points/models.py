from django.db import models
from django.db.models import Q

from participants.ids import new_id
from participants.models import Participant, Tenant
from participants.models.json import JSONField


class EntryType(models.TextChoices):
    AWARD = "award"
    DEDUCT = "deduct"
    CLAIM = "claim"
    REFUND = "refund"
    EXPIRE = "expire"
    ADJUST = "adjust"
    REVERSAL = "reversal"


class LedgerEntryQuerySet(models.QuerySet["LedgerEntry"]):
    def of(self, participant: Participant) -> "LedgerEntryQuerySet":
        return self.filter(tenant_id=participant.tenant_id, participant_id=participant.pk)

    def newest_first(self) -> "LedgerEntryQuerySet":
        return self.order_by("-number")


class LedgerEntry(models.Model):
    """One change of one participant's balance. Rows are only ever added.

    Entries of a participant are numbered 1, 2, 3 … in the order of their commits; `balance_after` is the sum of `delta`
    up to and including this one. `amount` was asked for before `multiplier` was applied. `event_id` names the event that
    caused the entry, `reverses_id` the entry it undoes.
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
    type = models.CharField(max_length=10, choices=EntryType.choices)
    delta = models.BigIntegerField()
    balance_after = models.BigIntegerField()
    base_amount = models.BigIntegerField(null=True)
    multiplier = models.DecimalField(max_digits=9, decimal_places=4, null=True)
    expires_at = models.DateTimeField(null=True)
    event_id = models.UUIDField(null=True)
    reverses_id = models.UUIDField(null=True)
    reason = models.TextField(null=True)
    metadata = JSONField(default=dict)
    created_at = models.DateTimeField()

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "participant", "number"], name="ledger_entry_number_unique"),
            models.CheckConstraint(condition=~Q(delta=0), name="ledger_entry_moves_points"),
            models.CheckConstraint(condition=Q(balance_after__gte=0), name="ledger_entry_balance_not_negative"),
            models.CheckConstraint(condition=Q(number__gte=1), name="ledger_entry_number_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.delta:+,} points"

    @property
    def amount(self) -> int:
        """Points moved, whichever way."""
        return abs(self.delta)
