from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models

from participants.ids import new_id
from participants.models import Attributed, ParticipantRow, ParticipantRowQuerySet
from participants.models.json import JSONField

PRUNED = {"pruned": True}
"""Replaces a trace that was cleared because it was too old."""


class EventQuerySet(ParticipantRowQuerySet["Event"]):
    def newest_first(self) -> "EventQuerySet":
        return self.order_by("-occurred_at", "-id")

    def not_reversed(self) -> "EventQuerySet":
        """The events that are not reversed. Code that counts events counts only these."""
        return self.filter(reversed_at__isnull=True)


class Event(Attributed, ParticipantRow):
    """Something that, as a client reported, happened to one participant at `occurred_at`. What was reported never changes.

    - `trace`: the decision trace (`services.tracing`). Null if no definition listened; PRUNED if it was cleared.
    - `marks`: the undo notes by domain, `{domain: [...]}`. Null if they are not known.
    - `reversed_at`, `reversal`: a reversed event stays, with the time and `{"reason", "undone": [...], "by": {"actor", "label"}}`
      (`services.reversing`).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100)
    properties = JSONField(default=dict, db_default={})
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
            models.Index(fields=["tenant", "actor", "id"], name="event_actor"),
            models.Index(fields=["tenant", "id"], name="event_newest"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def reversal_reason(self) -> str | None:
        """Why it was reversed, if a reason was given."""
        return None if self.reversal is None else self.reversal["reason"]

    @property
    def undone(self) -> Sequence[Mapping[str, Any]]:
        """What had resulted from it and was taken back, or was not, as JSON objects."""
        return () if self.reversal is None else self.reversal["undone"]

    def undo_notes_of(self, domain: str) -> Sequence[Mapping[str, Any]]:
        """Return the undo notes of a domain, in order."""
        notes: Sequence[Mapping[str, Any]] = (self.marks or {}).get(domain, ())
        return notes
