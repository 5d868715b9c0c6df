"""Console pages of API keys and of partner secrets: list, create, revoke."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from participants.admin.authorization import Needs
from participants.admin.base import TenantDataForm, replace_fields
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.once import ShownOnceAdmin
from participants.admin.pages import Done, ObjectPage
from participants.models import ApiKey, Capability, HmacSecret
from participants.models.callers import Caller
from participants.models.keys import Scope
from participants.models.roles import sees_all_tenants
from participants.services.callers import revoke
from participants.services.hmac import create_hmac_secret
from participants.services.keys import create_api_key

SCOPE_TEXTS = {
    Scope.ADMIN: "admin – the admin endpoints of both APIs",
    Scope.GAMIFY_ADMIN: "gamify:admin – the same; Gamify clients use this name",
    Scope.PLATFORM: "platform – streaks of every tenant: for your own staff only",
    Scope.CODES: "codes – with an admin scope: exports of reward codes",
}


def _name_field(help_text: str) -> forms.CharField:
    return forms.CharField(max_length=100, widget=UnfoldAdminTextInputWidget, help_text=help_text)


class ApiKeyForm(TenantDataForm):
    name = _name_field("Who uses it, and for what: “shop backend”.")
    scopes = forms.MultipleChoiceField(
        choices=list(SCOPE_TEXTS.items()),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Select none for a key that clients use: it only opens the participant endpoints.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not sees_all_tenants(self.request.user):
            choices = [(scope, text) for scope, text in SCOPE_TEXTS.items() if scope != Scope.PLATFORM]
            self.fields["scopes"].choices = choices  # type: ignore[attr-defined]  # a MultipleChoiceField

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "expires_at")
        help_texts = {"expires_at": "In UTC, in the future. Leave empty for a key that never expires."}


class HmacSecretForm(TenantDataForm):
    name = _name_field("Which partner signs with it: “Northwind”.")

    class Meta:
        model = HmacSecret
        fields = ("name",)


def _revoke(request: HttpRequest, caller: Caller, data: Mapping[str, Any]) -> Done:
    revoke(caller, now=timezone.now())
    return Done(f"Revoked {caller}: its requests are refused from now on.", "Revoked.")


def _revoke_page(model: type[Caller], explanation: str, *, button: str) -> ObjectPage:
    return ObjectPage(
        name="revoke",
        title="Revoke",
        explanation=explanation,
        button=button,
        permission=f"participants.change_{model._meta.model_name}",
        capability=Capability.DEVELOP,
        perform=_revoke,
        icon="key_off",
        is_dangerous=True,
        is_offered=lambda caller: caller.revoked_at is None,
    )


def status_of(caller: Caller, now: datetime) -> str:
    if caller.revoked_at is not None:
        return "revoked"
    return "active" if isinstance(caller, HmacSecret) or caller.is_active_at(now) else "expired"


class StatusFilter(admin.SimpleListFilter):
    title = parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status, status.capitalize()) for status in _conditions(model_admin.model, timezone.now())]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        return queryset.filter(_conditions(queryset.model, timezone.now()).get(self.value() or "", Q()))


def _conditions(model: type[Caller], now: datetime) -> dict[str, Q]:
    """Return the condition of each status that rows of `model` can have."""
    active, revoked = Q(revoked_at=None), Q(revoked_at__isnull=False)
    if model is HmacSecret:
        return {"active": active, "revoked": revoked}
    expired = active & Q(expires_at__lte=now)
    return {"active": active & ~Q(expires_at__lte=now), "expired": expired, "revoked": revoked}


class CallerAdmin(ShownOnceAdmin):
    """Base of the pages of both: rows have a name and a status, and can be revoked."""

    needs = Needs(view=Capability.DEVELOP, add=Capability.DEVELOP)
    list_filter = (StatusFilter,)
    ordering = ("-created_at",)

    def object_facts(self, row: Caller) -> list[tuple[str, Any]]:
        return [("name", row.name or None), ("status", self.display_status(row))]

    @display("status", label={"active": "success", "expired": "warning", "revoked": "danger"})
    def display_status(self, row: Caller) -> str:
        return status_of(row, timezone.now())


@admin.register(ApiKey)
class ApiKeyAdmin(CallerAdmin):
    when_empty = WhenEmpty(
        "There is no API key yet. Add one, so that your application can call the API.",
        "Add an API key",
        "participants_apikey_add",
    )
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
    search_fields = ("name", "prefix")
    search_help_text = "Name or beginning of the key"
    object_pages = (
        _revoke_page(
            ApiKey,
            "Requests with this key are refused with 401, beginning with the next one. "
            "This cannot be undone. Create a new key and hand it out first.",
            button="Revoke this key",
        ),
    )
    add_fieldsets = ((None, {"fields": ("display_tenant", "name", "scopes", "expires_at", "opened_for")}),)
    fields = ("display_tenant", "display_scopes", "created_at", "display_expiry", "revoked_at", "last_used_at")

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        values = {name: form.cleaned_data[name] for name in ("name", "scopes", "expires_at")}
        new = create_api_key(tenant=form.tenant, **values, now=timezone.now())
        self.show_once(request, new.key)
        replace_fields(obj, new.row)

    def secret_note(self, row: ApiKey) -> str:
        expiry = f"{row.expires_at:%Y-%m-%d %H:%M} UTC" if row.expires_at else "never"
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


@admin.register(HmacSecret)
class HmacSecretAdmin(CallerAdmin):
    when_empty = WhenEmpty(
        "There is no partner secret yet. Add one for a partner who signs requests.",
        "Add a partner secret",
        "participants_hmacsecret_add",
    )
    form = HmacSecretForm
    list_display = ("display_name", "display_status", "last_used_at", "created_at", "id")
    search_fields = ("name",)
    search_help_text = "Name"
    object_pages = (
        _revoke_page(
            HmacSecret,
            "Requests that are signed with this secret are refused with 401, beginning with the next one. "
            "This cannot be undone. Create a new secret and hand it out first; both work until you revoke one.",
            button="Revoke this secret",
        ),
    )
    add_fieldsets = ((None, {"fields": ("display_tenant", "name", "opened_for")}),)
    fields = ("display_tenant", "name", "id", "created_at", "revoked_at", "last_used_at")

    def save_model(self, request: HttpRequest, obj: HmacSecret, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        new = create_hmac_secret(tenant=form.tenant, name=form.cleaned_data["name"], now=timezone.now())
        self.show_once(request, new.text)
        replace_fields(obj, new.row)

    def secret_note(self, row: HmacSecret) -> str:
        return f"The partner signs with it and sends {row.tenant.slug} as X-Tenant-Id."

    @display("name", ordering="name")
    def display_name(self, secret: HmacSecret) -> str:
        return secret.name or "(no name)"
