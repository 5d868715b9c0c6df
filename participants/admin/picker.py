"""Which tenant's data the console shows: picked once, kept in the session, in force on every page until changed."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from participants.models import Tenant

SESSION_KEY = "console_tenant"
MEMO = "picked_tenant"
SHOWN_TENANTS = 50


def picked_tenant(request: HttpRequest) -> Tenant | None:
    """The tenant in force, read once a request. Nobody has to pick where there is but one live tenant."""
    memo = vars(request)
    if MEMO not in memo:
        memo[MEMO] = _read(request)
    picked: Tenant | None = memo[MEMO]
    return picked


def _read(request: HttpRequest) -> Tenant | None:
    if picked := request.session.get(SESSION_KEY):
        return Tenant.objects.filter(pk=picked).first()
    live = list(Tenant.objects.live()[:2])
    return live[0] if len(live) == 1 else None


def redirect_to_picker(request: HttpRequest) -> HttpResponseRedirect:
    """To the picker, and back to this page afterwards."""
    return HttpResponseRedirect(f"{reverse('admin:pick_tenant')}?{urlencode({'next': request.get_full_path()})}")


def pick_tenant(request: HttpRequest) -> HttpResponse:
    """The picker: GET lists and searches, POST picks."""
    if request.method == "POST":
        return _pick(request)
    text = request.GET.get("q", "").strip().replace("\0", "")
    tenants = list(_live_named_like(text)[: SHOWN_TENANTS + 1])
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Choose a tenant",
        "content_title": "Choose a tenant",
        "tenants": tenants[:SHOWN_TENANTS],
        "is_cut": len(tenants) > SHOWN_TENANTS,
        "query": text,
        "next": request.GET.get("next", ""),
    }
    return TemplateResponse(request, "console/pick_tenant.html", context)


def _live_named_like(text: str) -> Any:
    named = Q(slug__icontains=text) | Q(name__icontains=text)
    return Tenant.objects.live().filter(named).select_related("sandbox").order_by("name", "slug")


def _pick(request: HttpRequest) -> HttpResponse:
    tenant = get_object_or_404(Tenant, pk=_uuid_or_nothing(request.POST.get("tenant", "")))
    request.session[SESSION_KEY] = str(tenant.pk)
    messages.success(request, f"You now see the data of {tenant.name}, {tenant.environment}.")
    return HttpResponseRedirect(_next_page(request))


def _uuid_or_nothing(text: str) -> Any:
    field = Tenant._meta.get_field("id")
    try:
        return field.to_python(text)
    except Exception:  # noqa: BLE001 - whatever it is, it names no tenant
        return None


def _next_page(request: HttpRequest) -> str:
    asked = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()}):
        return reverse("admin:participants_participant_changelist")
    return _list_of(asked)


def _list_of(url: str) -> str:
    """The page itself, but for a page about one object its list: the object belongs to the tenant just left."""
    try:
        match = resolve(url.partition("?")[0])
    except Resolver404:
        return reverse("admin:index")
    if "object_id" not in match.kwargs or match.url_name is None:
        return url
    return reverse(f"admin:{match.url_name.rpartition('_')[0]}_changelist")
