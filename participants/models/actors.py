"""Columns that name who wrote a row."""

from django.db import models

from participants.actors import MAX_KEY, MAX_LABEL, MAX_REQUEST_ID, Actor, actor_to_json


class Attributed(models.Model):
    """A row that names its actor (`participants.actors`). The columns are null in rows that earlier releases wrote.

    The unit of work fills them in for the rows that it adds. Other code calls `attribute_to`.
    """

    actor = models.CharField(max_length=MAX_KEY, null=True, editable=False)
    actor_label = models.CharField(max_length=MAX_LABEL, null=True, editable=False)
    request_id = models.CharField(max_length=MAX_REQUEST_ID, null=True, editable=False)

    class Meta:
        abstract = True

    def attribute_to(self, actor: Actor) -> None:
        """Name the actor in this row."""
        self.actor, self.actor_label, self.request_id = actor.key, actor.label, actor.request_id

    @property
    def stored_actor(self) -> Actor:
        """The actor, for work that goes on on their behalf after the request."""
        return Actor(self.actor or "", self.actor_label or "", self.request_id)

    @property
    def actor_json(self) -> dict[str, str] | None:
        """The actor as in answers: `{kind, id, label}`, or None if it is not known."""
        return actor_to_json(self.actor, self.actor_label)
