"""Definitions of streaks in the shape of the Phoenix dialect."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from participants.catalog import Catalog
from participants.database import all_tenants
from participants.models import Tenant
from participants.models.tenants import Environment
from streaks.models import Status, Streak
from streaks.selectors.catalog import streaks_in
from streaks.selectors.configs import config_of

CREATED = ("created_at", "id")


@dataclass(frozen=True)
class StreakWithTenant:
    """A definition with its tenant, whose zone and slug the answer needs."""

    row: Streak
    tenant: Tenant

    @property
    def status(self) -> str:
        """The status on the wire. Only the console knows drafts; the API shows them as paused."""
        return Status.PAUSED if self.row.status == Status.DRAFT else self.row.status

    @cached_property
    def config(self) -> dict[str, Any]:
        return config_of(self.row, tenant_zone=self.tenant.timezone)


def streak_definitions(tenant: Tenant) -> Sequence[StreakWithTenant]:
    """All streaks of the tenant, with every status, in the order of their creation. One query."""
    return [StreakWithTenant(row, tenant) for row in Streak.objects.of(tenant).order_by(*CREATED)]


def streak_definitions_of_all_tenants(environment: Environment) -> Sequence[StreakWithTenant]:
    """The streaks of all active tenants, ordered by slug and then by creation. One query."""
    rows = Streak.objects.filter(tenant__environment=environment, tenant__is_active=True).select_related("tenant")
    with all_tenants():
        return [StreakWithTenant(row, row.tenant) for row in rows.order_by("tenant__slug", *CREATED)]


def active_streaks(catalog: Catalog, tenant: Tenant) -> Sequence[StreakWithTenant]:
    """The active streaks in display order, from the catalog. No query."""
    known = streaks_in(catalog).by_id.values()
    return [StreakWithTenant(streak.row, tenant) for streak in known if streak.is_active]


def find_streak(tenant: Tenant, streak_id: UUID, *, lock: bool = False) -> Streak | None:
    """The tenant's definition with this id, with any status."""
    rows = Streak.objects.of(tenant).filter(pk=streak_id)
    return (rows.select_for_update() if lock else rows).first()
