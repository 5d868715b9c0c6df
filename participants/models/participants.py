from django.db import models
from django.db.models import F, Q

from participants.ids import new_id
from participants.models.json import JSONField
from participants.models.tenants import Tenant


class ParticipantQuerySet(models.QuerySet["Participant"]):
    def of(self, tenant: Tenant) -> "ParticipantQuerySet":
        return self.filter(tenant_id=tenant.pk)

    def active(self) -> "ParticipantQuerySet":
        return self.filter(is_active=True)


class Participant(models.Model):
    """One user of a tenant's application, and the unit of locking: whoever writes anything of theirs holds this row.

    The running totals repeat the ledger: `balance = total_earned - total_spent - total_expired`, and `ledger_count`
    is the number of the newest entry. `tier_code` is the tier they stand in, `tier_count` the number of the newest change
    of it; one given by hand (`tier_is_manual`) yields to a threshold crossed later, not to one crossed before.
    `badge_count` is how many badges they have, `rewards_claimed` how many rewards, without cancelled ones; `challenges_completed` counts every completion of a challenge, of one that can be repeated each time.
    `next_expiry_at` is when the first of the credits that are not spent expires, null where none does: whoever has none pays nothing for those who
    have.

    `visible` is their own choice: who does not want to be seen is on no leaderboard, and their scores go on.

    `past_zones` are the time zones they lived in before `timezone`, `[[name, until], …]`, oldest first: what happened at
    a local date then happened at that date still.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    external_id = models.CharField("participant id", max_length=255)
    display_name = models.CharField(max_length=255, null=True, blank=True)
    avatar_url = models.CharField(max_length=500, null=True, blank=True)
    attributes = JSONField(default=dict, blank=True)
    timezone = models.CharField(max_length=64, null=True, blank=True)
    past_zones = models.JSONField(default=list, blank=True, editable=False)
    is_active = models.BooleanField(default=True)
    visible = models.BooleanField(
        "shown on leaderboards", default=True, help_text="Off: on no leaderboard, now and in the past."
    )

    balance = models.BigIntegerField(default=0)
    total_earned = models.BigIntegerField(default=0)
    total_spent = models.BigIntegerField(default=0)
    total_expired = models.BigIntegerField(default=0)
    ledger_count = models.BigIntegerField(default=0)
    total_events = models.BigIntegerField(default=0)
    tier_code = models.CharField(max_length=50, null=True, blank=True)
    tier_is_manual = models.BooleanField(default=False)
    tier_count = models.BigIntegerField(default=0)
    badge_count = models.PositiveIntegerField(default=0)
    challenges_completed = models.BigIntegerField(default=0)
    rewards_claimed = models.PositiveIntegerField(default=0)
    next_expiry_at = models.DateTimeField(null=True, blank=True, editable=False)

    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    anonymized_at = models.DateTimeField(null=True, blank=True)

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "external_id"], name="participant_external_id_unique"),
            models.CheckConstraint(condition=Q(balance__gte=0), name="participant_balance_not_negative"),
            models.CheckConstraint(
                condition=Q(balance=F("total_earned") - F("total_spent") - F("total_expired")),
                name="participant_totals_agree",
            ),
        ]
        # No index on what a write changes: PostgreSQL then updates the row in place (HOT), which the award lives on.

    def __str__(self) -> str:
        return self.external_id

    @property
    def is_new(self) -> bool:
        """Made in memory by a unit of work, not in the database yet."""
        return self._state.adding
