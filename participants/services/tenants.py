"""Creates and changes tenants together with their sandboxes."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from zoneinfo import available_timezones

from django.db import IntegrityError, transaction

from participants.catalog import bump_catalog_version
from participants.engine import slug_problem
from participants.errors import DomainError, InvalidInput, NotFound
from participants.models import Tenant
from participants.models.tenants import Environment
from participants.registries import Registry
from participants.services.changes import Changes, created, record_change, updated


class TenantSlugConflict(DomainError):
    code = "tenant_slug_conflict"
    text = "Tenant with slug '{}' already exists"


class TenantNotFound(NotFound):
    code = "tenant_not_found"
    noun = "Tenant"


@transaction.atomic
def create_tenant(*, slug: str, name: str, timezone: str = "UTC", now: datetime) -> Tenant:
    """Create a live tenant and its sandbox. Returns the live tenant. Raises InvalidInput or TenantSlugConflict."""
    if problem := slug_problem(slug):
        raise InvalidInput("slug", problem)
    check_timezone(timezone)
    if Tenant.objects.filter(slug=slug).exists():
        raise TenantSlugConflict(slug)
    shared = {"slug": slug, "name": name, "timezone": timezone, "created_at": now, "updated_at": now}
    try:
        with transaction.atomic():
            live = Tenant.objects.create(environment=Environment.LIVE, **shared)
    except IntegrityError as error:  # created meanwhile by another process
        raise TenantSlugConflict(slug) from error
    Tenant.objects.create(environment=Environment.SANDBOX, live=live, **shared)
    _record(live, created(live, "slug", "name", "timezone"), now=now)
    return live


def check_timezone(name: str) -> None:
    """Raise InvalidInput unless `name` is an IANA time zone."""
    if not is_timezone(name):
        raise InvalidInput("timezone", f"'{name}' is not an IANA time zone.")


def is_timezone(name: str) -> bool:
    """Whether `name` is an IANA time zone."""
    return name in timezone_names()


@cache
def timezone_names() -> set[str]:
    """Zone names that mean the same on every machine, so without `localtime`."""
    return available_timezones() - {"localtime", "Factory"}


@transaction.atomic
def set_tenant_status(*, slug: str, is_active: bool, now: datetime) -> Tenant:
    """Enable or disable a tenant together with its sandbox. Returns the live tenant. Raises TenantNotFound."""
    tenants = Tenant.objects.filter(slug=slug)
    changed = list(tenants.exclude(is_active=is_active).select_for_update())
    if not tenants.update(is_active=is_active, updated_at=now):
        raise TenantNotFound(slug)
    for tenant in changed:
        _record(tenant, {"is_active": {"before": tenant.is_active, "after": is_active}}, now=now)
    return tenants.live().get()


before_tenant_zone_change: Registry[Callable[[Tenant, datetime], object]] = Registry("Tenant zone handler")
"""Functions that are called with (tenant before the change, now) before a tenant's time zone changes, in the same transaction."""

CURRENCY = re.compile("[A-Z]{3}")

EDITABLE = (
    "name",
    "timezone",
    "participant_writes_per_minute",
    "key_requests_per_minute",
    "requires_second_factor",
    "point_value",
    "point_currency",
    "support_points_per_day",
    "updated_at",
)


@transaction.atomic
def update_tenant(tenant: Tenant, *, now: datetime) -> Tenant:
    """Save the EDITABLE fields of `tenant`. Raises InvalidInput for an unknown zone, and for half of a point's value.

    Definitions are compiled with the tenant's zone, so the catalog gets a new version.
    """
    check_timezone(tenant.timezone)
    _check_point_value(tenant)
    # The tenant is not locked here, because the handlers and all changes of definitions lock definitions first, then the tenant.
    before = Tenant.objects.get(pk=tenant.pk)
    if before.timezone != tenant.timezone:
        for handle in before_tenant_zone_change.values():
            handle(before, now)
    tenant.updated_at = now
    tenant.save(update_fields=EDITABLE)  # without catalog_version, which another process may have raised
    bump_catalog_version(tenant)
    _record(
        tenant, updated({name: getattr(before, name) for name in EDITABLE if name != "updated_at"}, tenant), now=now
    )
    return tenant


def _check_point_value(tenant: Tenant) -> None:
    """Raise InvalidInput unless the value of a point is a positive number of a currency, or nothing at all."""
    value, currency = tenant.point_value, tenant.point_currency
    if value is not None and value <= 0:
        raise InvalidInput(
            "point_value", f"must be greater than 0; got {value}. Leave it empty if a point has no value."
        )
    if currency is not None and not CURRENCY.fullmatch(currency):
        raise InvalidInput("point_currency", f"must be three capital letters, such as EUR; got '{currency}'.")
    if (value is None) != (currency is None):
        missing = "point_value" if value is None else "point_currency"
        raise InvalidInput(missing, "is missing: the value of a point needs a number and a currency.")


def _record(tenant: Tenant, changes: Changes, *, now: datetime) -> None:
    record_change(tenant, object_type="tenant", code=tenant.slug, changes=changes, tenant_id=tenant.pk, now=now)
