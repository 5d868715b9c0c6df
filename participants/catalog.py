"""What a tenant has defined, compiled once and kept in the process until a definition changes.

Definitions are read on every request and change rarely. The tenant row, which authentication reads anyway, carries
`catalog_version`; whoever changes a definition calls `bump_catalog_version` in the same transaction, so that every
process notices a stale snapshot on its next request, without a query of its own.
"""

from collections.abc import Callable
from threading import Lock
from typing import Any
from uuid import UUID

from django.db.models import F

from participants.models import Tenant
from participants.registries import Registry

MAX_TENANTS = 10_000
PIN = "_catalog"  # on the tenant row of a request: all of the request decides by one snapshot

catalog_parts: Registry[Callable[[Tenant], Any]] = Registry("Catalog part")


class Catalog:
    """One tenant's definitions at one version; each part is loaded and compiled on first use."""

    def __init__(self, tenant: Tenant) -> None:
        self.version = tenant.catalog_version
        self.tenant = tenant
        self._parts: dict[str, Any] = {}

    def part(self, name: str) -> Any:
        """The compiled part that a domain registered under `name`. Raises LookupError for an unknown one."""
        if name not in self._parts:
            self._parts[name] = catalog_parts[name](self.tenant)
        return self._parts[name]


_catalogs: dict[UUID, Catalog] = {}
_lock = Lock()


def catalog_of(tenant: Tenant) -> Catalog:
    """The snapshot that belongs to the version on `tenant`, which must have been read in this request."""
    pinned: Catalog | None = tenant.__dict__.get(PIN)
    if pinned is None or pinned.version != tenant.catalog_version:
        pinned = tenant.__dict__[PIN] = _shared(tenant)
    return pinned


def _shared(tenant: Tenant) -> Catalog:
    catalog = _catalogs.get(tenant.pk)
    if catalog is None or catalog.version != tenant.catalog_version:
        catalog = _keep(Catalog(tenant))
    return catalog


def _keep(catalog: Catalog) -> Catalog:
    """For later requests, unless one of them has read a newer version already."""
    with _lock:
        kept = _catalogs.get(catalog.tenant.pk)
        if kept is not None and kept.version > catalog.version:
            return catalog
        if len(_catalogs) >= MAX_TENANTS:
            _catalogs.pop(next(iter(_catalogs)))
        _catalogs[catalog.tenant.pk] = catalog
    return catalog


def bump_catalog_version(tenant: Tenant) -> None:
    """Make every process notice; call it in the transaction that changes a definition of `tenant`."""
    Tenant.objects.filter(pk=tenant.pk).update(catalog_version=F("catalog_version") + 1)
