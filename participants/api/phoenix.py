"""What every endpoint of the Phoenix dialect shares: whose tenant the path names, and what opens either gateway."""

from functools import cached_property
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from participants import selectors
from participants.api.authentication import KeyAuthentication
from participants.api.permissions import HasAdminScope, HasCaller, HasKey, caller_of
from participants.api.signatures import SignatureAuthentication
from participants.api.views import KeyViewSet
from participants.errors import DomainError, TenantUnavailable
from participants.models import ApiKey, Tenant
from participants.models.callers import Caller, noun_of
from participants.models.keys import Scope
from participants.services.tenants import TenantNotFound


class TenantForbidden(DomainError):
    """The path names a tenant that is not the caller's. The same whether that tenant exists or not."""

    code = "forbidden"
    status = 403

    def __init__(self, caller: str = "API key") -> None:
        super().__init__(f"{caller} lacks access to the specified tenant")


class MayUseTenant(BasePermission):
    """The path names a tenant that is the caller's, or names none."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(view.tenant.is_active)  # asking for it raises what is to be answered


class HasGatewayScope(HasAdminScope):
    """A key that manages its own tenant, or a platform's, which manages all."""

    scopes = (*HasAdminScope.scopes, Scope.PLATFORM)


class PhoenixQueryViewSet(KeyViewSet):
    """Endpoints that any active key and any partner's signature open, under a path that may name a `tenant_id`."""

    authentication_classes = [SignatureAuthentication, KeyAuthentication]
    permission_classes = [HasCaller, MayUseTenant]
    participant_name = "user_id"

    @cached_property
    def tenant(self) -> Tenant:
        """The row that the path means. Raises TenantForbidden, TenantNotFound or TenantUnavailable."""
        return tenant_of_path(caller_of(self.request), self.kwargs.get("tenant_id"))

    @property
    def is_platform(self) -> bool:
        """Whether the caller may use the paths of every tenant."""
        return _is_platform(caller_of(self.request))


class PhoenixAdminViewSet(PhoenixQueryViewSet):
    """Endpoints that need a key with the admin scope, or a platform's. Signatures are not looked at."""

    authentication_classes = [KeyAuthentication]
    permission_classes: list[Any] = [HasKey, HasGatewayScope, MayUseTenant]


def tenant_of_path(caller: Caller, name: str | None) -> Tenant:
    """The row, live or twin as the caller is, that `name` of the path means; without a name the caller's own.

    Raises TenantForbidden; for a platform key, which may use every tenant, TenantNotFound or TenantUnavailable.
    """
    if name is None or caller.tenant.is_named(name):
        return caller.tenant
    if not _is_platform(caller):
        raise TenantForbidden(noun_of(caller))
    tenant = selectors.tenant_by_name(name, sandbox=caller.tenant.is_sandbox)
    if tenant is None:
        raise TenantNotFound(name)
    if not tenant.is_active:
        raise TenantUnavailable
    return tenant


def _is_platform(caller: Caller) -> bool:
    return isinstance(caller, ApiKey) and caller.has_scope(Scope.PLATFORM)
