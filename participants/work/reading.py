"""The only way to read a tenant's data outside a unit of work."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from participants.database import tenant_scope
from participants.models import Tenant


@contextmanager
def reading(tenant: Tenant) -> Iterator[Tenant]:
    """Bind `tenant` to the block: all log lines in it name the tenant, and its statements see no other tenant's rows."""
    tokens = structlog.contextvars.bind_contextvars(tenant=tenant.slug, environment=tenant.environment)
    try:
        with tenant_scope(tenant.pk):
            yield tenant
    finally:
        structlog.contextvars.reset_contextvars(**tokens)
