from django.db import models

from participants.ids import new_id
from participants.models import Definition, Participant, Tenant
from participants.models.json import JSONField


class Rarity(models.TextChoices):
    COMMON = "common"
    UNCOMMON = "uncommon"
    RARE = "rare"
    EPIC = "epic"
    LEGENDARY = "legendary"


class Badge(Definition):
    """Something that a participant can earn once. An inactive one is not given any more; who has it keeps it.

    `criteria` says when it is earned without anybody giving it (`engine.Criterion`); null where it is only given.
    `criteria_revision` rises whenever what was counted so far may not be all: with other criteria, and when it is switched on or off.
    """

    icon_url = models.CharField(max_length=500, null=True, blank=True)
    category = models.CharField(max_length=100, null=True, blank=True)
    rarity = models.CharField(max_length=10, choices=Rarity.choices, default=Rarity.COMMON)
    criteria = JSONField(null=True, blank=True)
    criteria_revision = models.PositiveIntegerField(default=1, editable=False)


class BadgeAwardQuerySet(models.QuerySet["BadgeAward"]):
    def of(self, participant: Participant) -> "BadgeAwardQuerySet":
        return self.filter(tenant_id=participant.tenant_id, participant_id=participant.pk)


class BadgeAward(models.Model):
    """One badge that one participant has earned; there is one row however often it is awarded. `event_id` is the event that it
    came of, null where it came of none.

    Rows are written by the unit of work only, under the participant's lock.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # No constraints and no indexes of their own: see docs/decisions/0003. Rows go with their participant by the eraser,
    # and a badge is never deleted.
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    participant = models.ForeignKey(
        Participant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    badge = models.ForeignKey(Badge, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    earned_at = models.DateTimeField()
    event_id = models.UUIDField(null=True)
    metadata = JSONField(default=dict)

    objects = BadgeAwardQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "participant", "badge"], name="badge_award_once"),
        ]


class BadgeProgress(models.Model):
    """How far one participant has come with the events that one badge counts, while they do not have it.

    `value` is what their events came to under the criteria numbered `revision`; a row of an earlier number is counted anew from the
    history. Who has no row has no such event, or has not been looked at since the badge began to count.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # No constraints and no indexes of their own, as above.
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    participant = models.ForeignKey(
        Participant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    badge = models.ForeignKey(Badge, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    revision = models.PositiveIntegerField()
    value = models.DecimalField(max_digits=40, decimal_places=9)

    class Meta:
        verbose_name_plural = "badge progress"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "participant", "badge"], name="badge_progress_once"),
        ]
