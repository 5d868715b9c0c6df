"""Shortcuts for events and definitions."""

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

from django.utils import timezone

from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit
from participants.models import Tenant
from tests.client import Api

CONFIG: dict[str, Any] = {
    "event_types": ["user.login"],
    "window": {"type": "calendar", "period": "daily", "timezone": "UTC", "reset_time": "00:00"},
    "condition": {"type": "count", "min": 1},
    "milestones": [],
}


def happen(
    tenant: Tenant, user: str, name: str, properties: Mapping[str, Any] | None = None, *, at: datetime | None = None
) -> None:
    """Emit one event of `user`."""
    now = timezone.now()
    emit(tenant=Tenant.objects.get(pk=tenant.pk), event=EventInput(user, name, at or now, properties or {}), now=now)


def with_value(path: str, value: Any = ..., *, of: Mapping[str, Any] = CONFIG) -> dict[str, Any]:
    """A copy with the value at a dotted path replaced, or removed if no value is given."""
    copy = deepcopy(dict(of))
    inner: Any = copy
    *parents, last = [int(name) if name.isdigit() else name for name in path.split(".")]
    for name in parents:
        inner = inner[name]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return copy


def define(admin: Api, name: str = "Daily", *, tenant: str = "acme", **config: Any) -> dict[str, Any]:
    """Create a streak and return its record. It is daily and needs one login, unless `config` says otherwise."""
    answer = admin.post(f"/tenants/{tenant}/streaks", {"name": name, "config": CONFIG | config})
    assert answer.status_code == 201, answer.content
    record: dict[str, Any] = answer.json()
    return record
