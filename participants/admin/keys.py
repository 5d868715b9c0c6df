"""Console pages of API keys: list, create, revoke."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from participants.admin.base import TenantDataForm, replace_fields
from participants.admin.display import display
from participants.admin.once import ShownOnceAdmin
from participants.admin.pages import Done, ObjectPage
from participants.models import ApiKey
from participants.models.keys import Scope
from participants.services.keys import create_api_key, revoke

SCOPE_TEXTS = {
    Scope.ADMIN: "admin – the admin endpoints of both APIs",
    Scope.GAMIFY_ADMIN: "gamify:admin – the same; Gamify clients use this name",
    Scope.PLATFORM: "platform – streaks of every tenant: for your own staff only",
}


class ApiKeyForm(TenantDataForm):
    name = forms.CharField(
        max_length=100, widget=UnfoldAdminTextInputWidget, help_text="Who uses it, and for what: “shop backend”."
    )
    scopes = forms.MultipleChoiceField(
        choices=list(SCOPE_TEXTS.items()),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Select none for a key that clients use: it only opens the participant endpoints.",
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "expires_at")
        help_texts = {"expires_at": "In UTC, in the future. Leave empty for a key that never expires."}


def status_of(key: ApiKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "active" if key.is_active_at(now) else "expired"


class StatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("active", "Active"), ("expired", "Expired"), ("revoked", "Revoked")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[ApiKey]") -> "QuerySet[ApiKey]":
        now = timezone.now()
        if self.value() == "active":
            return ApiKey.objects.active(now) & queryset
        if self.value() == "expired":
            return queryset.filter(revoked_at=None, expires_at__lte=now)
        return queryset.exclude(revoked_at=None) if self.value() == "revoked" else queryset


def _revoke(request: HttpRequest, key: ApiKey, data: Mapping[str, Any]) -> Done:
    revoke(key, now=timezone.now())
    return Done(f"Revoked {key}: requests with it are refused from now on.", "Revoked.")


REVOKE = ObjectPage(
    name="revoke",
    title="Revoke",
    explanation="Requests with this key are refused with 401, beginning with the next one. "
    "This cannot be undone. Create a new key and hand it out first.",
    button="Revoke this key",
    permission="participants.change_apikey",
    perform=_revoke,
    icon="key_off",
    is_dangerous=True,
    is_offered=lambda key: key.revoked_at is None,
)


@admin.register(ApiKey)
class ApiKeyAdmin(ShownOnceAdmin):
    noun = "key"
    form = ApiKeyForm
    list_display = (
        "display_prefix",
        "name",
        "display_scopes",
        "display_status",
        "display_expiry",
        "last_used_at",
        "created_at",
    )
    list_filter = (StatusFilter,)
    search_fields = ("name", "prefix")
    search_help_text = "Name or beginning of the key"
    ordering = ("-created_at",)
    object_pages = (REVOKE,)
    add_fieldsets = ((None, {"fields": ("display_tenant", "name", "scopes", "expires_at", "opened_for")}),)
    fields = ("display_tenant", "display_scopes", "created_at", "display_expiry", "revoked_at", "last_used_at")

    def object_facts(self, row: ApiKey) -> list[tuple[str, Any]]:
        return [("name", row.name or None), ("status", self.display_status(row))]

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        values = {name: form.cleaned_data[name] for name in ("name", "scopes", "expires_at")}
        new = create_api_key(tenant=form.tenant, **values, now=timezone.now())
        self.show_once(request, new.key)
        replace_fields(obj, new.row)

    def secret_note(self, row: ApiKey) -> str:
        expiry = f"{row.expires_at:%Y-%m-%d %H:%M}" if row.expires_at else "never"
        return f"Scopes: {', '.join(row.scopes) or 'participant endpoints only'} · expires: {expiry}"

    @display("key", ordering="prefix")
    def display_prefix(self, key: ApiKey) -> str:
        return f"{key.prefix}…"

    @display("expires at")
    def display_expiry(self, key: ApiKey) -> str:
        return date_format(key.expires_at, "DATETIME_FORMAT") if key.expires_at else "never"

    @display("scopes")
    def display_scopes(self, key: ApiKey) -> str:
        return ", ".join(key.scopes) or "participant endpoints"

    @display("status", label={"active": "success", "expired": "warning", "revoked": "danger"})
    def display_status(self, key: ApiKey) -> str:
        return status_of(key, timezone.now())
