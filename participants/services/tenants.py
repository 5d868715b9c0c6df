"""Tenants and their sandbox twins."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from zoneinfo import available_timezones

from django.db import IntegrityError, transaction

from participants.catalog import bump_catalog_version
from participants.engine import slug_problem
from participants.errors import DomainError, InvalidInput
from participants.models import Tenant
from participants.models.tenants import Environment
from participants.registries import Registry


class TenantSlugConflict(DomainError):
    code = "tenant_slug_conflict"

    def __init__(self, slug: str) -> None:
        super().__init__(f"Tenant with slug '{slug}' already exists")


class TenantNotFound(DomainError):
    code = "tenant_not_found"
    status = 404

    def __init__(self, slug: str) -> None:
        super().__init__(f"Tenant not found: {slug}")


@transaction.atomic
def create_tenant(*, slug: str, name: str, timezone: str = "UTC", now: datetime) -> Tenant:
    """Create a live tenant and its sandbox twin; answers the live one. Raises InvalidInput or TenantSlugConflict."""
    if problem := slug_problem(slug):
        raise InvalidInput("slug", problem)
    check_timezone(timezone)
    if Tenant.objects.filter(slug=slug).exists():
        raise TenantSlugConflict(slug)
    shared = {"slug": slug, "name": name, "timezone": timezone, "created_at": now, "updated_at": now}
    try:
        with transaction.atomic():
            live = Tenant.objects.create(environment=Environment.LIVE, **shared)
    except IntegrityError as error:  # made meanwhile
        raise TenantSlugConflict(slug) from error
    Tenant.objects.create(environment=Environment.SANDBOX, live=live, **shared)
    return live


def check_timezone(name: str) -> None:
    """Raise InvalidInput unless `name` is an IANA zone."""
    if not is_timezone(name):
        raise InvalidInput("timezone", f"'{name}' is not an IANA time zone.")


def is_timezone(name: str) -> bool:
    """Whether `name` is an IANA zone."""
    return name in _zones()


@cache
def _zones() -> set[str]:
    """Names that mean the same on every machine; `localtime` does not."""
    return available_timezones() - {"localtime", "Factory"}


@transaction.atomic
def set_tenant_status(*, slug: str, is_active: bool, now: datetime) -> Tenant:
    """Enable or disable a tenant together with its twin; answers the live one. Raises TenantNotFound."""
    tenants = Tenant.objects.filter(slug=slug)
    if not tenants.update(is_active=is_active, updated_at=now):
        raise TenantNotFound(slug)
    return tenants.live().get()


before_tenant_zone_change: Registry[Callable[[Tenant, datetime], object]] = Registry("Zone change")
"""What each domain does before a tenant's zone changes, in its transaction: (the tenant as it was, the instant)."""

EDITABLE = ("name", "timezone", "participant_writes_per_minute", "key_requests_per_minute", "updated_at")


@transaction.atomic
def update_tenant(tenant: Tenant, *, now: datetime) -> Tenant:
    """Save what was edited on `tenant`. Its zone is part of how definitions are read. Raises InvalidInput."""
    check_timezone(tenant.timezone)
    # Not locked yet: whoever changes a definition locks that before the tenant, and so do those who prepare.
    before = Tenant.objects.get(pk=tenant.pk)
    if before.timezone != tenant.timezone:
        for prepare in before_tenant_zone_change.values():
            prepare(before, now)
    tenant.updated_at = now
    tenant.save(update_fields=EDITABLE)  # never the version: another process may have raised it meanwhile
    bump_catalog_version(tenant)
    return tenant
