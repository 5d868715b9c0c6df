"""The audit trail: every write of the console adds a LogEntry in its transaction.

The values of a change are in the change log only (docs/decisions/0036-audit-trail-and-change-log.md).
"""

from typing import cast

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest

from participants.models import Participant

__all__ = ["ADDITION", "CHANGE", "DELETION", "record"]

MAX_NAME = 200


def record(request: HttpRequest, row: Model, flag: int, message: str) -> LogEntry:
    """Add an audit row: the user of `request` did `message` to `row`. `flag` is ADDITION, CHANGE or DELETION.

    `message` must not contain personal data, because the trail stays when the participant is deleted.
    """
    return LogEntry.objects.create(
        user_id=cast("int", request.user.pk),
        content_type=ContentType.objects.get_for_model(row, for_concrete_model=False),
        object_id=str(row.pk),
        object_repr=_name(row)[:MAX_NAME],
        action_flag=flag,
        change_message=message,
    )


def _name(row: Model) -> str:
    """Return the name of `row`. For participants it has the internal id: the external id must not stay here after erasure."""
    return f"Participant {row.pk}" if isinstance(row, Participant) else str(row)
