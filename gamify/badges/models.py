from django.db import models

from participants.ids import new_id
from participants.models import Attributed, Definition, ParticipantRow, ParticipantRowQuerySet
from participants.models.json import JSONField


class Rarity(models.TextChoices):
    COMMON = "common"
    UNCOMMON = "uncommon"
    RARE = "rare"
    EPIC = "epic"
    LEGENDARY = "legendary"


class Badge(Definition):
    """An achievement that a participant can earn once. An inactive badge is not awarded any more, but participants keep it.

    `criteria` say when participants earn it without a grant (`engine.Criterion`). Null: it is only granted.
    `criteria_revision` grows when the stored progress may be incomplete: when the criteria change, and when the badge is
    activated or deactivated.
    """

    icon_url = models.CharField(max_length=500, null=True, blank=True)
    category = models.CharField(max_length=100, null=True, blank=True)
    rarity = models.CharField(max_length=10, choices=Rarity.choices, default=Rarity.COMMON, db_default=Rarity.COMMON)
    criteria = JSONField(null=True, blank=True)
    criteria_revision = models.PositiveIntegerField(default=1, db_default=1, editable=False)


class BadgeAward(Attributed, ParticipantRow):
    """One badge that one participant has earned. Repeated awards add no row.

    `event_id` is the client's event that led to the award, or null. Only the unit of work writes rows, under the lock of the
    participant.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    badge = models.ForeignKey(Badge, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    earned_at = models.DateTimeField()
    event_id = models.UUIDField(null=True)
    metadata = JSONField(default=dict, db_default={})

    objects = ParticipantRowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "participant", "badge"], name="badge_award_once"),
        ]


class BadgeProgress(ParticipantRow):
    """The progress of one participant towards one badge that counts events and that they do not have.

    `value` counts their events under the criteria with this `revision`. A row with an older revision is recounted from the
    history. Without a row, the participant has no such event, or no event of theirs was counted since the criteria were set.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    badge = models.ForeignKey(Badge, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    revision = models.PositiveIntegerField()
    value = models.DecimalField(max_digits=40, decimal_places=9)

    objects = ParticipantRowQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "badge progress"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "participant", "badge"], name="badge_progress_once"),
        ]
