"""What API keys and partner secrets have in common: they are used, and revoked."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from participants.models import ApiKey
from participants.models.callers import Caller
from participants.services.changes import Changes, record_change, updated

NOTE_INTERVAL = timedelta(minutes=1)


def mark_used(caller: Caller, *, now: datetime) -> None:
    """Note that `caller` was used, at most once a minute, even with concurrent requests."""
    if not is_use_due(caller, now=now):
        return
    is_due = Q(last_used_at=None) | Q(last_used_at__lte=now - NOTE_INTERVAL)
    type(caller)._default_manager.filter(is_due, pk=caller.pk).update(last_used_at=now)


def is_use_due(caller: Caller, *, now: datetime) -> bool:
    """Whether `mark_used` would note a use of `caller`."""
    return caller.last_used_at is None or caller.last_used_at <= now - NOTE_INTERVAL


@transaction.atomic
def revoke(caller: Caller, *, now: datetime) -> None:
    """Revoke a key or a secret. The next request that uses it is refused."""
    caller.revoked_at = now
    caller.save(update_fields=["revoked_at"])
    record_caller(caller, updated({"revoked_at": None}, caller), now=now)


def record_caller(caller: Caller, changes: Changes, *, now: datetime) -> None:
    """Record a change of a key or a secret. The log names a key by its prefix."""
    kind, code = ("api_key", caller.prefix) if isinstance(caller, ApiKey) else ("partner_secret", str(caller))
    record_change(caller, object_type=kind, code=code, changes=changes, tenant_id=caller.tenant_id, now=now)
