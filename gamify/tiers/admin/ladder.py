"""The page with all tiers by level: how many are in each, who would move up now, and a button that moves them."""

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from gamify.tiers import engine, services
from gamify.tiers.engine import Basis, Tier
from gamify.tiers.models import LadderRun
from gamify.tiers.models import Tier as TierRow
from gamify.tiers.selectors import compile_tier, members_by_tier, number_to_raise
from participants.admin import audit
from participants.admin.access import link_to
from participants.admin.authorization import may
from participants.admin.base import console_page
from participants.admin.picker import picked_tenant
from participants.models import Capability, Tenant

VIEW, MOVE = "tiers.view_tier", "tiers.add_tierchange"
BASES = [(Basis.BALANCE.value, "the balance"), (Basis.LIFETIME.value, "points ever earned")]
TITLE = "Tier ladder"


def how_reached(tier: Tier) -> str:
    """Say how participants get into a tier."""
    if not tier.is_automatic or tier.min_points is None:
        return "only by hand"
    return f"from {tier.min_points:,}, {dict(BASES)[tier.basis.value]}"


@console_page(VIEW, Capability.SEE_DEFINITIONS, to_send=(MOVE, Capability.PUBLISH))
def page(request: HttpRequest) -> HttpResponse:
    """GET shows the ladder of the picked tenant. POST asks a worker to move everybody whose points are enough."""
    tenant = picked_tenant(request)
    assert tenant is not None, "the page is only shown for a picked tenant"  # noqa: S101
    if request.method == "POST":
        return _apply(request, tenant)
    rows = list(TierRow.objects.of(tenant).order_by("level", "code"))
    moving = number_to_raise(tenant)
    members = members_by_tier(tenant)
    shown = {
        **admin.site.each_context(request),
        "title": TITLE,
        "content_title": TITLE,
        "tiers": [
            {
                "link": link_to(row, request.user),
                "level": row.level,
                "is_active": row.is_active,
                "reached": how_reached(compile_tier(row)),
                "members": members.get(row.code, 0),
                "moving": moving.get(row.code, 0),
            }
            for row in rows
        ],
        "disorders": engine.disorders(map(compile_tier, rows)),
        "moving": sum(moving.values()),
        "run": LadderRun.objects.filter(tenant=tenant).first(),
        "may_move": may(request.user, MOVE, Capability.PUBLISH),
    }
    return TemplateResponse(request, "admin/tiers/ladder.html", shown)


def _apply(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    run = services.apply_ladder(tenant=tenant, now=timezone.now())
    audit.record(request, run, audit.CHANGE, "Moved up who has enough points.")
    messages.success(request, "A worker moves them now. Reload this page to see how far it is.")
    return HttpResponseRedirect(reverse("admin:tiers_tier_ladder"))


def tell_who_would_move(request: HttpRequest, tenant: Tenant) -> None:
    """After a tier was saved: say how many participants have enough points for a higher tier, with a link to move them."""
    tenant.refresh_from_db()  # the ladder of the catalog is that before the change
    if number := sum(number_to_raise(tenant).values()):
        text = '{} enough points for a higher tier. Each moves with their next award, or <a class="underline" href="{}">move them now</a>.'
        messages.info(
            request,
            format_html(
                text,
                "1 participant has" if number == 1 else f"{number:,} participants have",
                reverse("admin:tiers_tier_ladder"),
            ),
        )
