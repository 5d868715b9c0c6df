"""The audit row that every write of the console leaves, in the transaction of the write."""

from typing import cast

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest

from participants.models import Participant

__all__ = ["ADDITION", "CHANGE", "DELETION", "record"]

MAX_NAME = 200


def record(request: HttpRequest, row: Model, flag: int, message: str) -> LogEntry:
    """Who did what to which row. `message` carries no personal data: the trail outlives the participant."""
    return LogEntry.objects.create(
        user_id=cast("int", request.user.pk),
        content_type=ContentType.objects.get_for_model(row, for_concrete_model=False),
        object_id=str(row.pk),
        object_repr=_name(row)[:MAX_NAME],
        action_flag=flag,
        change_message=message,
    )


def _name(row: Model) -> str:
    """Participants go by their row, not by the id the client chose: erasing them must not leave it behind here."""
    return f"Participant {row.pk}" if isinstance(row, Participant) else str(row)
