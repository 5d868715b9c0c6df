"""Which tenant's rows the statements of this thread may see, where the database separates tenants (docs/decisions/0030).

The scope is a context variable. `fence` tells PostgreSQL about it together with the statements. On SQLite, and on PostgreSQL without
a role of the application, the scope has no effect.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from uuid import UUID


class Reach(Enum):
    OUTSIDE = "outside"
    """Outside requests, tasks and commands: the rights of the login role. The application's role then sees nothing."""
    NOTHING = "nothing"
    TENANT = "tenant"
    ALL = "all"


@dataclass(frozen=True)
class Scope:
    """`tenant` is the id of the tenant, or empty."""

    reach: Reach
    tenant: str = ""


OUTSIDE = Scope(Reach.OUTSIDE)
_NOTHING = Scope(Reach.NOTHING)
_ALL = Scope(Reach.ALL)

current_scope: ContextVar[Scope] = ContextVar("gamify_scope", default=OUTSIDE)


@contextmanager
def tenant_scope(tenant_id: UUID) -> Iterator[None]:
    """The statements of the block see the rows of one tenant."""
    with _scope(Scope(Reach.TENANT, str(tenant_id))):
        yield


@contextmanager
def all_tenants() -> Iterator[None]:
    """The statements of the block see the rows of all tenants. Only for questions that are about all tenants, such as whose key it is."""
    with _scope(_ALL):
        yield


@contextmanager
def no_tenant() -> Iterator[None]:
    """The statements of the block see no tenant's rows, until `enter_tenant` or an inner block sets another scope."""
    with _scope(_NOTHING):
        yield


def enter_tenant(tenant_id: UUID) -> None:
    """The rest of the surrounding block, such as `no_tenant`, sees the rows of one tenant."""
    current_scope.set(Scope(Reach.TENANT, str(tenant_id)))


@contextmanager
def _scope(scope: Scope) -> Iterator[None]:
    token = current_scope.set(scope)
    try:
        yield
    finally:
        current_scope.reset(token)
