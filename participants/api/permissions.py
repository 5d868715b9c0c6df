"""Permissions of callers: scopes of keys, and signatures."""

from typing import Any, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from participants.errors import DomainError
from participants.models import ApiKey
from participants.models.callers import Caller
from participants.models.keys import Scope


def key_of(request: Request) -> ApiKey:
    """Return the API key of the request. The cast is needed because DRF types `auth` as its own Token."""
    return cast("ApiKey", request.auth)


def caller_of(request: Request) -> Caller:
    """Return the API key of the request, or the secret that it is signed with."""
    return cast("Caller", request.auth)


class ScopeMissing(DomainError):
    code = "forbidden"
    status = 403
    text = "API key requires '{}' scope"

    def __init__(self, scope: str = Scope.ADMIN) -> None:
        super().__init__(scope)


class HasKey(BasePermission):
    """Allows any API key. Authentication has checked that it is active."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, ApiKey)


class HasCaller(BasePermission):
    """Allows any API key or partner secret. Authentication has checked that it is active."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, Caller)


class HasAdminScope(BasePermission):
    """Allows keys with the scope `admin` or `gamify:admin`."""

    scopes: tuple[str, ...] = (Scope.ADMIN, Scope.GAMIFY_ADMIN)
    roles = (Scope.ADMIN.value,)  # shown in the OpenAPI document

    def has_permission(self, request: Request, view: Any) -> bool:
        if not key_of(request).has_scope(*self.scopes):
            raise ScopeMissing
        return True
