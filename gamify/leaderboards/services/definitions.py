"""Create and change leaderboards. A board that measures something else is filled again."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from gamify.facts.services import board_metrics
from gamify.leaderboards.models import Leaderboard
from gamify.leaderboards.services.building import TRACK_FIELDS, begin_track
from gamify.leaderboards.services.waking import wake_builder
from participants.errors import FieldError, InvalidInput, NotFound
from participants.models import Tenant
from participants.services.definitions import create_definition, update_definition
from participants.services.tenants import check_timezone

NOUN = "leaderboard"
MEASURING = ("metric", "selector", "timezone", "participant_filter")


class LeaderboardNotFound(NotFound):
    """`board` is the code or id in the request. An inactive board is not found either, because its scores are not updated."""

    code = "leaderboard_not_found"
    noun = "Leaderboard"


@transaction.atomic
def create_leaderboard(
    *, tenant: Tenant, data: Mapping[str, Any], now: datetime, checks_references: bool = True
) -> Leaderboard:
    """Create a board and start to fill it. Without a `timezone` in `data`, it has the tenant's zone.

    Raises:
        CodeConflict: another board of the tenant has this code.
        InvalidInput: the time zone is unknown, or the selector names a streak that the tenant does not have.
    """
    data = {"timezone": tenant.timezone, **data}
    _check(tenant, data, checks_references=checks_references)
    row = create_definition(Leaderboard, noun=NOUN, tenant=tenant, data=data, now=now)
    transaction.on_commit(partial(wake_builder, row.pk))
    return row


@transaction.atomic
def update_leaderboard(
    row: Leaderboard, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime, checks_references: bool = True
) -> Leaderboard:
    """Change a board. If it then measures something else, it starts a new track, which is filled in the background.

    Raises:
        InvalidInput: as for `create_leaderboard`.
    """
    _check(tenant, changes, checks_references=checks_references)
    if _needs_new_track(row, changes):
        # A worker moves the cursor of the old track meanwhile. Without the lock, its last step could survive on the new track.
        row.refresh_from_db(fields=TRACK_FIELDS, from_queryset=Leaderboard.objects.select_for_update())
        begin_track(fresh := Leaderboard())
        changes = {**changes, **{name: getattr(fresh, name) for name in TRACK_FIELDS}}
        transaction.on_commit(partial(wake_builder, row.pk))
    return update_definition(row, tenant=tenant, changes=changes, now=now)


def _needs_new_track(row: Leaderboard, changes: Mapping[str, Any]) -> bool:
    """Whether the stored scores would be wrong after `changes`. An inactive board missed all changes, so they are too."""
    is_switched_on = changes.get("is_active", False) and not row.is_active
    return is_switched_on or any(getattr(row, name) != changes[name] for name in MEASURING if name in changes)


def _check(tenant: Tenant, data: Mapping[str, Any], *, checks_references: bool) -> None:
    if data.get("timezone"):
        check_timezone(data["timezone"])
    if checks_references and (problem := selector_problem(tenant, data)):
        raise InvalidInput(problem.field, problem.message)


def selector_problem(tenant: Tenant, data: Mapping[str, Any]) -> FieldError | None:
    """The problem of a well-formed selector, such as a streak that does not exist, or None."""
    if "metric" not in data:
        return None
    problem = board_metrics[data["metric"]].problem(tenant, data.get("selector") or {})
    return None if problem is None else FieldError(f"selector.{problem.field}", problem.message)
