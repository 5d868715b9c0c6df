"""Console pages of partner secrets: list, create, revoke."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from participants.admin.base import TenantDataForm, replace_fields
from participants.admin.display import display
from participants.admin.once import ShownOnceAdmin
from participants.admin.pages import Done, ObjectPage
from participants.models import HmacSecret
from participants.services.hmac import create_hmac_secret, revoke


class HmacSecretForm(TenantDataForm):
    name = forms.CharField(
        max_length=100, widget=UnfoldAdminTextInputWidget, help_text="Which partner signs with it: “Northwind”."
    )

    class Meta:
        model = HmacSecret
        fields = ("name",)


class StatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("active", "Active"), ("revoked", "Revoked")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[HmacSecret]") -> "QuerySet[HmacSecret]":
        if self.value() == "active":
            return queryset.filter(revoked_at=None)
        return queryset.exclude(revoked_at=None) if self.value() == "revoked" else queryset


def _revoke(request: HttpRequest, secret: HmacSecret, data: Mapping[str, Any]) -> Done:
    revoke(secret, now=timezone.now())
    return Done(f"Revoked {secret}: requests signed with it are refused from now on.", "Revoked.")


REVOKE = ObjectPage(
    name="revoke",
    title="Revoke",
    explanation="Requests that are signed with this secret are refused with 401, beginning with the next one. "
    "This cannot be undone. Create a new secret and hand it out first; both work until you revoke one.",
    button="Revoke this secret",
    permission="participants.change_hmacsecret",
    perform=_revoke,
    icon="key_off",
    is_dangerous=True,
    is_offered=lambda secret: secret.revoked_at is None,
)


@admin.register(HmacSecret)
class HmacSecretAdmin(ShownOnceAdmin):
    form = HmacSecretForm
    list_display = ("display_name", "display_status", "last_used_at", "created_at", "id")
    list_filter = (StatusFilter,)
    search_fields = ("name",)
    search_help_text = "Name"
    ordering = ("-created_at",)
    object_pages = (REVOKE,)
    add_fieldsets = ((None, {"fields": ("display_tenant", "name", "opened_for")}),)
    fields = ("display_tenant", "name", "id", "created_at", "revoked_at", "last_used_at")

    def object_facts(self, row: HmacSecret) -> list[tuple[str, Any]]:
        return [("name", row.name or None), ("status", self.display_status(row))]

    def save_model(self, request: HttpRequest, obj: HmacSecret, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        new = create_hmac_secret(tenant=form.tenant, name=form.cleaned_data["name"], now=timezone.now())
        self.show_once(request, new.text)
        replace_fields(obj, new.row)

    def secret_note(self, row: HmacSecret) -> str:
        return f"The partner signs with it and sends {row.tenant.slug} as X-Tenant-Id."

    @display("name", ordering="name")
    def display_name(self, secret: HmacSecret) -> str:
        return secret.name or "(no name)"

    @display("status", label={"active": "success", "revoked": "danger"})
    def display_status(self, secret: HmacSecret) -> str:
        return "active" if secret.revoked_at is None else "revoked"
