"""The tenant `quickstart`, which is reset at every start, so that the calls of the Quick Start answer as the specification prints.

`user_123` has a former run of fourteen days and was active on the last two days, but has no points, badge or tier yet.
"""

from datetime import UTC, datetime, timedelta

from gamify.badges.models import Badge, Rarity
from gamify.tiers.models import Tier
from gamify_project.blueprints import Blueprint, restore
from participants.models import Tenant
from participants.selectors import tenant_by_slug
from participants.services.participants import delete_all
from participants.services.tenants import create_tenant, set_tenant_status, update_tenant
from streaks.engine.windows import Period
from streaks.models import Streak
from streaks.services import Tick, record_many

SLUG = "quickstart"
NAME = "Quick Start (reset at each start)"
PARTICIPANT = "user_123"
STREAK = "daily_login"
LONG_AGO = range(30, 44)
JUST_NOW = range(1, 3)

# One grace period, so that a server that was started yesterday still answers as printed.
_DAILY = {"period": Period.DAILY.value, "grace_periods": 1, "reset_on_miss": True, "fact_filter": None}
DEFINITIONS = (
    Blueprint(Badge, "first_steps", "First Steps", {"rarity": Rarity.COMMON}),
    Blueprint(Tier, "bronze", "Bronze", {"level": 1, "criteria_config": {"min_points": 0}, "award_type": "automatic"}),
    Blueprint(Streak, STREAK, "Daily Login", {"event_types": [STREAK], **_DAILY}),
    Blueprint(Streak, "daily_purchase", "Daily Purchase", {"event_types": ["daily_purchase"], **_DAILY}),
)


def reset_quickstart(*, now: datetime) -> Tenant | None:
    """Create or reset the tenant, its definitions and its participant; return the tenant.

    A tenant with this slug but another name belongs to the user. It is left unchanged, and the result is None.
    """
    tenant = tenant_by_slug(SLUG) or create_tenant(slug=SLUG, name=NAME, now=now)
    if tenant.name != NAME:
        return None
    tenant = _enabled_in_utc(tenant, now=now)
    delete_all(tenant=tenant, now=now)
    restore(tenant, DEFINITIONS, now=now)
    today = now.astimezone(UTC)
    ticks = [Tick(PARTICIPANT, STREAK, today - timedelta(days=age)) for age in (*LONG_AGO, *JUST_NOW)]
    record_many(tenant=tenant, ticks=ticks, now=now)
    return tenant


def _enabled_in_utc(tenant: Tenant, *, now: datetime) -> Tenant:
    if not tenant.is_active:
        tenant = set_tenant_status(slug=SLUG, is_active=True, now=now)
    if tenant.timezone != "UTC":
        tenant.timezone = "UTC"  # days are counted in UTC above
        update_tenant(tenant, now=now)
    return tenant
