from django.db import models
from django.db.models import F, Q

from participants.ids import new_id
from participants.models.json import JSONField
from participants.models.tenants import Tenant


class ParticipantQuerySet(models.QuerySet["Participant"]):
    def of(self, tenant: Tenant) -> "ParticipantQuerySet":
        return self.filter(tenant_id=tenant.pk)


class Participant(models.Model):
    """One user of a tenant's application. This row is the lock for all their data: every unit of work locks it first.

    Running totals repeat other tables:

    - `balance = total_earned - total_spent - total_expired`. `ledger_count` is the number of the newest ledger entry.
    - `tier_code` is their tier and `tier_count` the number of its newest change. A tier that was assigned by hand (`tier_is_manual`)
      yields to a threshold that is crossed later, but not to one that was crossed before.
    - `badge_count` is the number of their badges. `rewards_claimed` counts the rewards that they got, so no pending or cancelled claims.
      `challenges_completed` counts every completion, so a repeatable challenge may count several times.
    - `next_expiry_at` is when their first unspent credit expires, or null. So participants without such credits cost no query.

    `visible` is the participant's own choice. If it is off, they are on no leaderboard, but their scores continue to count.

    `past_zones` are the time zones before `timezone`, `[[name, until], …]`, oldest first. The local date of an old event is its date in
    the zone of that time.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    external_id = models.CharField("participant id", max_length=255)
    display_name = models.CharField(max_length=255, null=True, blank=True)
    avatar_url = models.CharField(max_length=500, null=True, blank=True)
    attributes = JSONField(default=dict, db_default={}, blank=True)
    timezone = models.CharField(max_length=64, null=True, blank=True)
    past_zones = models.JSONField(default=list, db_default=[], blank=True, editable=False)
    is_active = models.BooleanField(default=True, db_default=True)
    visible = models.BooleanField(
        "shown on leaderboards", default=True, db_default=True, help_text="Off: on no leaderboard, now and in the past."
    )

    balance = models.BigIntegerField(default=0, db_default=0)
    total_earned = models.BigIntegerField(default=0, db_default=0)
    total_spent = models.BigIntegerField(default=0, db_default=0)
    total_expired = models.BigIntegerField(default=0, db_default=0)
    ledger_count = models.BigIntegerField(default=0, db_default=0)
    total_events = models.BigIntegerField(default=0, db_default=0)
    tier_code = models.CharField(max_length=50, null=True, blank=True)
    tier_is_manual = models.BooleanField(default=False, db_default=False)
    tier_count = models.BigIntegerField(default=0, db_default=0)
    badge_count = models.PositiveIntegerField(default=0, db_default=0)
    challenges_completed = models.BigIntegerField(default=0, db_default=0)
    rewards_claimed = models.PositiveIntegerField(default=0, db_default=0)
    next_expiry_at = models.DateTimeField(null=True, blank=True, editable=False)

    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    anonymized_at = models.DateTimeField(null=True, blank=True)

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        permissions = [("export_participant", "Can export all data of a participant")]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "external_id"], name="participant_external_id_unique"),
            models.CheckConstraint(condition=Q(balance__gte=0), name="participant_balance_not_negative"),
            models.CheckConstraint(
                condition=Q(balance=F("total_earned") - F("total_spent") - F("total_expired")),
                name="participant_totals_agree",
            ),
        ]
        # No index on columns that an award changes, so that PostgreSQL can update the row in place (HOT).

    def __str__(self) -> str:
        return self.external_id

    @property
    def is_new(self) -> bool:
        """Whether a unit of work created the participant in memory, and the row is not in the database yet."""
        return self._state.adding
