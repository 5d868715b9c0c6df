"""Console pages of memberships: owners of a tenant give roles in it, superusers do so on the page of an account too."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from gamify_project.reset_links import reset_path
from participants.admin import audit
from participants.admin.authorization import Needs
from participants.admin.base import TenantDataAdmin, TenantDataForm, replace_fields
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.fields import ChoiceField, LineField, SwitchField
from participants.admin.pages import Done, ObjectPage, secret_page
from participants.admin.words import plain
from participants.database import all_tenants
from participants.errors import DomainError
from participants.models import ROLES, Capability, Membership
from participants.models.roles import sees_all_tenants
from participants.services.memberships import change_role, give_role, take_role

if TYPE_CHECKING:  # unfold has no types; its inline is a subclass of Django's
    from django.contrib.admin import TabularInline

    InlineBase = TabularInline[Membership, User]
    InlineFormBase = forms.ModelForm[Membership]
else:
    from unfold.admin import TabularInline as InlineBase

    InlineFormBase = forms.ModelForm

LIST = "admin:participants_membership_changelist"
MEMO = "invitation"
ROLE_CHOICES = [(role.name, f"{role.title}: {role.about}") for role in ROLES.values()]
LINK_NOTE = "Give this link only to {}. It works once, within 24 hours: they set their password with it."


class OwnRole(DomainError):
    code = "own_role"
    text = "Nobody changes their own role. Ask another owner"


class MembershipForm(TenantDataForm):
    only_new = ("username", "creates")

    username = LineField(label="User name", required=True, help_text="The name with which they log in.")
    creates = SwitchField(
        label="New account",
        help_text="Create the account. The next page shows a link with which they set their password.",
    )
    role = ChoiceField(choices=ROLE_CHOICES)

    class Meta:
        model = Membership
        fields = ("role",)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.instance._state.adding and "username" in self.cleaned_data:
            self._check_account(self.cleaned_data["username"])
        elif self.instance.user_id == self.request.user.pk:
            self.add_error(None, OwnRole().message)
        return cleaned

    def _check_account(self, username: str) -> None:
        """Refuse accounts that are no active members of the staff: only superusers make them so."""
        self.account = User.objects.filter(username=User.normalize_username(username)).first()
        if self.cleaned_data.get("creates"):
            self._check_new(username)
        elif self.account is None:
            self.add_error("username", "There is no such account. Choose “New account” to create it.")
        elif not (self.account.is_active and self.account.is_staff):
            self.add_error("username", "This account cannot use the console. A superuser can change that.")

    def _check_new(self, username: str) -> None:
        try:
            UnicodeUsernameValidator()(username)
        except forms.ValidationError as error:
            self.add_error("username", error)
        if self.account is not None:
            self.add_error("username", "There is such an account already. Leave “New account” off.")


def _take(request: HttpRequest, row: Membership, data: Mapping[str, Any]) -> Done:
    if row.user_id == request.user.pk:
        raise OwnRole
    take_role(row, now=timezone.now())
    done = f"{row.user} has no role in {row.tenant} any more."
    return Done(done, "Took the role away.", flag=audit.DELETION, next_url=reverse(LIST))


def _invite(request: HttpRequest, row: Membership, data: Mapping[str, Any]) -> Done:
    link = request.build_absolute_uri(reset_path(row.user))
    return Done(LINK_NOTE.format(row.user), "Created a link to set the first password.", secret=link)


def _can_be_invited(row: Membership) -> bool:
    """Whether this membership created the account, nobody has used it, and it is about this tenant only.

    A link for any other account would let an owner take it over.
    """
    user = row.user
    is_unused = user.is_active and user.last_login is None and not user.has_usable_password()
    if not is_unused or user.date_joined != row.created_at or sees_all_tenants(user):
        return False
    with all_tenants():
        return not Membership.objects.filter(user=user).exclude(tenant__slug=row.tenant.slug).exists()


TAKE = ObjectPage(
    name="take",
    title="Take the role away",
    explanation="They see nothing of this tenant any more, from their next request on. Their account stays.",
    permission="participants.delete_membership",
    capability=Capability.OWN,
    perform=_take,
    icon="person_remove",
    is_dangerous=True,
)
INVITE = ObjectPage(
    name="invite",
    title="New link",
    explanation="Creates a link with which they set their first password. It works once, within 24 hours.",
    button="Create the link",
    permission="participants.change_membership",
    capability=Capability.OWN,
    perform=_invite,
    icon="lock_reset",
    is_offered=_can_be_invited,
)


@admin.register(Membership)
class MembershipAdmin(TenantDataAdmin):
    """The members of the picked tenant."""

    when_empty = WhenEmpty(
        "Nobody has a role in this tenant yet. Add the first member.",
        "Add a member",
        "participants_membership_add",
    )
    needs = Needs(view=Capability.OWN, add=Capability.OWN, change=Capability.OWN)
    form = MembershipForm
    list_display = ("display_user", "display_role", "display_login", "created_at")
    list_select_related = ("user", "tenant")
    search_fields = ("user__username",)
    search_help_text = "Part of the user name"
    ordering = ("user__username",)
    sortable_by = ()
    object_pages = (INVITE, TAKE)
    add_fieldsets = ((None, {"fields": ("username", "role", "creates", "opened_for")}),)
    fieldsets = ((None, {"fields": ("role",)}), ("About", {"fields": ("id", "created_at")}))
    readonly_fields = ("id", "created_at")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Membership]":
        return super().get_queryset(request).select_related("user", "tenant")

    def object_facts(self, row: Membership) -> list[tuple[str, Any]]:
        return [("user", row.user), ("role", row.role), ("last login", self.display_login(row))]

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        role, now = form.cleaned_data["role"], timezone.now()
        if change:
            replace_fields(obj, change_role(obj, role=role, now=now))
            return
        user = _account_for(form, now=now)
        replace_fields(obj, give_role(tenant=form.tenant, user=user, role=role, now=now))
        if form.cleaned_data["creates"]:
            vars(request)[MEMO] = request.build_absolute_uri(reset_path(user))

    def response_add(self, request: HttpRequest, obj: Membership, post_url_continue: str | None = None) -> HttpResponse:
        """Show the link of a new account. It is no redirect, because then it would have to be stored meanwhile."""
        link = vars(request).pop(MEMO, "")
        if not link:
            return super().response_add(request, obj, post_url_continue)
        about = {"title": "New account", "noun": "link", "about": LINK_NOTE.format(obj.user)}
        return secret_page(request, obj, link, self.admin_site.each_context(request), **about)

    @display("user")
    def display_user(self, row: Membership) -> str:
        return str(row.user) if row.user.is_active else f"{row.user} (deactivated)"

    @display("role", label=dict.fromkeys(ROLES, "info"))
    def display_role(self, row: Membership) -> str:
        return row.role

    @display("last login")
    def display_login(self, row: Membership) -> str:
        return plain(row.user.last_login) if row.user.last_login else "never"


def _account_for(form: Any, *, now: datetime) -> User:
    """Return the account that the form names. A new one has no password, and can use the console."""
    if not form.cleaned_data["creates"]:
        return form.account  # type: ignore[no-any-return]
    return User.objects.create_user(form.cleaned_data["username"], is_staff=True, date_joined=now)


# --- on the page of an account ----------------------------------------------------------------------------------------


class InlineForm(InlineFormBase):
    role = ChoiceField(choices=[(role.name, role.title) for role in ROLES.values()])

    class Meta:
        model = Membership
        fields = ("tenant", "role")


class MembershipInline(InlineBase):
    """The roles of an account in all tenants. Only superusers change them here."""

    model = Membership
    form = InlineForm
    extra = 0
    autocomplete_fields = ("tenant",)
    verbose_name, verbose_name_plural = "role in a tenant", "roles in tenants"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Name tenants without a link to those who may not change roles: they may not open every tenant."""
        return ("tenant", "role") if request.user.is_superuser else ("display_tenant", "role")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if request.user.is_superuser else ("display_tenant", "role")

    @display("tenant")
    def display_tenant(self, membership: Membership) -> str:
        return str(membership.tenant)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # to everybody who may open the page of the account

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    has_change_permission = has_delete_permission = has_add_permission


def save_inline(formset: Any) -> None:
    """Save the forms of `MembershipInline` with the services. Raises: AlreadyMember."""
    rows, now = formset.save(commit=False), timezone.now()
    for row in formset.deleted_objects:
        take_role(row, now=now)
    for row in rows:
        if row._state.adding:
            give_role(tenant=row.tenant, user=row.user, role=row.role, now=now)
        else:
            change_role(row, role=row.role, now=now)
