"""The tenant whose data the console shows. It is picked once, stored in the session, and used on every page."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from participants.admin.authorization import role_in
from participants.database import all_tenants
from participants.engine import uuid_of
from participants.models import Tenant
from participants.models.roles import sees_all_tenants

SESSION_KEY = "console_tenant"
MEMO = "picked_tenant"
SHOWN_TENANTS = 50


def picked_tenant(request: HttpRequest) -> Tenant | None:
    """Return the picked tenant, read once per request. If there is only one live tenant, it need not be picked."""
    memo = vars(request)
    if MEMO not in memo:
        memo[MEMO] = _read(request)
    picked: Tenant | None = memo[MEMO]
    return picked


def _read(request: HttpRequest) -> Tenant | None:
    """Return the tenant of the session if it is open to the user; without one, the only tenant that is."""
    with all_tenants():
        rows = Tenant.objects.open_to(request.user)
        if picked := request.session.get(SESSION_KEY):
            return rows.filter(pk=picked).first()
        choices = list(rows.live()[:2]) or list(rows[:2])
        return choices[0] if len(choices) == 1 else None


def _open_of(user: Any, live: Tenant) -> list[Tenant]:
    """Return those of a live tenant and its sandbox whose data `user` may see."""
    return [row for row in (live, live.sandbox) if sees_all_tenants(user) or role_in(user, row) is not None]


def open_tenants(request: HttpRequest) -> list[Tenant]:
    """Return the tenants, live and sandbox, whose data the user of the request may see, in the order of their names."""
    with all_tenants():
        return list(Tenant.objects.open_to(request.user).order_by("name", "slug", "environment"))


def redirect_to_picker(request: HttpRequest) -> HttpResponseRedirect:
    """Redirect to the picker, which returns to this page afterwards."""
    return HttpResponseRedirect(f"{reverse('admin:pick_tenant')}?{urlencode({'next': request.get_full_path()})}")


def pick_tenant(request: HttpRequest) -> HttpResponse:
    """View of the picker: GET lists and searches tenants, POST picks one."""
    if request.method == "POST":
        return _pick(request)
    text = request.GET.get("q", "").strip().replace("\0", "")
    found = Tenant.objects.with_open(request.user).filter(Q(slug__icontains=text) | Q(name__icontains=text))
    tenants = list(found.select_related("sandbox").order_by("name", "slug")[: SHOWN_TENANTS + 1])
    shown = [(tenant, _open_of(request.user, tenant)) for tenant in tenants[:SHOWN_TENANTS]]
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Choose a tenant",
        "content_title": "Choose a tenant",
        "tenants": shown,
        "is_cut": len(tenants) > SHOWN_TENANTS,
        "query": text,
        "next": request.GET.get("next", ""),
    }
    return TemplateResponse(request, "admin/participants/pick_tenant.html", context)


def _pick(request: HttpRequest) -> HttpResponse:
    tenant = get_object_or_404(Tenant.objects.open_to(request.user), pk=uuid_of(request.POST.get("tenant", "")))
    pick(request, tenant)
    return HttpResponseRedirect(_next_page(request))


def pick(request: HttpRequest, tenant: Tenant) -> None:
    """Show the data of `tenant` from the next page on, and say so."""
    request.session[SESSION_KEY] = str(tenant.pk)
    messages.success(request, f"You now see the data of {tenant.name}, {tenant.environment}.")


def _next_page(request: HttpRequest) -> str:
    asked = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()}):
        return reverse("admin:participants_participant_changelist")
    return _list_of(asked)


def _list_of(url: str) -> str:
    """Return `url`; for a page about one object, the URL of its list: the object belongs to the previous tenant."""
    try:
        match = resolve(url.partition("?")[0])
    except Resolver404:
        return reverse("admin:index")
    if "object_id" not in match.kwargs or match.url_name is None:
        return url
    return reverse(f"admin:{match.url_name.rpartition('_')[0]}_changelist")
