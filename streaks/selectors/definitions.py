"""What tenants have defined, as Phoenix clients read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from participants.catalog import Catalog
from participants.models import Tenant
from participants.models.tenants import Environment
from streaks.models import Status, Streak
from streaks.selectors.catalog import streaks_in
from streaks.selectors.configs import config_of

CREATED = ("created_at", "id")


@dataclass(frozen=True)
class StreakWithTenant:
    """A definition and the tenant that it is of."""

    row: Streak
    tenant: Tenant

    @property
    def status(self) -> str:
        """Drafts are known to the console alone: whoever reads them elsewhere sees that nothing ticks."""
        return Status.PAUSED if self.row.status == Status.DRAFT else self.row.status

    @cached_property
    def config(self) -> dict[str, Any]:
        return config_of(self.row, tenant_zone=self.tenant.timezone)


def streak_definitions(tenant: Tenant) -> Sequence[StreakWithTenant]:
    """All of the tenant's, whatever their status, as they were created; one query."""
    return [StreakWithTenant(row, tenant) for row in Streak.objects.of(tenant).order_by(*CREATED)]


def streak_definitions_of_all_tenants(environment: Environment) -> Sequence[StreakWithTenant]:
    """Those of every tenant that is not disabled, by the tenant's slug and as they were created; one query."""
    rows = Streak.objects.filter(tenant__environment=environment, tenant__is_active=True).select_related("tenant")
    return [StreakWithTenant(row, row.tenant) for row in rows.order_by("tenant__slug", *CREATED)]


def active_streaks(catalog: Catalog, tenant: Tenant) -> Sequence[StreakWithTenant]:
    """Those that tick, in display order; no query."""
    known = streaks_in(catalog).by_id.values()
    return [StreakWithTenant(streak.row, tenant) for streak in known if streak.is_active]


def find_streak(tenant: Tenant, streak_id: UUID, *, lock: bool = False) -> Streak | None:
    """The tenant's definition with this id, whatever its status."""
    rows = Streak.objects.of(tenant).filter(pk=streak_id)
    return (rows.select_for_update() if lock else rows).first()
