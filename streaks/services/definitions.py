"""Create and change definitions of streaks, for both dialects and the console."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from gamify.facts.services import grant_problem
from participants.actors import current_actor
from participants.errors import DomainError, InvalidInput
from participants.models import Tenant
from participants.services.definitions import create_definition, update_definition
from streaks.models import Status, Streak, StreakPause, StreakRevision
from streaks.models.definitions import TERMS
from streaks.services.counting import StreakInactive

NOUN = "streak"
MAX_CODE = 50

# A change of one of these fields, or of the streak's terms (periods, condition, grace), changes which announcements are due.
# So it starts a review of all participants.
REVIEW_TRIGGERS = ("at_risk_seconds",)


class StreakIdNotFound(DomainError):
    code = "streak_not_found"
    status = 404
    text = "Streak not found"


class StreakNameConflict(DomainError):
    code = "streak_name_conflict"
    status = 409
    text = "Streak with name '{}' already exists"


class StreakNotPaused(DomainError):
    code = "streak_not_paused"
    text = "Streak '{}' is not paused"


def create_streak(*, tenant: Tenant, data: Mapping[str, Any], now: datetime, checks_references: bool = True) -> Streak:
    """Create a streak. `data` are fields of the model.

    Raises: CodeConflict, InvalidInput.
    """
    if checks_references:
        _check_rewards(tenant, data)
    return create_definition(Streak, noun=NOUN, tenant=tenant, data=_with_status(data, Status.ACTIVE), now=now)


@transaction.atomic
def create_named_streak(*, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> Streak:
    """Create a streak with a unique name, and a code made from the name.

    Raises: StreakNameConflict, InvalidInput.
    """
    _lock_names(tenant)
    _check_name(tenant, data["name"])
    return create_streak(tenant=tenant, data={**data, "code": _free_code(tenant, data["name"])}, now=now)


@transaction.atomic
def update_named_streak(streak: Streak, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime) -> Streak:
    """Change a definition, if its name stays unique.

    Raises: StreakNameConflict, InvalidInput.
    """
    streak = _lock(streak)  # lock it before the tenant, as every change of a definition does
    _lock_names(tenant)
    if _takes_a_name(streak, changes):
        _check_name(tenant, changes.get("name", streak.name))
    return _apply_changes(streak, tenant=tenant, changes=changes, now=now)


def _lock(streak: Streak) -> Streak:
    return Streak.objects.select_for_update().get(tenant_id=streak.tenant_id, pk=streak.pk)


def _takes_a_name(streak: Streak, changes: Mapping[str, Any]) -> bool:
    """Whether the change claims a name: it renames the streak, or takes it out of the archive. Archived names are free."""
    name, status = changes.get("name", streak.name), changes.get("status", streak.status)
    comes_back = streak.status == Status.ARCHIVED and status != Status.ARCHIVED
    return comes_back or bool(name != streak.name)


def _lock_names(tenant: Tenant) -> None:
    """Lock the tenant, so that two Phoenix requests cannot claim one name at the same time. Gamify names need not be unique."""
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)


def _check_name(tenant: Tenant, name: str) -> None:
    if Streak.objects.of(tenant).filter(name=name).exclude(status=Status.ARCHIVED).exists():
        raise StreakNameConflict(name)


def _free_code(tenant: Tenant, name: str) -> str:
    """The slug of the name, with a number appended if that code is in use. Archived streaks keep their codes."""
    base = slugify(name)[:MAX_CODE].strip("-_") or NOUN
    taken = set(Streak.objects.of(tenant).filter(code__startswith=base[: MAX_CODE - 8]).values_list("code", flat=True))
    code, number = base, 1
    while code in taken:
        number += 1
        code = f"{base[: MAX_CODE - 8]}-{number}"
    return code


@transaction.atomic
def update_streak(
    streak: Streak, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime, checks_references: bool = True
) -> Streak:
    """Change a definition. If its terms (periods, condition, grace) change, counts are carried over, and the new terms
    apply from `now`.

    Raises: InvalidInput.
    """
    locked = _lock(streak)
    return _apply_changes(locked, tenant=tenant, changes=changes, now=now, checks_references=checks_references)


def _apply_changes(
    streak: Streak, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime, checks_references: bool = True
) -> Streak:
    changes = _with_status(changes, streak.status)
    changes = {name: value for name, value in changes.items() if getattr(streak, name) != value}
    if checks_references:
        _check_rewards(tenant, changes)
    if any(name in changes for name in TERMS):
        _end_terms(streak, zone=_zone_of(tenant), now=now)
        changes |= {"revision": streak.revision + 1, **_to_review(now)}
    if any(name in changes for name in REVIEW_TRIGGERS):
        changes |= _to_review(now)
    if "status" in changes:
        changes |= _switch(streak, changes["status"], now=now)
    return update_definition(streak, tenant=tenant, changes=changes, now=now)


def _check_rewards(tenant: Tenant, changes: Mapping[str, Any]) -> None:
    """Check that `tenant` can grant the rewards of the milestones.

    Raises: InvalidInput.
    """
    for index in unknown_rewards(tenant, changes.get("milestones", ())):
        raise InvalidInput(f"config.milestones.{index}.reward_item_id", "must be the id of a reward of this tenant")


def unknown_rewards(tenant: Tenant, milestones: Iterable[Mapping[str, Any]]) -> Iterator[int]:
    """The indexes of the milestones with a reward that `tenant` cannot grant."""
    for index, milestone in enumerate(milestones):
        reward = milestone.get("reward_item_id")
        if reward is not None and grant_problem(tenant, {"type": "reward", "id": reward}):
            yield index


def _with_status(changes: Mapping[str, Any], status: str) -> dict[str, Any]:
    """Complete `status` and `is_active` from each other. `is_active` false pauses an active streak."""
    changes = dict(changes)
    if "status" in changes:
        changes["is_active"] = changes["status"] == Status.ACTIVE
    elif "is_active" in changes:
        inactive = Status.PAUSED if status == Status.ACTIVE else status
        changes["status"] = Status.ACTIVE if changes["is_active"] else inactive
    return changes


def set_status(streak: Streak, *, tenant: Tenant, status: str, now: datetime) -> Streak:
    """Activate, pause or archive a streak. Counts of participants stay. While it is not active, nothing ticks and nothing breaks."""
    return update_streak(streak, tenant=tenant, changes={"status": status}, now=now)


@transaction.atomic
def pause(streak: Streak, *, tenant: Tenant, now: datetime, dry_run: bool = False) -> Streak:
    """Pause an active streak. A paused one stays paused.

    Raises: StreakInactive for any other status.
    """
    streak = _lock(streak)
    if streak.status not in {Status.ACTIVE, Status.PAUSED}:
        raise StreakInactive(streak.code)
    return streak if dry_run else set_status(streak, tenant=tenant, status=Status.PAUSED, now=now)


@transaction.atomic
def resume(streak: Streak, *, tenant: Tenant, now: datetime, dry_run: bool = False) -> Streak:
    """Activate a paused streak. An active one stays active.

    Raises: StreakNotPaused for any other status.
    """
    streak = _lock(streak)
    if streak.status not in {Status.ACTIVE, Status.PAUSED}:
        raise StreakNotPaused(streak.code)
    return streak if dry_run else set_status(streak, tenant=tenant, status=Status.ACTIVE, now=now)


@transaction.atomic
def archive(streak: Streak, *, tenant: Tenant, now: datetime, dry_run: bool = False) -> Streak:
    """Archive a streak with any status."""
    streak = _lock(streak)
    return streak if dry_run else set_status(streak, tenant=tenant, status=Status.ARCHIVED, now=now)


def _switch(streak: Streak, status: str, *, now: datetime) -> dict[str, Any]:
    """Begin or end the pause that belongs to a change of status. The end of a pause starts a review."""
    if status == Status.ACTIVE:
        StreakPause.objects.filter(tenant_id=streak.tenant_id, streak=streak, ended_at=None).update(ended_at=now)
        return _to_review(now)
    if streak.status == Status.ACTIVE:
        pause = StreakPause(tenant_id=streak.tenant_id, streak=streak, began_at=now)
        pause.attribute_to(current_actor())
        pause.save(force_insert=True)
    return {}


def _to_review(now: datetime) -> dict[str, Any]:
    return {"review_due_at": now, "review_cursor": None}


def end_terms_before_zone_change(tenant: Tenant, now: datetime) -> None:
    """Store the current terms of streaks that follow the tenant's zone as past ones, before the zone changes.

    Terms are the periods, condition and grace of a streak. Counts are carried over to the new zone.
    """
    following = list(Streak.objects.select_for_update().of(tenant).in_zone_of_tenant().order_by("id"))
    zone = _zone_of(tenant)
    for streak in following:
        _end_terms(streak, zone=zone, now=now)
        Streak.objects.filter(pk=streak.pk).update(revision=streak.revision + 1, **_to_review(now))


def _zone_of(tenant: Tenant) -> str:
    """The tenant's current zone. Call it after locking streaks, as a change of the zone does; the caller's tenant may be stale."""
    return Tenant.objects.values_list("timezone", flat=True).get(pk=tenant.pk)


def _end_terms(streak: Streak, *, zone: str, now: datetime) -> None:
    StreakRevision.objects.create(
        tenant_id=streak.tenant_id,
        streak=streak,
        number=streak.revision,
        tenant_timezone=zone,
        ended_at=now,
        **{name: getattr(streak, name) for name in TERMS},
    )
