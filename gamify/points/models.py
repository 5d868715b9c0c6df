from datetime import datetime

from django.db import models
from django.db.models import F, Q

from participants.ids import new_id
from participants.models import Attributed, Definition, ParticipantRow, ParticipantRowQuerySet
from participants.models.json import JSONField


class EntryType(models.TextChoices):
    AWARD = "award"
    DEDUCT = "deduct"
    CLAIM = "claim"
    REFUND = "refund"
    EXPIRE = "expire"
    ADJUST = "adjust"
    REVERSAL = "reversal"


class LedgerEntryQuerySet(ParticipantRowQuerySet["LedgerEntry"]):
    def newest_first(self) -> "LedgerEntryQuerySet":
        return self.order_by("-number")


class LedgerEntry(Attributed, ParticipantRow):
    """One change of one participant's balance. Rows are only inserted, never updated, except to anonymize them.

    - `number`: 1, 2, 3 … per participant, in the order of commits.
    - `balance_after`: the sum of `delta` up to and including this entry.
    - `base_amount`, `multiplier`: the requested amount, and what it was multiplied by. Both are null if nothing multiplied it.
    - `expires_at`: when the credited points expire. On an `expire` entry, when they expired.
    - `used`: what a debit took from expiring credits, as `{id of the credit's entry: points}`. It took the remainder from
      points that do not expire.
    - `event_id`: the client's event that caused the entry.
    - `reverses_id`: the entry that this one undoes. An entry is undone at most once.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.BigIntegerField()
    type = models.CharField(max_length=10, choices=EntryType.choices)
    delta = models.BigIntegerField()
    balance_after = models.BigIntegerField()
    base_amount = models.BigIntegerField(null=True)
    multiplier = models.DecimalField(max_digits=9, decimal_places=4, null=True)
    expires_at = models.DateTimeField(null=True)
    used = models.JSONField(null=True)
    event_id = models.UUIDField(null=True)
    reverses_id = models.UUIDField(null=True)
    reason = models.TextField(null=True)
    metadata = JSONField(default=dict, db_default={})
    created_at = models.DateTimeField()

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "participant", "number"], name="ledger_entry_number_unique"),
            models.CheckConstraint(condition=~Q(delta=0), name="ledger_entry_moves_points"),
            models.CheckConstraint(condition=Q(balance_after__gte=0), name="ledger_entry_balance_not_negative"),
            models.CheckConstraint(condition=Q(number__gte=1), name="ledger_entry_number_positive"),
            models.UniqueConstraint(
                fields=["tenant", "participant", "reverses_id"],
                condition=Q(reverses_id__isnull=False),
                name="ledger_entry_reversed_once",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "actor", "id"], name="ledger_entry_actor"),
            models.Index(fields=["tenant", "id"], name="ledger_entry_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.delta:+,} points"

    @property
    def amount(self) -> int:
        """The number of points moved, always positive."""
        return abs(self.delta)


class ExpiringCreditQuerySet(ParticipantRowQuerySet["ExpiringCredit"]):
    def unspent(self) -> "ExpiringCreditQuerySet":
        return self.filter(rest__gt=0)

    def expired(self, now: datetime) -> "ExpiringCreditQuerySet":
        """Credits that have expired and are not yet taken from the balance."""
        return self.unspent().filter(expires_at__lte=now)

    def due(self, now: datetime) -> "ExpiringCreditQuerySet":
        """The expired credits that a sweep may process: failed ones are left out until their `retry_at`."""
        return self.expired(now).filter(Q(retry_at__isnull=True) | Q(retry_at__lte=now))


class ExpiringCredit(ParticipantRow):
    """The unspent points (`rest`) of one award that expires. `entry_id` is the award's ledger entry.

    Debits use the credit that expires first. The rests of a participant never add up to more than the balance; the
    remainder of the balance does not expire. The earliest `expires_at` of the unspent rows is stored on the participant as
    `next_expiry_at`. `retry_at` is when a sweep may try a row again that failed.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    entry_id = models.UUIDField()
    rest = models.BigIntegerField()
    expires_at = models.DateTimeField()
    retry_at = models.DateTimeField(null=True)

    objects = ExpiringCreditQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "participant", "entry_id"], name="expiring_credit_entry_unique"),
            models.CheckConstraint(condition=Q(rest__gte=0), name="expiring_credit_rest_not_negative"),
        ]
        indexes = [
            models.Index(fields=["tenant", "expires_at", "id"], name="expiring_credit_due", condition=Q(rest__gt=0)),
            models.Index(
                fields=["tenant", "participant", "expires_at", "id"],
                name="expiring_credit_unspent",
                condition=Q(rest__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rest:,} points until {self.expires_at:%Y-%m-%d}"


class Boost(Definition):
    """A period `[starts_at, ends_at)` in which all awards of the tenant are multiplied. Null means no limit on that side."""

    multiplier = models.DecimalField(max_digits=7, decimal_places=4)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta(Definition.Meta):
        constraints = [
            *Definition.Meta.constraints,
            models.CheckConstraint(condition=Q(multiplier__gt=0), name="boost_multiplier_positive"),
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="boost_dates_ordered"),
        ]
