"""Gives, changes and takes the roles of users in tenants."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from participants.errors import DomainError, InvalidInput, NotFound
from participants.models import ROLES, Membership, Tenant
from participants.services.changes import Changes, record_change, updated

OBJECT_TYPE = "membership"


class AlreadyMember(DomainError):
    code = "already_member"
    text = "{} has a role in this tenant already"


class MembershipNotFound(NotFound):
    """The role was taken away a moment ago."""

    code = "membership_not_found"
    noun = "Role of user"


@transaction.atomic
def give_role(*, tenant: Tenant, user: Any, role: str, now: datetime) -> Membership:
    """Give `user` a role in `tenant`. Raises: InvalidInput, AlreadyMember."""
    _check_role(role)
    try:
        with transaction.atomic():
            row = Membership.objects.create(tenant=tenant, user=user, role=role, created_at=now)
    except IntegrityError as error:  # the user has a role here, perhaps since a moment ago
        raise AlreadyMember(user) from error
    _record(row, {"role": {"before": None, "after": role}}, now=now)
    return row


@transaction.atomic
def change_role(row: Membership, *, role: str, now: datetime) -> Membership:
    """Replace the role. Raises: InvalidInput, MembershipNotFound."""
    _check_role(role)
    locked = _locked(row)
    before = {"role": locked.role}
    locked.role = role
    locked.save(update_fields=["role"])
    _record(locked, updated(before, locked), now=now)
    return locked


@transaction.atomic
def take_role(row: Membership, *, now: datetime) -> None:
    """Take the role away. Raises: MembershipNotFound."""
    locked = _locked(row)
    _record(locked, {"role": {"before": locked.role, "after": None}}, now=now)
    locked.delete()


def _locked(row: Membership) -> Membership:
    """Read the role again under a lock: another owner may have changed it or taken it away. Raises: MembershipNotFound."""
    found = Membership.objects.select_for_update(of=("self",)).select_related("user").filter(pk=row.pk).first()
    if found is None:
        raise MembershipNotFound(row.user.get_username())
    return found


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise InvalidInput("role", f"Must be one of {', '.join(ROLES)}.")


def _record(row: Membership, changes: Changes, *, now: datetime) -> None:
    record_change(
        row,
        object_type=OBJECT_TYPE,
        code=row.user.get_username(),
        changes=changes,
        tenant_id=row.tenant_id,
        now=now,
    )
