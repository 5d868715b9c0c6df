"""Base classes of the endpoints of the Phoenix dialect: the tenant of the path, and the permissions of both gateways."""

from functools import cached_property
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from participants import selectors
from participants.api.authentication import KeyAuthentication
from participants.api.permissions import HasAdminScope, HasCaller, HasKey, caller_of
from participants.api.signatures import SignatureAuthentication
from participants.api.views import KeyViewSet
from participants.database import enter_tenant
from participants.errors import DomainError, TenantUnavailable
from participants.models import ApiKey, Tenant
from participants.models.callers import Caller, noun_of
from participants.models.keys import Scope
from participants.services.tenants import TenantNotFound


class TenantForbidden(DomainError):
    """The path names another tenant than the caller's. The answer is the same whether that tenant exists or not."""

    code = "forbidden"
    status = 403

    def __init__(self, caller: str = "API key") -> None:
        super().__init__(f"{caller} lacks access to the specified tenant")


class MayUseTenant(BasePermission):
    """Allows paths that name the caller's tenant, or no tenant."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(view.tenant.is_active)  # reading `view.tenant` raises the right error


class HasGatewayScope(HasAdminScope):
    """Allows admin keys, which manage their own tenant, and platform keys, which manage all tenants."""

    scopes = (*HasAdminScope.scopes, Scope.PLATFORM)


class PhoenixQueryViewSet(KeyViewSet):
    """Base of endpoints that accept any active key and partner signatures. Their path may contain a `tenant_id`."""

    authentication_classes = [SignatureAuthentication, KeyAuthentication]
    permission_classes = [HasCaller, MayUseTenant]
    participant_name = "user_id"

    @cached_property
    def tenant(self) -> Tenant:
        """The tenant of the request.

        Raises: TenantForbidden, TenantNotFound, TenantUnavailable.
        """
        tenant = tenant_of_path(caller_of(self.request), self.kwargs.get("tenant_id"))
        enter_tenant(tenant.pk)
        return tenant

    @property
    def is_platform(self) -> bool:
        """Whether the caller may use the paths of every tenant."""
        return _is_platform(caller_of(self.request))


class PhoenixAdminViewSet(PhoenixQueryViewSet):
    """Base of endpoints that need an admin key or a platform key. Signatures are not accepted."""

    authentication_classes = [KeyAuthentication]
    permission_classes: list[Any] = [HasKey, HasGatewayScope, MayUseTenant]


def tenant_of_path(caller: Caller, name: str | None) -> Tenant:
    """Return the tenant with this `name` in the path; without a name, the caller's tenant.

    A sandbox caller gets the sandbox of the named tenant, a live caller its live row.

    Raises: TenantForbidden. For a platform key, which may use every tenant: TenantNotFound, TenantUnavailable.
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
