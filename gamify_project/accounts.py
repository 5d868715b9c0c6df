"""Console pages of staff accounts: users and groups.

A superuser gives an account roles in tenants here; owners do so in their tenant (`memberships`). Groups are shown only where some exist:
an earlier release gave permissions with them, which hold in all tenants.

Only superusers give roles and permissions here. Only the owner of an account or a superuser sets its password. Staff who may change users, but
are no superusers, can correct the first and last name and deactivate accounts. Every other field would let them take over an
account: a password or e-mail address directly, a user name by replacing a colleague, and activation by restoring permissions.
"""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from gamify_project.account_actions import END_SESSIONS, REMOVE_PERMISSIONS, RESET_SECOND_FACTOR
from gamify_project.memberships import MembershipInline, save_inline
from gamify_project.reset_links import MAKE_LINK, SUPERUSERS_ONLY
from gamify_project.second_factor import services
from participants.admin.authorization import Needs, declares
from participants.admin.base import ConsoleAdmin
from participants.admin.empty import WhenEmpty
from participants.models import Capability

if TYPE_CHECKING:  # generic for the type checker only
    DjangoUserAdmin = UserAdmin[User]
    AccountFormBase = forms.ModelForm[User]
else:
    DjangoUserAdmin = UserAdmin
    AccountFormBase = forms.ModelForm

admin.site.unregister([User, Group])

PERMISSION_FIELDS = ("is_staff", "is_superuser", "groups")
IDENTITY_FIELDS = ("username", "email")


class AccountWithoutPasswordForm(AccountFormBase):
    """Form for a new account without a password. The owner sets it with a reset link, so that only they know it."""

    class Meta:
        model = User
        fields = ("username",)
        field_classes = {"username": UsernameField}

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's signature
        self.instance.set_unusable_password()
        return super().save(commit)


@admin.register(User)
class StaffUserAdmin(ConsoleAdmin, DjangoUserAdmin):
    """Superusers can change everything. Others can change what `get_readonly_fields` leaves, but no superuser.

    Accounts are deactivated and not deleted, because deletion would remove their audit rows.
    """

    needs = Needs(view=Capability.OPERATE, add=Capability.OPERATE, change=Capability.OPERATE, delete=Capability.OPERATE)
    when_empty = WhenEmpty(
        "There is no staff user yet. Add one who can log in here.",
        "Add a staff user",
        "auth_user_add",
    )
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "is_staff", "is_superuser", "is_active", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active")
    add_fieldsets = UserAdmin.add_fieldsets  # unfold's base class would hide it with an empty one
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Access", {"fields": ("is_active", *PERMISSION_FIELDS)}),
        ("Dates", {"fields": (("last_login", "date_joined"),)}),
    )
    filter_horizontal = ()
    autocomplete_fields = ("groups",)
    object_pages = (MAKE_LINK, RESET_SECOND_FACTOR, END_SESSIONS, REMOVE_PERMISSIONS)
    inlines = (MembershipInline,)

    def object_facts(self, row: User) -> list[tuple[str, Any]]:
        factor = services.confirmed_factor(row)
        return [("second factor", f"since {factor.created_at:%Y-%m-%d}" if factor else "none")]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return self.add_fieldsets if request.user.is_superuser else ((None, {"fields": ("username",)}),)
        first, *others = self.fieldsets
        shown = first if request.user.is_superuser else (None, {"fields": ("username",)})
        return [shown, *(others if Group.objects.exists() else map(_without_groups, others))]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else ()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        save_inline(formset)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        if obj is None and not request.user.is_superuser:
            kwargs["form"] = AccountWithoutPasswordForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ("last_login", "date_joined")
        if request.user.is_superuser:
            return fields
        if obj is None:
            return (*fields, *PERMISSION_FIELDS)
        return (*fields, *PERMISSION_FIELDS, *IDENTITY_FIELDS, *(() if obj.is_active else ("is_active",)))

    @declares(SUPERUSERS_ONLY, Capability.OPERATE)
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002 - Django's signature
        if not request.user.is_superuser:
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may_edit = request.user.is_superuser or not getattr(obj, "is_superuser", False)
        return may_edit and super().has_change_permission(request, obj)


def _without_groups(fieldset: Any) -> Any:
    title, options = fieldset
    return title, {**options, "fields": tuple(name for name in options["fields"] if name != "groups")}


@admin.register(Group)
class StaffGroupAdmin(ConsoleAdmin, GroupAdmin):
    """Groups contain permissions, so only superusers edit them."""

    needs = Needs(view=Capability.OPERATE, add=Capability.OPERATE, change=Capability.OPERATE, delete=Capability.OPERATE)
    when_empty = WhenEmpty(
        "There is no group yet. Add one to give the same permissions to several staff users.",
        "Add a group",
        "auth_group_add",
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    has_change_permission = has_delete_permission = has_add_permission
