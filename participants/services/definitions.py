"""Creates and changes definitions of all kinds. The version of the catalog grows, and the change is recorded, in the same transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.db import IntegrityError, transaction

from participants.catalog import bump_catalog_version
from participants.errors import DomainError
from participants.models import Tenant
from participants.models.definitions import Definition
from participants.services.changes import record_new_definition, record_new_version

D = TypeVar("D", bound=Definition)


class CodeConflict(DomainError):
    """The tenant already has a definition with this code. `noun` is what the dialect calls it: badge, tier, streak, reward."""

    def __init__(self, noun: str, code: str) -> None:
        message = f"{noun.capitalize()} with code '{code}' already exists"
        super().__init__(message, code=f"{noun}_code_conflict")


def create_definition(model: type[D], *, noun: str, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> D:
    """Create a definition of `tenant`. Raises CodeConflict, even if another request took the code meanwhile."""
    row = model(tenant=tenant, created_at=now, updated_at=now, **data)
    try:
        with transaction.atomic():
            # First, so that two requests for one code wait for each other here. Later they could deadlock.
            bump_catalog_version(tenant)
            row.save(force_insert=True)
            record_new_definition(row, now=now)
    except IntegrityError as error:
        if _is_code_conflict(error):
            raise CodeConflict(noun, row.code) from error
        raise
    return row


def _is_code_conflict(error: IntegrityError) -> bool:
    """Whether `error` means that the code is taken. PostgreSQL's error names the constraint, SQLite's names the columns."""
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    return str(constraint or error).endswith(("_code_unique", ".code"))


@transaction.atomic
def update_definition(row: D, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime) -> D:
    """Set only the fields in `changes`, so that two concurrent edits of different fields do not undo each other."""
    if write_changes(row, changes=changes, now=now):
        bump_catalog_version(tenant)
    return row


def write_changes(row: Definition, *, changes: Mapping[str, Any], now: datetime) -> bool:
    """Write the fields whose value changes. Returns whether there are any; the caller then calls `bump_catalog_version`."""
    changes = {name: value for name, value in changes.items() if getattr(row, name) != value}
    if not changes:
        return False
    before = {name: getattr(row, name) for name in changes}
    for name, value in changes.items():
        setattr(row, name, value)
    row.updated_at = now
    row.save(update_fields=[*changes, "updated_at"])
    record_new_version(row, before=before, now=now)
    return True
