"""Console pages about staff: users, groups, failed logins and the audit trail."""

from typing import Any

from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from gamify_project import accounts, memberships  # noqa: F401 - these register their pages
from participants.admin.access import link_to
from participants.admin.authorization import Needs
from participants.admin.base import ReadOnlyAdmin
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.models import Capability

ACTIONS = {1: "added", 2: "changed", 3: "deleted"}


@admin.register(AccessAttempt)
class FailedLoginAdmin(ReadOnlyAdmin):
    """Failed logins. Deleting a row removes its failures and so unlocks the login."""

    needs = Needs(view=Capability.OPERATE, delete=Capability.OPERATE)
    when_empty = WhenEmpty(
        "No login has failed. You can see who may log in under the staff users.",
        "See the staff users",
        "auth_user_changelist",
    )
    list_display = ("username", "ip_address", "failures_since_start", "attempt_time")
    search_fields = ("username", "ip_address")
    ordering = ("-attempt_time",)
    fields = ("username", "ip_address", "failures_since_start", "attempt_time", "user_agent", "path_info")

    def has_delete_permission(self, request: HttpRequest, obj: AccessAttempt | None = None) -> bool:
        return self._may(request, "delete", obj)


@admin.register(LogEntry)
class AuditTrailAdmin(ReadOnlyAdmin):
    """The audit trail, newest first."""

    needs = Needs(view=Capability.OPERATE)
    when_empty = WhenEmpty(
        "Staff have not changed anything yet. Changes by keys and commands are listed per tenant.",
        "See the changes of the tenant",
        "participants_configurationchange_changelist",
    )
    list_display = ("action_time", "user", "display_action", "object_repr", "content_type", "display_message")
    list_filter = ("action_flag",)
    list_select_related = ("user", "content_type")
    search_fields = ("user__username", "object_repr", "object_id")
    search_help_text = "User name, object or its id"
    paginator = InfinitePaginator
    show_full_result_count = False
    ordering = ("-id",)
    fields = (
        "action_time",
        "display_user",
        "display_action",
        "content_type",
        "object_repr",
        "object_id",
        "display_message",
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[LogEntry]":
        return super().get_queryset(request).select_related("user", "content_type")

    @display("user")
    def display_user(self, entry: Any) -> SafeString | str:
        return link_to(entry.user, entry.reader)

    @display("action", label={"added": "success", "changed": "info", "deleted": "danger"})
    def display_action(self, entry: LogEntry) -> str:
        return ACTIONS.get(entry.action_flag, "")

    @display("change")
    def display_message(self, entry: LogEntry) -> str:
        return entry.get_change_message()
