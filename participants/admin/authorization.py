"""Who may do what in the console, and in which tenant (docs/decisions/0034).

Superusers may do everything. Permissions of Django, given to a user or through a group, hold in all tenants. Roles hold in the tenants
of the user's memberships. `RoleBackend` answers `user.has_perm` from the role, so Django's own checks and templates need no other code.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import PermissionDenied
from django.db.models import Model

from participants.database import all_tenants
from participants.models import Capability, Membership, Role, Tenant
from participants.registries import Registry

ROLES_MEMO = "_roles_by_tenant"
PICKED_TENANT = "picked_tenant"
"""Attribute of the user of a request: a function that returns the picked tenant."""

View = Callable[..., Any]

Declared = tuple[str, Capability]
"""A permission of Django, and the capability with which a role has it."""


# --- what pages declare -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The capabilities that the pages of a model need. None: the page is closed to everybody, whatever their permissions."""

    view: Capability
    add: Capability | None = None
    change: Capability | None = None
    delete: Capability | None = None

    def declared(self, model: type[Model]) -> Iterator[Declared]:
        for action in fields(self):
            capability = getattr(self, action.name)
            if capability is not None:
                yield permission_to(action.name, model), capability


def permission_to(action: str, model: type[Model]) -> str:
    return f"{model._meta.app_label}.{action}_{model._meta.model_name}"


@dataclass(frozen=True)
class PageNeed:
    """What a page that belongs to no model needs: to open it, and to send its form."""

    to_open: Declared
    to_send: Declared

    def of(self, method: str | None) -> Declared:
        return self.to_send if method == "POST" else self.to_open


page_needs: Registry[PageNeed] = Registry("Console page")
"""The needs of pages that belong to no model, by the name of the function that answers them (`base.console_page`)."""


def declares(permission: str, capability: Capability) -> Callable[[View], View]:
    """Decorate a method that answers a page: it checks the permission itself."""

    def declare(view: View) -> View:
        vars(view)["need"] = PageNeed((permission, capability), (permission, capability))
        return view

    return declare


# --- answers ----------------------------------------------------------------------------------------------------------


def may(user: Any, permission: str, capability: Capability) -> bool:
    """Whether `user` has the permission, or a role with the capability in the picked tenant."""
    return bool(user.has_perm(permission)) or capability in capabilities_of(user)


def require(user: Any, permission: str, capability: Capability) -> None:
    """Raises: PermissionDenied."""
    if not may(user, permission, capability):
        raise PermissionDenied


def capabilities_of(user: Any) -> frozenset[Capability]:
    """Return what the role of `user` in the picked tenant allows. Empty outside a request of the console."""
    picked = getattr(user, PICKED_TENANT, None)
    tenant = picked() if picked is not None else None
    role = None if tenant is None else role_in(user, tenant)
    return frozenset() if role is None else role.capabilities


def role_in(user: Any, tenant: Tenant) -> Role | None:
    """Return the role of `user` in `tenant`; for a sandbox without a membership of its own, the one in its live tenant."""
    roles = _roles_of(user)
    return roles.get(tenant.pk) if tenant.pk in roles else roles.get(tenant.live_id)  # type: ignore[arg-type]  # null is no key


def _roles_of(user: Any) -> Mapping[UUID, Role | None]:
    """Return the roles by tenant, read once per request."""
    if not hasattr(user, ROLES_MEMO):
        with all_tenants():
            roles = {each.tenant_id: each.granted for each in Membership.objects.filter(user=user.pk)}
        setattr(user, ROLES_MEMO, roles)
    found: Mapping[UUID, Role | None] = getattr(user, ROLES_MEMO)
    return found


class RoleBackend(BaseBackend):
    """Grants a permission if the role has every capability with which pages declare it.

    `obj` is a tenant, or a row with one; without it, the tenant is the picked one.
    """

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        needed = declared_capabilities().get(perm)
        return bool(user_obj.is_active and needed and needed <= _capabilities_about(user_obj, obj))

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return any(
            perm.startswith(f"{app_label}.") and self.has_perm(user_obj, perm) for perm in declared_capabilities()
        )


def _capabilities_about(user: Any, row: Any) -> frozenset[Capability]:
    if row is None:
        return capabilities_of(user)
    role = role_in(user, row if isinstance(row, Tenant) else row.tenant)
    return frozenset() if role is None else role.capabilities


@cache
def declared_capabilities() -> Mapping[str, frozenset[Capability]]:
    """Return, for each permission that a page declares, the capabilities with which pages declare it."""
    found: dict[str, set[Capability]] = {}
    for permission, capability in _declared():
        found.setdefault(permission, set()).add(capability)
    return {permission: frozenset(capabilities) for permission, capabilities in found.items()}


def _declared() -> Iterable[Declared]:
    for model in filter(admin.site.is_registered, apps.get_models()):
        model_admin: Any = admin.site.get_model_admin(model)  # a ConsoleAdmin
        yield from model_admin.declared()
    for need in page_needs.values():
        yield from (need.to_open, need.to_send)
