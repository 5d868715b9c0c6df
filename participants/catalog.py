"""The catalog: a tenant's definitions, compiled once and cached in the process until a definition changes.

Definitions are read by every request and change rarely. Code that changes a definition calls `bump_catalog_version` in the same
transaction. The version is on the tenant row, which authentication reads anyway. So every process notices a stale catalog with its
next request, without a query of its own.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from copy import copy
from threading import Lock
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import F

from participants.models import Tenant
from participants.registries import Registry

MAX_TENANTS = 10_000
NEVER_STALE = 2**62  # a version that no tenant reaches
PIN = "_catalog"  # attribute of the tenant instance, so that a whole request uses one catalog

T = TypeVar("T")

catalog_parts: Registry[Callable[[Tenant], Any]] = Registry("Catalog part")


class Catalog:
    """One tenant's definitions at one version. Each part is loaded and compiled on first use."""

    def __init__(self, tenant: Tenant) -> None:
        self.version = tenant.catalog_version
        self.tenant = tenant
        self._parts: dict[str, Any] = {}
        self._derived: dict[Hashable, Any] = {}

    def part(self, name: str) -> Any:
        """Return the compiled part that a domain registered as `name`. Raises LookupError for an unknown name."""
        if name not in self._parts:
            self._parts[name] = catalog_parts[name](self.tenant)
        return self._parts[name]

    def derive(self, key: Hashable, make: Callable[["Catalog"], T]) -> T:
        """Return what `make(catalog)` derives from the parts. It is computed once per catalog and `key`."""
        if key not in self._derived:
            self._derived[key] = make(self)
        derived: T = self._derived[key]
        return derived


Part = TypeVar("Part")


class CatalogPart(Generic[Part]):
    """Declares a part of the catalog: `part(catalog)` returns what `load(tenant)` loaded and compiled."""

    def __init__(self, name: str, load: Callable[[Tenant], Part]) -> None:
        self._name, self._load = name, load

    def __call__(self, catalog: Catalog) -> Part:
        part: Part = catalog.part(self._name)
        return part

    def register(self) -> None:
        """Called when the apps are loaded."""
        catalog_parts.register(self._name, self._load)


_catalogs: dict[UUID, Catalog] = {}
_lock = Lock()


def catalog_of(tenant: Tenant) -> Catalog:
    """Return the catalog for the version on `tenant`, an instance that must have been read in this request."""
    pinned: Catalog | None = tenant.__dict__.get(PIN)
    if pinned is None or pinned.version != tenant.catalog_version:
        pinned = tenant.__dict__[PIN] = _cached_catalog(tenant)
    return pinned


def _cached_catalog(tenant: Tenant) -> Catalog:
    catalog = _catalogs.get(tenant.pk)
    if catalog is None or catalog.version != tenant.catalog_version:
        catalog = _put(Catalog(tenant))
    return catalog


def _put(catalog: Catalog) -> Catalog:
    """Cache `catalog` for later requests, unless a newer version is cached already."""
    with _lock:
        cached = _catalogs.get(catalog.tenant.pk)
        if cached is not None and cached.version > catalog.version:
            return catalog
        if len(_catalogs) >= MAX_TENANTS:
            _catalogs.pop(next(iter(_catalogs)))
        _catalogs[catalog.tenant.pk] = catalog
    return catalog


def with_fixed_catalog(tenant: Tenant) -> Tenant:
    """Return a copy of `tenant` with a catalog of its definitions as they are stored now. No later change makes it stale.

    All parts are loaded now, so the transaction that changed the definitions can be rolled back afterwards.
    """
    fixed = copy(tenant)
    fixed.catalog_version = NEVER_STALE
    catalog = fixed.__dict__[PIN] = Catalog(fixed)
    for name in catalog_parts:
        catalog.part(name)
    return fixed


def forget_catalog(tenant: Tenant) -> None:
    """Drop the cached catalog. Call it after a transaction that read a catalog which it may have rolled back."""
    with _lock:
        _catalogs.pop(tenant.pk, None)


_bumps: Counter[UUID] = Counter()


def bumps_of(tenant_id: UUID) -> int:
    """Return how often this process has called `bump_catalog_version` for a tenant. Rows of the tenant from before are stale."""
    return _bumps[tenant_id]


def bump_catalog_version(tenant: Tenant) -> None:
    """Make the cached catalogs of all processes stale. Call it in the transaction that changes a definition of `tenant`."""
    _bumps[tenant.pk] += 1
    Tenant.objects.filter(pk=tenant.pk).update(catalog_version=F("catalog_version") + 1)
