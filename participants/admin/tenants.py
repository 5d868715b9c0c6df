"""Console pages of tenants: create (together with the sandbox), edit, enable and disable. They are never deleted."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from unfold.widgets import UnfoldAdminSelect2Widget

from participants.admin.access import may_open
from participants.admin.authorization import Needs
from participants.admin.base import ConsoleAdmin, replace_fields
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.pages import Done, Link, ObjectPage
from participants.admin.picker import pick, picked_tenant
from participants.admin.refusals import ConsoleForm
from participants.models import ApiKey, Capability, Tenant
from participants.models.roles import sees_all_tenants
from participants.services.tenants import create_tenant, set_tenant_status, timezone_names, update_tenant

POINT_VALUE = ("point_value", "point_currency")
LIMITS = ("participant_writes_per_minute", "key_requests_per_minute")
FOR_STAFF = ("requires_second_factor", "support_points_per_day")


def timezone_widget(*, blank: str | None = None, others: Iterable[tuple[str, str]] = ()) -> forms.Widget:
    """Return a searchable select of `others` and all IANA time zones. The service validates the choice."""
    first = [*([("", blank)] if blank else []), *others]
    widget: forms.Widget = UnfoldAdminSelect2Widget(
        choices=[*first, *((name, name) for name in sorted(timezone_names()))]
    )
    return widget


class TenantForm(ConsoleForm):
    class Meta:
        model = Tenant
        fields = ("name", "slug", "timezone", *LIMITS, *FOR_STAFF, *POINT_VALUE)
        widgets = {"timezone": timezone_widget()}
        help_texts = {"slug": "Names the tenant in URLs. It cannot be changed later."}


def _set_status(request: HttpRequest, tenant: Tenant, data: Mapping[str, Any], *, is_active: bool) -> Done:
    set_tenant_status(slug=tenant.slug, is_active=is_active, now=timezone.now())
    done = "Enabled" if is_active else "Disabled"
    return Done(f"{done} {tenant.slug}, live and sandbox.", f"{done}, with its sandbox.")


ENABLE = ObjectPage(
    name="enable",
    title="Enable",
    explanation="Its keys work again immediately, in live and sandbox.",
    button="Enable live and sandbox",
    permission="participants.change_tenant",
    capability=Capability.OPERATE,
    perform=partial(_set_status, is_active=True),
    icon="play_arrow",
    variant="primary",
    is_offered=lambda tenant: not tenant.is_active,
)
DISABLE = ObjectPage(
    name="disable",
    title="Disable",
    explanation="Every request with one of its keys, live or sandbox, is refused with 403 until you enable it again. "
    "No data is lost.",
    button="Disable live and sandbox",
    permission="participants.change_tenant",
    capability=Capability.OPERATE,
    perform=partial(_set_status, is_active=False),
    icon="block",
    is_dangerous=True,
    is_offered=lambda tenant: tenant.is_active,
)


@admin.register(Tenant)
class TenantAdmin(ConsoleAdmin):
    needs = Needs(view=Capability.SEE_DEFINITIONS, add=Capability.OPERATE, change=Capability.OWN)
    when_empty = WhenEmpty(
        "There is no tenant yet. Add the first one.",
        "Add a tenant",
        "participants_tenant_add",
    )
    form = TenantForm
    list_display = ("name", "slug", "display_environment", "timezone", "display_status", "created_at")
    list_filter = ("environment", "is_active")
    search_fields = ("name", "slug")
    search_help_text = "Name or slug"
    ordering = ("name", "environment")
    object_pages = (ENABLE, DISABLE)
    add_fieldsets = ((None, {"fields": ("name", "slug", "timezone")}),)
    fieldsets = (
        (None, {"fields": ("name", "timezone")}),
        ("Limits per minute", {"fields": LIMITS}),
        ("Value of a point", {"fields": POINT_VALUE}),
        ("Staff", {"fields": FOR_STAFF}),
        ("About", {"fields": ("id", ("created_at", "updated_at"))}),
    )
    readonly_fields = ("id", "created_at", "updated_at")

    def object_facts(self, row: Tenant) -> list[tuple[str, Any]]:
        return [("slug", row.slug), ("environment", row.environment), ("status", self.display_status(row))]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Tenant]":
        """All tenants; for users with roles, the picked one."""
        rows = super().get_queryset(request)
        if sees_all_tenants(request.user):
            return rows
        tenant = picked_tenant(request)
        return rows.none() if tenant is None else rows.filter(pk=tenant.pk)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Limits protect the installation, so owners of one tenant do not set them."""
        return self.readonly_fields if sees_all_tenants(request.user) else (*self.readonly_fields, *LIMITS)

    def object_links(self, request: HttpRequest, row: Tenant) -> Iterable[Link]:
        if may_open(request.user, ApiKey):
            query = urlencode({"q": row.slug, "next": reverse("admin:participants_apikey_changelist")})
            yield Link("Keys", f"{reverse('admin:pick_tenant')}?{query}", "key")
        yield from super().object_links(request, row)

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        if change:
            update_tenant(obj, now=timezone.now())
            return
        values = {name: form.cleaned_data[name] for name in ("slug", "name", "timezone")}
        replace_fields(obj, create_tenant(**values, now=timezone.now()))

    def response_add(self, request: HttpRequest, obj: Tenant, *args: Any, **kwargs: Any) -> HttpResponse:
        """Choose the new tenant: what comes next is about it."""
        pick(request, obj)
        return super().response_add(request, obj, *args, **kwargs)

    @display("environment", ordering="environment", label={"live": "success", "sandbox": "warning"})
    def display_environment(self, tenant: Tenant) -> str:
        return tenant.environment

    @display("status", ordering="is_active", label={"active": "success", "disabled": "danger"})
    def display_status(self, tenant: Tenant) -> str:
        return "active" if tenant.is_active else "disabled"
