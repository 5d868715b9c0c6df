"""What a key opens."""

from typing import Any, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from participants.errors import DomainError
from participants.models import ApiKey
from participants.models.callers import Caller
from participants.models.keys import Scope


def key_of(request: Request) -> ApiKey:
    """The key that authentication found; DRF's types know tokens of its own only."""
    return cast("ApiKey", request.auth)


def caller_of(request: Request) -> Caller:
    """The key, or the secret that the request is signed with."""
    return cast("Caller", request.auth)


class ScopeMissing(DomainError):
    code = "forbidden"
    status = 403

    def __init__(self) -> None:
        super().__init__("API key requires 'admin' scope")


class HasKey(BasePermission):
    """Any active key, which authentication has seen to."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, ApiKey)


class HasCaller(BasePermission):
    """Any active key or standing secret, which authentication has seen to."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, Caller)


class HasAdminScope(BasePermission):
    """A key with the `admin` or `gamify:admin` scope."""

    scopes: tuple[str, ...] = (Scope.ADMIN, Scope.GAMIFY_ADMIN)
    roles = (Scope.ADMIN.value,)  # what the OpenAPI document names

    def has_permission(self, request: Request, view: Any) -> bool:
        if not key_of(request).has_scope(*self.scopes):
            raise ScopeMissing
        return True
