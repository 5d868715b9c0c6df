"""Records changes of staff accounts and groups in the change log.

The forms and commands of Django write them, and none of our services. So this is the one place that listens to signals of models.
"""

from typing import Any

from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.utils import timezone

from gamify_project.models import SecondFactor
from participants.database import all_tenants
from participants.services.changes import HIDDEN, Changes, record_change, removed, updated

FIELDS: dict[type[Model], tuple[str, ...]] = {
    User: ("username", "email", "first_name", "last_name", "is_active", "is_staff", "is_superuser", "password"),
    Group: ("name",),
}
BEFORE = "_before_change"


def connect() -> None:
    """Called when the apps are loaded."""
    for model in FIELDS:
        pre_save.connect(_remember, sender=model)
        post_save.connect(_record_saved, sender=model)
        post_delete.connect(_record_deleted, sender=model)
    post_save.connect(_record_second_factor, sender=SecondFactor)
    post_delete.connect(_record_lost_second_factor, sender=SecondFactor)
    for through, field in (
        (User.groups.through, "groups"),
        (User.user_permissions.through, "user_permissions"),
        (Group.permissions.through, "permissions"),
    ):
        m2m_changed.connect(_recorder_of(field), sender=through, weak=False)


def _remember(sender: type[Model], instance: Model, **options: Any) -> None:
    names = FIELDS[sender]
    written = options.get("update_fields")
    is_concerned = written is None or any(name in written for name in names)
    stored = sender._default_manager.filter(pk=instance.pk).values(*names).first() if is_concerned else None
    setattr(instance, BEFORE, stored or (dict.fromkeys(names) if is_concerned else {}))


def _record_saved(sender: type[Model], instance: Model, **options: Any) -> None:
    changes = updated(getattr(instance, BEFORE, {}), instance)
    if "password" in changes:
        changes["password"] = HIDDEN
    _record(instance, {name: each for name, each in changes.items() if any(each.values())})


def _record_deleted(sender: type[Model], instance: Model, **options: Any) -> None:
    _record(instance, removed(instance, *(name for name in FIELDS[sender] if name != "password")))


def _record_second_factor(sender: type[Model], instance: SecondFactor, **options: Any) -> None:
    """Record a second factor when its owner confirms it. Until then it protects nothing."""
    written = options.get("update_fields")
    if instance.confirmed and (written is None or "confirmed" in written):
        _record(instance.user, {"second_factor": {"before": False, "after": True}})


def _record_lost_second_factor(sender: type[Model], instance: SecondFactor, **options: Any) -> None:
    if instance.confirmed:
        _record(instance.user, {"second_factor": {"before": True, "after": False}})


def _recorder_of(field: str) -> Any:
    """Return a receiver that records what is added to and removed from the many-to-many `field`."""

    def record(instance: Any, action: str, pk_set: set[Any] | None, model: type[Model], **options: Any) -> None:
        changed = "user_set" if options["reverse"] else field
        if action == "pre_clear":
            names = sorted(map(str, getattr(instance, changed).all()))
            _record(instance, {changed: {"before": names, "after": []}})
        elif action in {"post_add", "post_remove"} and pk_set:
            names = sorted(map(str, model._default_manager.filter(pk__in=pk_set)))
            is_added = action == "post_add"
            _record(instance, {changed: {"before": [] if is_added else names, "after": names if is_added else []}})

    return record


def _record(row: Model, changes: Changes) -> None:
    kind = "staff_user" if isinstance(row, User) else "staff_group"
    with all_tenants():  # staff belong to no tenant
        record_change(row, object_type=kind, code=str(row), changes=changes, tenant_id=None, now=timezone.now())
