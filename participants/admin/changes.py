"""Console pages of the change log of configuration."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from participants.admin.actors import KIND_WORDS
from participants.admin.authorization import Needs
from participants.admin.base import ConsoleAdmin, ReadOnlyAdmin, TenantDataAdmin
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.filters import DayFilter
from participants.admin.picker import picked_tenant
from participants.admin.words import plain
from participants.models import Capability, ConfigurationChange
from participants.selectors import wrote


class ObjectTypeFilter(admin.SimpleListFilter):
    """Offers the kinds of which the log has changes."""

    title, parameter_name = "what", "object_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        found = model_admin.get_queryset(request).order_by().values_list("object_type", flat=True).distinct()
        return [(name, _words(name)) for name in sorted(found)]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        return queryset.filter(object_type=self.value()) if self.value() else queryset


class ActorKindFilter(admin.SimpleListFilter):
    title, parameter_name = "by", "actor_kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(KIND_WORDS.items())

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        return queryset.filter(wrote(self.value())) if self.value() in KIND_WORDS else queryset


@admin.register(ConfigurationChange)
class ConfigurationChangeAdmin(TenantDataAdmin, ReadOnlyAdmin):
    """Changes of the picked tenant, and those of staff accounts for users who may see these."""

    needs = Needs(view=Capability.SEE_DEFINITIONS)
    when_empty = WhenEmpty(
        "Nothing was changed yet. What staff do in the console is also in the audit trail.",
        "See the audit trail",
        "admin_logentry_changelist",
    )
    list_display = ("created_at", "display_actor", "display_object", "display_fields", "reason")
    list_filter = (ObjectTypeFilter, ActorKindFilter, ("created_at", DayFilter))
    exports = {
        "changes": {
            "object_type": "object_type",
            "actor_kind": "actor",
            "created_at_from": "since",
            "created_at_to": "until",
        }
    }
    list_filter_submit = True
    search_fields = ("code", "actor_label", "request_id")
    search_help_text = "Part of a code or of an actor's name, or a request id"
    ordering = ("-id",)
    sortable_by = ()
    fields = ("created_at", "display_actor", "request_id", "display_object", "number", "reason", "display_changes")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        tenant = picked_tenant(request)
        if tenant is None:
            return ConfigurationChange.objects.none()
        of_staff = Q(tenant=None) if request.user.has_perm("auth.view_user") else Q(pk__in=[])
        return ConsoleAdmin.get_queryset(self, request).filter(Q(tenant_id=tenant.pk) | of_staff)

    @display("by")
    def display_actor(self, change: ConfigurationChange) -> str:
        actor = change.actor_json
        return f"{KIND_WORDS.get(actor['kind'], actor['kind'])} {actor['label']}" if actor else "not known"

    @display("what")
    def display_object(self, change: ConfigurationChange) -> str:
        version = f", version {change.number}" if change.number else ""
        return f"{_words(change.object_type)} {change.code}{version}"

    @display("changed")
    def display_fields(self, change: ConfigurationChange) -> str:
        if not change.changes:
            return "exported, not changed"
        return "created" if change.number == 1 else ", ".join(map(_words, change.changes))

    @display("changes")
    def display_changes(self, change: ConfigurationChange) -> SafeString:
        rows = format_html_join(
            "",
            "<tr><th>{}</th><td>{}</td><td>{}</td></tr>",
            ((_words(name), plain(each["before"]), plain(each["after"])) for name, each in change.changes.items()),
        )
        head = "<thead><tr><th>setting</th><th>before</th><th>after</th></tr></thead>"
        return format_html('<table class="console-table">' + head + "<tbody>{}</tbody></table>", rows)


def _words(name: str) -> str:
    return name.replace("_", " ")
