"""Console pages about the staff itself: users, groups, failed logins, and the trail of what they did."""

from typing import TYPE_CHECKING, Any

from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.paginator import InfinitePaginator

from participants.admin.access import link_to
from participants.admin.base import ConsoleAdmin, ReadOnlyAdmin
from participants.admin.display import display

if TYPE_CHECKING:  # generic for the type checker only
    DjangoUserAdmin = UserAdmin[User]
else:
    DjangoUserAdmin = UserAdmin

admin.site.unregister([User, Group])

POWERS = ("is_staff", "is_superuser", "groups")
ACTIONS = {1: "added", 2: "changed", 3: "deleted"}


@admin.register(User)
class StaffUserAdmin(ConsoleAdmin, DjangoUserAdmin):
    """Only a superuser gives powers or touches another superuser: whoever may edit users must not promote themselves."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "is_staff", "is_superuser", "is_active", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active")
    add_fieldsets = UserAdmin.add_fieldsets  # unfold's base has an empty one in the way
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("What they may do", {"fields": ("is_active", *POWERS)}),
        ("Since when", {"fields": (("last_login", "date_joined"),)}),
    )
    filter_horizontal = ()
    autocomplete_fields = ("groups",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ("last_login", "date_joined")
        return fields if request.user.is_superuser else (*fields, *POWERS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _is_no_step_up(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # their audit rows would go with them; switch the account off instead


def _is_no_step_up(request: HttpRequest, user: Any) -> bool:
    return request.user.is_superuser or not getattr(user, "is_superuser", False)


@admin.register(Group)
class StaffGroupAdmin(ConsoleAdmin, GroupAdmin):
    """Groups are powers: superusers edit them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser


@admin.register(AccessAttempt)
class FailedLoginAdmin(ReadOnlyAdmin):
    """Deleting a row forgets its failures, and so unlocks."""

    list_display = ("username", "ip_address", "failures_since_start", "attempt_time")
    search_fields = ("username", "ip_address")
    ordering = ("-attempt_time",)
    fields = ("username", "ip_address", "failures_since_start", "attempt_time", "user_agent", "path_info")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("axes.delete_accessattempt")


@admin.register(LogEntry)
class AuditTrailAdmin(ReadOnlyAdmin):
    """Who did what, newest first."""

    list_display = ("action_time", "user", "shown_action", "object_repr", "content_type", "shown_message")
    list_filter = ("action_flag",)
    list_select_related = ("user", "content_type")
    search_fields = ("user__username", "object_repr", "object_id")
    search_help_text = "User name, object or its id"
    paginator = InfinitePaginator
    show_full_result_count = False
    ordering = ("-id",)
    fields = ("action_time", "shown_user", "shown_action", "content_type", "object_repr", "object_id", "shown_message")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[LogEntry]":
        return super().get_queryset(request).select_related("user", "content_type")

    @display("user")
    def shown_user(self, entry: Any) -> SafeString | str:
        return link_to(entry.user, entry.reader)

    @display("action", label={"added": "success", "changed": "info", "deleted": "danger"})
    def shown_action(self, entry: LogEntry) -> str:
        return ACTIONS.get(entry.action_flag, "")

    @display("what")
    def shown_message(self, entry: LogEntry) -> str:
        return entry.get_change_message()
