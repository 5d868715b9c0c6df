"""What the demo has besides definitions and participants: codes, an amnesty, a webhook, and the value of a point."""

from datetime import datetime, timedelta
from decimal import Decimal

from gamify.webhooks.services import create_endpoint, send_test
from gamify_project.demo import definitions
from participants.models import Tenant
from participants.services.tenants import update_tenant
from rewards.models import Reward
from rewards.services import add_codes
from streaks.services import declare_amnesty

HOOK = "http://127.0.0.1:9/gamify"
"""Nothing listens on this port, so that the console shows a webhook that fails."""
HOOK_EVENTS = ["reward.cancelled", "challenge.expired"]
"""Events that the history does not have, so it leaves no deliveries behind."""


def prepare(tenant: Tenant, *, now: datetime) -> None:
    """Create everything, once. What the user of the demo changes or deletes afterwards stays so."""
    coffee = Reward.objects.of(tenant).get(code=definitions.COFFEE)
    if coffee.has_codes:
        return
    _set_point_value(tenant, now=now)
    _declare_outage(tenant, now=now)
    _create_webhook(tenant, now=now)
    add_codes(tenant=tenant, reward_id=str(coffee.pk), codes=definitions.COFFEE_CODES, now=now)


def _set_point_value(tenant: Tenant, *, now: datetime) -> None:
    tenant.point_value, tenant.point_currency = Decimal("0.01"), "EUR"
    update_tenant(tenant, now=now)
    tenant.refresh_from_db()


def _declare_outage(tenant: Tenant, *, now: datetime) -> None:
    """Excuse the 15th of the month before the tenant was created."""
    day = (tenant.created_at.replace(day=1) - timedelta(days=1)).date().replace(day=15)
    about = {
        "name": "Outage",
        "from_on": day,
        "to_on": day,
        "streak_codes": None,
        "reason": "The application was down.",
    }
    declare_amnesty(tenant=tenant, data=about, now=now)


def _create_webhook(tenant: Tenant, *, now: datetime) -> None:
    about = {
        "url": HOOK,
        "event_types": HOOK_EVENTS,
        "description": "Nothing listens here. It shows deliveries that fail.",
    }
    endpoint = create_endpoint(tenant=tenant, data=about, now=now).endpoint
    tenant.refresh_from_db()  # the webhook has changed the catalog
    send_test(endpoint=endpoint, now=now)
