"""The only way to read a tenant's data outside a unit of work."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from participants.models import Tenant


@contextmanager
def reading(tenant: Tenant) -> Iterator[Tenant]:
    """Bind `tenant` to the block, so that all log lines in it name the tenant. Row-level security can be switched on here."""
    with structlog.contextvars.bound_contextvars(tenant=tenant.slug, environment=tenant.environment):
        yield tenant
