"""The tenant `quickstart`: at every start as the specification's Quick Start finds it, so that its calls answer as printed.

`user_123` ran for fourteen days long ago and was here on the two days before today, but has no points, badge or tier yet.
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

# A day's grace, so that a server that was started yesterday still answers as printed.
_DAILY = {"period": Period.DAILY.value, "grace_periods": 1, "reset_on_miss": True, "fact_filter": None}
DEFINITIONS = (
    Blueprint(Badge, "first_steps", "First Steps", {"rarity": Rarity.COMMON}),
    Blueprint(Tier, "bronze", "Bronze", {"level": 1, "criteria_config": {"min_points": 0}, "award_type": "automatic"}),
    Blueprint(Streak, STREAK, "Daily Login", {"event_types": [STREAK], **_DAILY}),
    Blueprint(Streak, "daily_purchase", "Daily Purchase", {"event_types": ["daily_purchase"], **_DAILY}),
)


def reset_quickstart(*, now: datetime) -> Tenant | None:
    """Make the tenant, or make it again what it is to be: whoever tried things out gets the Quick Start back.

    A tenant of that slug under another name is somebody's own. It is left as it is, and the answer is None.
    """
    tenant = tenant_by_slug(SLUG) or create_tenant(slug=SLUG, name=NAME, now=now)
    if tenant.name != NAME:
        return None
    tenant = _opened(tenant, now=now)
    delete_all(tenant=tenant, now=now)
    restore(tenant, DEFINITIONS, now=now)
    today = now.astimezone(UTC)
    ticks = [Tick(PARTICIPANT, STREAK, today - timedelta(days=age)) for age in (*LONG_AGO, *JUST_NOW)]
    record_many(tenant=tenant, ticks=ticks, now=now)
    return tenant


def _opened(tenant: Tenant, *, now: datetime) -> Tenant:
    if not tenant.is_active:
        tenant = set_tenant_status(slug=SLUG, is_active=True, now=now)
    if tenant.timezone != "UTC":
        tenant.timezone = "UTC"  # in which the days above are counted
        update_tenant(tenant, now=now)
    return tenant
