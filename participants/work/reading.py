"""The one way to read a tenant's data outside a unit of work."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from participants.models import Tenant


@contextmanager
def reading(tenant: Tenant) -> Iterator[Tenant]:
    """Bind `tenant` to what is read in the block: its log lines now, row-level security when that is switched on."""
    with structlog.contextvars.bound_contextvars(tenant=tenant.slug, environment=tenant.environment):
        yield tenant
