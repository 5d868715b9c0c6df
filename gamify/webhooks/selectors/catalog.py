"""The event types that a tenant's endpoints subscribe to, as a part of the catalog: reading them costs no query."""

from functools import cache

from gamify.webhooks.engine.globs import is_wanted
from gamify.webhooks.models import Endpoint
from participants.catalog import CatalogPart
from participants.models import Tenant


class WantedTypes:
    """The event types that any active endpoint of a tenant subscribes to."""

    def __init__(self, globs: frozenset[str]) -> None:
        self._globs = globs
        self.includes = cache(self._has)

    def _has(self, type_name: str) -> bool:
        return is_wanted(type_name, self._globs)


def _load(tenant: Tenant) -> WantedTypes:
    lists = Endpoint.objects.of(tenant).active().values_list("event_types", flat=True)
    return WantedTypes(frozenset(glob for globs in lists for glob in globs))


wanted_types = CatalogPart("webhooks", _load)
