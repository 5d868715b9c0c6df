from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models

from participants.ids import new_id
from participants.models import Participant, Tenant
from participants.models.json import JSONField

PRUNED = {"pruned": True}
"""Stands for a trace that was too old to be kept."""


class EventQuerySet(models.QuerySet["Event"]):
    def of(self, participant: Participant) -> "EventQuerySet":
        return self.filter(tenant_id=participant.tenant_id, participant_id=participant.pk)

    def newest_first(self) -> "EventQuerySet":
        return self.order_by("-occurred_at", "-id")

    def not_reversed(self) -> "EventQuerySet":
        """Those that were not reversed: what counts events counts these."""
        return self.filter(reversed_at__isnull=True)


class Event(models.Model):
    """One thing that a client said happened to one participant, at `occurred_at`. What happened never changes.

    `trace` says what was decided about it (`services.tracing`): null where nobody listened, PRUNED once it was too old to be kept.
    `marks` is what it was counted for in rows that do not bear its id, `{domain: [in the domain's words, …]}`; null where that is
    not known. One that was reversed stays, with the time and with `{"reason", "undone": […]}` (`services.reversing`).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # No constraints and no index of their own: see docs/decisions/0003. Rows go with their participant by the eraser.
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    participant = models.ForeignKey(
        Participant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    name = models.CharField(max_length=100)
    properties = JSONField(default=dict)
    trace = JSONField(null=True)
    marks = JSONField(null=True)
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField()
    reversed_at = models.DateTimeField(null=True)
    reversal = JSONField(null=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "participant", "occurred_at", "id"], name="event_history"),
            models.Index(fields=["tenant", "participant", "name", "occurred_at", "id"], name="event_history_by_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def reversal_reason(self) -> str | None:
        """Why it was reversed, where that was said."""
        return None if self.reversal is None else self.reversal["reason"]

    @property
    def undone(self) -> Sequence[Mapping[str, Any]]:
        """What came of it and was taken back, or not, one object each."""
        return () if self.reversal is None else self.reversal["undone"]

    def undo_notes_of(self, domain: str) -> Sequence[Mapping[str, Any]]:
        """What a domain counted it for, in order."""
        found: Sequence[Mapping[str, Any]] = (self.marks or {}).get(domain, ())
        return found
