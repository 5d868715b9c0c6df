from datetime import datetime
from uuid import UUID

from django.db import models
from django.db.models import Q

from participants.actors import MAX_KEY, MAX_REASON
from participants.ids import new_id
from participants.models import (
    Attributed,
    Leased,
    LeasedQuerySet,
    Participant,
    ParticipantRow,
    ParticipantRowQuerySet,
    Tenant,
)


class UndoStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


UNFINISHED = (UndoStatus.QUEUED, UndoStatus.RUNNING)


class UndoQuerySet(LeasedQuerySet["Undo"]):
    def of(self, tenant: Tenant) -> "UndoQuerySet":
        return self.filter(tenant_id=tenant.pk)

    def unfinished(self) -> "UndoQuerySet":
        return self.filter(status__in=UNFINISHED)

    def waiting(self, now: datetime) -> "UndoQuerySet":
        """Unfinished undos that no worker has."""
        return self.unfinished().free(now)

    def finished_before(self, at: datetime) -> "UndoQuerySet":
        return self.exclude(status__in=UNFINISHED).filter(finished_at__lt=at)

    def newest_first(self) -> "UndoQuerySet":
        return self.order_by("-id")  # ids are ordered by time


class Undo(Leased, Attributed):
    """The undo of what one cause wrote in [since, until). Its actor is who asked for it, and everything that it takes back names them.

    - `cause`: the actor whose rows are taken back, as `kind:id`. `version` is the version of a definition, or null.
    - `planned_at`: when all its items were listed; null before.
    - `checked_until`: while it is planned, the last participant of whom rows of other causes were listed.
    - `is_dry_run`: everything is taken back and rolled back again, so that only the report remains.
    - `error`: why it failed.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    cause = models.CharField(max_length=MAX_KEY)
    version = models.PositiveIntegerField(null=True)
    since = models.DateTimeField()
    until = models.DateTimeField()
    reason = models.CharField(max_length=MAX_REASON, null=True)
    is_dry_run = models.BooleanField()
    status = models.CharField(
        max_length=8, choices=UndoStatus.choices, default=UndoStatus.QUEUED, db_default=UndoStatus.QUEUED
    )
    error = models.TextField(null=True)
    created_at = models.DateTimeField()
    planned_at = models.DateTimeField(null=True)
    checked_until = models.UUIDField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = UndoQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "cause"],
                condition=Q(is_dry_run=False, status__in=["queued", "running"]),
                name="undo_one_of_a_cause",
            ),
            models.CheckConstraint(condition=Q(since__lt=models.F("until")), name="undo_dates_ordered"),
        ]
        indexes = [models.Index(fields=["tenant", "id"], name="undo_newest")]

    def __str__(self) -> str:
        return f"undo of {self.cause}"

    @property
    def is_unfinished(self) -> bool:
        return self.status in UNFINISHED

    @property
    def cause_json(self) -> dict[str, str | int]:
        """The cause as in requests: `{kind, id}`, and `version` of a definition."""
        kind, _, cause_id = self.cause.partition(":")
        return {"kind": kind, "id": cause_id} | ({} if self.version is None else {"version": self.version})


class ItemState(models.TextChoices):
    WAITING = "waiting"
    REVERSED = "reversed"
    KEPT = "kept"


class Turn(models.IntegerChoices):
    """When an item is taken back, compared with the other items of its participant."""

    NORMAL = 0
    LAST = 1
    CHECK = 2


class UndoItem(ParticipantRow):
    """One row that an undo takes back, or something of it that stays.

    - `type` is a name in `participants.causes.cause_tables`, or the type of a domain event that cannot be taken back.
    - `row_id`: the id of the row. `part`: 0 for the row itself, 1, 2, 3 … for what of it stays, with the id `kept_id`.
    - `turn`: items of turn LAST are taken back after all others of their participant. Those of turn CHECK too; they are of other
      causes, and an item is deleted when the check finds that its row stays.
    - `is_consequence`: a definition gave it because of what the cause wrote.
    - `reason`: why it was kept. `participant` is null if that is because the participant was deleted.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    participant = models.ForeignKey(  # type: ignore[assignment]  # null, unlike in other tables
        Participant, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    undo = models.ForeignKey(Undo, on_delete=models.CASCADE, related_name="items", db_index=False)
    type = models.CharField(max_length=60)
    row_id = models.UUIDField()
    part = models.PositiveIntegerField(default=0, db_default=0)
    kept_id = models.UUIDField(null=True)
    turn = models.PositiveSmallIntegerField(default=Turn.NORMAL, db_default=Turn.NORMAL)
    is_consequence = models.BooleanField(default=False, db_default=False)
    state = models.CharField(
        max_length=8, choices=ItemState.choices, default=ItemState.WAITING, db_default=ItemState.WAITING
    )
    reason = models.CharField(max_length=255, null=True)

    objects = ParticipantRowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["undo", "row_id", "part"], name="undo_item_once"),
            models.CheckConstraint(condition=Q(state="kept") | Q(reason=None), name="undo_item_kept_for_a_reason"),
        ]
        indexes = [
            models.Index(
                fields=["undo", "participant", "turn", "-row_id"],
                name="undo_item_waiting",
                condition=Q(state="waiting"),
            ),
            models.Index(fields=["undo", "id"], name="undo_item_kept", condition=Q(state="kept")),
            models.Index(fields=["tenant", "participant"], name="undo_item_participant"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.row_id}"

    @property
    def shown_id(self) -> UUID:
        """The id of what was kept."""
        return self.kept_id or self.row_id

    @property
    def participant_name(self) -> str | None:
        """The participant's id as the tenant knows it. None if the participant was deleted."""
        return None if self.participant is None else self.participant.external_id
