"""When keys and secrets were last used."""

from datetime import datetime, timedelta

from django.db.models import Q

from participants.models.callers import Caller

USED_AT_MOST_EVERY = timedelta(minutes=1)


def mark_used(caller: Caller, *, now: datetime) -> None:
    """Note that `caller` was used, at most once a minute whatever runs in parallel."""
    due_before = now - USED_AT_MOST_EVERY
    if caller.last_used_at is not None and caller.last_used_at > due_before:
        return
    unnoted = Q(last_used_at=None) | Q(last_used_at__lte=due_before)
    type(caller)._default_manager.filter(unnoted, pk=caller.pk).update(last_used_at=now)
