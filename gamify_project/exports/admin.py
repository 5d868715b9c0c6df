"""The exports of the picked tenant in the console."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from gamify_project.exports.models import Export
from participants.admin.authorization import Needs
from participants.admin.base import ReadOnlyAdmin, TenantDataAdmin
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.words import plain
from participants.api.exporting import export_kinds
from participants.models import Capability

COLORS = {"queued": "info", "running": "info", "done": "success", "failed": "danger"}


@admin.register(Export)
class ExportAdmin(TenantDataAdmin, ReadOnlyAdmin):
    needs = Needs(view=Capability.OWN)
    when_empty = WhenEmpty(
        "There is no export yet. You can start one from a list, such as the ledger.",
        "Open the ledger",
        "points_ledgerentry_changelist",
    )
    list_display = (
        "created_at", "display_kind", "display_status", "rows", "display_size", "display_actor", "display_file", "expires_at",
    )  # fmt: skip
    ordering = ("-id",)
    sortable_by = ()
    fields = (
        ("display_kind", "format"),
        "display_filters",
        ("display_status", "error"),
        ("rows", "display_size"),
        "sha256",
        "display_file",
        ("display_actor", "request_id"),
        ("created_at", "finished_at", "expires_at"),
        "id",
    )

    def get_exports(self) -> Mapping[str, Mapping[str, str]]:
        """Every kind, without filters."""
        return {name: {} for name in export_kinds}

    @display("what")
    def display_kind(self, export: Export) -> str:
        return export_kinds[export.kind].title if export.kind in export_kinds else export.kind

    @display("filters")
    def display_filters(self, export: Export) -> str:
        words = (f"{name.replace('_', ' ')} is {plain(value)}" for name, value in export.filters.items())
        return ", ".join(words) or "all rows"

    @display("status", label=COLORS)
    def display_status(self, export: Export) -> str:
        return export.status

    @display("size")
    def display_size(self, export: Export) -> str:
        return filesizeformat(export.size)

    @display("by")
    def display_actor(self, export: Export) -> str:
        return export.actor_label or "not known"

    @display("file")
    def display_file(self, export: Any) -> SafeString | str:
        if not export.is_available_at(timezone.now()) or export.kind not in export_kinds:
            return "–"
        if not export.reader.has_perm(export_kinds[export.kind].permission):
            return "no permission"
        url = reverse("admin:exports_export_file", args=[export.pk])
        return format_html(
            '<a href="{}" class="console-link" download>{}</a>', url, f"Download {export.format.upper()}"
        )
