"""The event types that a tenant's endpoints subscribe to, as a part of the catalog: reading them costs no query."""

from functools import cache
from typing import cast

from gamify.webhooks.engine.globs import is_wanted
from gamify.webhooks.models import Endpoint
from participants.catalog import Catalog, catalog_parts
from participants.models import Tenant

PART = "webhooks"


class WantedTypes:
    """The event types that any active endpoint of a tenant subscribes to."""

    def __init__(self, globs: frozenset[str]) -> None:
        self._globs = globs
        self.includes = cache(self._has)

    def _has(self, type_name: str) -> bool:
        return is_wanted(type_name, self._globs)


def wanted_types(catalog: Catalog) -> WantedTypes:
    return cast("WantedTypes", catalog.part(PART))


def _load(tenant: Tenant) -> WantedTypes:
    lists = Endpoint.objects.of(tenant).active().values_list("event_types", flat=True)
    return WantedTypes(frozenset(glob for globs in lists for glob in globs))


def register() -> None:
    catalog_parts.register(PART, _load)
