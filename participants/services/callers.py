"""What API keys and partner secrets have in common: they are used, and revoked."""

from datetime import datetime, timedelta

from django.db.models import Q

from participants.models.callers import Caller

NOTE_INTERVAL = timedelta(minutes=1)


def mark_used(caller: Caller, *, now: datetime) -> None:
    """Note that `caller` was used, at most once a minute, even with concurrent requests."""
    due_before = now - NOTE_INTERVAL
    if caller.last_used_at is not None and caller.last_used_at > due_before:
        return
    is_due = Q(last_used_at=None) | Q(last_used_at__lte=due_before)
    type(caller)._default_manager.filter(is_due, pk=caller.pk).update(last_used_at=now)


def revoke(caller: Caller, *, now: datetime) -> None:
    """Revoke a key or a secret. The next request that uses it is refused."""
    caller.revoked_at = now
    caller.save(update_fields=["revoked_at"])
