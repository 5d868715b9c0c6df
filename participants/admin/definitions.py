"""The console pages of every kind of definition: a list, and a form that the API's bodies validate. There is no delete.

class TierForm(DefinitionForm):
    create_body, update_body = NewTier, TierChanges
    level = IntegerField(...)

@admin.register(Tier)
class TierAdmin(DefinitionAdmin):
    noun, form, settings, columns = "tier", TierForm, ("level", ...), ("level",)
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.forms.utils import pretty_name
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from rest_framework.serializers import Serializer

from participants.admin.authorization import Needs, permission_to
from participants.admin.base import TenantDataAdmin, TenantDataForm, for_picked_tenant, replace_fields
from participants.admin.display import display
from participants.admin.fields import ColorWidget, IntegerField, LineField, SwitchField, TextField, without_empty
from participants.admin.pages import Done, ObjectPage, Review
from participants.admin.picker import picked_tenant
from participants.admin.versions import PAGE, RevertForm, differences_to, sentence, settings_at, versions
from participants.errors import DomainError, FieldError, field_errors
from participants.models import Capability, Definition, Tenant
from participants.services.changes import newest_number
from participants.services.definitions import create_definition, update_definition

IN_USE = ("is_active", "status")
"""The fields of definitions that say whether they are in use."""

ORDER = "Lists are sorted by this number, then by code."
COLOR = "A code such as #0891B2, or a name. Leave empty for none."
PICTURE = "An http or https URL."


def color_field() -> LineField:
    return LineField(label="Color", widget=ColorWidget, help_text=COLOR)


def picture_field() -> LineField:
    return LineField(label="Icon", help_text=PICTURE)


class DefinitionForm(TenantDataForm):
    """Turns its fields into the body that an API client would send, and shows the errors of that body on its fields.

    A change sends only the fields that differ from what the page showed (hidden initial values). So it does not undo changes
    that were made to other fields meanwhile.
    """

    create_body: ClassVar[type[Serializer[Any]]]
    update_body: ClassVar[type[Serializer[Any]]]
    form_names: ClassVar[Mapping[str, str]] = {}  # dotted path in the body → form field, if the names differ
    only_new: tuple[str, ...] = ("code",)
    only_edited: ClassVar[tuple[str, ...]] = ()  # fields that are hidden from staff who may only view
    unset_words: ClassVar[Mapping[str, str]] = {}  # what an empty field means, for staff who may only view
    is_draft_only: ClassVar[bool] = False  # the user may not publish

    code = LineField(required=True, help_text="The code that your application uses. It cannot be changed later.")
    name = LineField(required=True, help_text="Display name.")
    description = TextField()
    is_active = SwitchField(label="Active", initial=True)
    display_order = IntegerField(initial=0, help_text=ORDER)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = field.label or pretty_name(name)  # the audit trail uses labels
            has_own = getattr(field, "submits_shown_value", False)
            field.show_hidden_initial = not self.instance._state.adding and not has_own
        if self.is_draft_only:
            self.keep_as_draft()

    def keep_as_draft(self) -> None:
        """Take away the choice to put the definition into use. Django ignores what is sent for a disabled field."""
        field = self.fields["is_active"]
        field.disabled, field.initial = True, False
        field.help_text = "Somebody who may publish activates it."

    def body(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the body with the values of the form fields `names`."""
        return {name: self.cleaned_data[name] for name in names}

    def _post_clean(self) -> None:
        """Django's hook for validation by the model. Here the API's body validates."""
        self.judged = self._bound_body()
        if self.judged.is_valid():
            return
        self._place(field_errors(self.judged.errors))

    def _bound_body(self) -> Serializer[Any]:
        filled_in = [name for name in self.cleaned_data if name != "opened_for"]
        if self.instance._state.adding:
            return self.create_body(data=without_empty(self.body(filled_in)))
        changed = [name for name in filled_in if name in self.changed_data]
        return self.update_body(instance=self.instance, data=self.body(changed), partial=True)

    def _place(self, errors: Iterable[FieldError]) -> None:
        refused = set(self.errors)  # refused by the form itself, so not part of the body
        for field, message in map(self._field_of, errors):
            if field not in refused:
                self.add_error(field, message)

    def _field_of(self, error: FieldError) -> tuple[str | None, str]:
        head, _, tail = error.field.partition(".")
        field = self.form_names.get(error.field) or self.form_names.get(head, head)
        message = f"No. {int(tail) + 1}: {error.message}" if tail.isdecimal() else error.message
        return (field if field in self.fields else None), message


class DefinitionAdmin(TenantDataAdmin):
    """Subclasses set `form`, `settings` (its fields besides those of every definition) and `columns` of the list.

    Roles that may not publish create drafts, and change drafts. A draft is a definition that is not active.

    `save_new` and `save_changes` call the services with validated bodies, `save_settings` with fields of the model. The audit row is
    written in the same transaction. The history of a definition lists its versions.
    """

    needs = Needs(view=Capability.SEE_DEFINITIONS, add=Capability.PUBLISH, change=Capability.PUBLISH)
    noun: ClassVar[str]
    settings: ClassVar[Sequence[Any]]
    columns: ClassVar[Sequence[Any]] = ()
    list_filter: ClassVar[Any] = ("is_active",)
    search_fields: ClassVar[tuple[str, ...]] = ("code", "name")
    search_help_text = "Part of the code or the name"
    ordering = ("display_order", "code")
    sortable_by = ("name",)
    actions = ("activate", "deactivate")
    about_activating = "It is in use again immediately."
    about_deactivating = "Nothing more is given or counted from now on. Participants keep what they have."
    readonly_fields: ClassVar[tuple[str, ...]] = ("id", "created_at", "updated_at")
    change_form_after_template = "admin/participants/change_reason.html"

    # --- drafts ---

    def is_draft(self, row: Any) -> bool:
        return not row.is_active

    def capability_to(self, action: str, row: Any = None) -> Capability | None:
        if action == "add" or (action == "change" and (row is None or self.is_draft(row))):
            return Capability.DRAFT
        return super().capability_to(action, row)

    def has_publish_permission(self, request: HttpRequest) -> bool:
        """Whether the user may change what is in use. Django asks this for actions that declare `publish`."""
        return bool(request.user.has_perm(permission_to("change", self.model)))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        form = super().get_form(request, obj, change=change, **kwargs)
        publishes = request.user.has_perm(permission_to("change" if obj else "add", self.model))
        return form if publishes else type(form.__name__, (form,), {"is_draft_only": True})

    def _refuse_if_published(self, request: HttpRequest, row: Any) -> None:
        """Refuse a change by somebody who may change drafts only if the row is in use by now. Call it after the change, which locks the row.

        Raises: PermissionDenied.
        """
        if not self.has_publish_permission(request) and not self.is_draft(self.model._default_manager.get(pk=row.pk)):
            raise PermissionDenied

    # --- lists and forms ---

    def get_list_display(self, request: HttpRequest) -> Any:
        return ("name", "code", "display_status", *self.columns, "display_order")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        named = ("name", "description") if obj else ("code", "name", "description", "opened_for")
        about = ("About", {"fields": ("id", ("created_at", "updated_at"))})
        return ((None, {"fields": named}), *self.own_fieldsets(obj), *([about] if obj else []))

    def own_fieldsets(self, obj: Any) -> Iterable[tuple[str, dict[str, Any]]]:
        """Return the parts of the form between the name and "About". `obj` is None for a new definition."""
        return (
            ("Settings", {"fields": self.settings}),
            ("Where it is shown", {"fields": ("is_active", "display_order")}),
        )

    def object_facts(self, row: Any) -> list[tuple[str, Any]]:
        return [("code", row.code), ("status", self.display_status(row))]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        data, now = form.judged.validated_data, timezone.now()
        if not change:
            replace_fields(obj, self.save_new(tenant=form.tenant, data=data, now=now))
        elif data:
            replace_fields(obj, self.save_changes(obj, tenant=form.tenant, changes=data, now=now))
            self._refuse_if_published(request, obj)

    def save_new(self, *, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> Definition:
        model: type[Definition] = self.model
        return create_definition(model, noun=self.noun, tenant=tenant, data=data, now=now)

    def save_changes(self, row: Any, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime) -> Definition:
        return self.save_settings(row, tenant=tenant, changes=changes, now=now)

    def save_settings(self, row: Any, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime) -> Definition:
        changed: Definition = update_definition(row, tenant=tenant, changes=changes, now=now)
        return changed

    # --- versions ---

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return for_picked_tenant(request, self._versions_view, request, object_id)

    def _versions_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        newest = newest_number(row)
        page = Paginator(range(newest, 0, -1), PAGE).get_page(request.GET.get("p"))
        numbers = list(page.object_list)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Versions of {row}",
            "opts": self.opts,
            "original": row,
            "object": row,
            "versions": list(versions(self, request, row, first=numbers[-1], last=numbers[0])),
            "newest": newest,
            "page": page,
            "previous": str(page.number - 1),
            "next": str(page.number + 1),
            "revert_url": self._revert_page().url(row) if self.has_change_permission(request, row) else "",
        }
        return TemplateResponse(request, "admin/participants/versions.html", context)

    def get_object_pages(self) -> Iterable[ObjectPage]:
        return [*super().get_object_pages(), self._revert_page()]

    def _revert_page(self) -> ObjectPage:
        return ObjectPage(
            name="revert",
            title="Revert",
            explanation="The definition gets the settings of an earlier version. This makes a new version, so it can be reverted too.",
            button="Revert",
            review_button="Show what changes",
            permission=permission_to("change", self.model),
            capability=Capability.PUBLISH,
            capability_for=lambda row: Capability.DRAFT if self.is_draft(row) else Capability.PUBLISH,
            form_class=RevertForm,
            perform=self._revert,
            review=self._review_revert,
            is_offered=lambda row: newest_number(row) > 1,
            icon="history",
            has_button=False,
        )

    def _review_revert(self, request: HttpRequest, row: Any, form: Any) -> Review:
        settings = self._settings_at(request, row, form.cleaned_data["version"])
        found = differences_to(self, request, row, settings)
        sentences: list[str] = [sentence(each) for each in found]
        sentences = sentences or ["Nothing differs from that version."]
        return Review(sentences, {name: str(value) for name, value in form.cleaned_data.items()})

    def _revert(self, request: HttpRequest, row: Any, data: Mapping[str, Any]) -> Done:
        settings = self._settings_at(request, row, data["version"])
        tenant = picked_tenant(request)
        assert tenant is not None, "the page is only shown for a picked tenant"  # noqa: S101
        if settings:
            self.save_settings(row, tenant=tenant, changes=settings, now=timezone.now())
            self._refuse_if_published(request, row)
        return Done(f"Reverted to version {data['version']}.", f"Reverted to version {data['version']}.")

    def _settings_at(self, request: HttpRequest, row: Any, number: int) -> dict[str, Any]:
        """Return the settings of a version. A draft stays a draft if the user may not publish."""
        settings = settings_at(row, number)
        is_kept = self.has_publish_permission(request)
        return {name: value for name, value in settings.items() if is_kept or name not in IN_USE}

    @admin.action(description="Activate", permissions=["publish"])
    def activate(self, request: HttpRequest, rows: "QuerySet[Any]") -> HttpResponse | None:
        return self._confirm_or_switch(request, rows.filter(is_active=False), "activate", self.about_activating)

    @admin.action(description="Deactivate", permissions=["publish"])
    def deactivate(self, request: HttpRequest, rows: "QuerySet[Any]") -> HttpResponse | None:
        return self._confirm_or_switch(request, rows.filter(is_active=True), "deactivate", self.about_deactivating)

    def _confirm_or_switch(
        self, request: HttpRequest, rows: "QuerySet[Any]", action: str, about: str
    ) -> HttpResponse | None:
        """Show a confirmation page first. The second POST contains `confirmed`, and then the change is made."""
        chosen = list(rows)
        if not chosen:
            messages.info(request, f"Nothing to {action}.")
        elif "confirmed" in request.POST:
            self._switch_or_say_why_not(request, chosen, action=action)
        else:
            return self._confirmation_page(request, chosen, action, about)
        return None

    def _confirmation_page(self, request: HttpRequest, rows: Sequence[Any], action: str, about: str) -> HttpResponse:
        title = f"{action.capitalize()} {self._count_with_noun(rows)}"
        shown = {"rows": rows, "action": action, "about": about, "opts": self.opts, "title": title}
        context = {**self.admin_site.each_context(request), **shown}
        return TemplateResponse(request, "admin/participants/confirm_action.html", context)

    def _switch_or_say_why_not(self, request: HttpRequest, rows: Sequence[Any], *, action: str) -> None:
        try:
            self._switch(request, rows, action=action)
        except DomainError as refusal:
            messages.error(request, refusal.message)

    @transaction.atomic
    def _switch(self, request: HttpRequest, rows: Sequence[Any], *, action: str) -> None:
        tenant, done = picked_tenant(request), f"{action.capitalize()}d"
        assert tenant is not None, "the list is only shown for a picked tenant"  # noqa: S101
        for row in rows:
            self.save_changes(row, tenant=tenant, changes={"is_active": action == "activate"}, now=timezone.now())
            self.log_change(request, row, f"{done}.")
        messages.success(request, f"{done} {self._count_with_noun(rows)}.")

    def _count_with_noun(self, rows: Sequence[Any]) -> str:
        name = self.opts.verbose_name if len(rows) == 1 else self.opts.verbose_name_plural
        return f"{len(rows)} {name}"

    @display("status", ordering="is_active", label={"active": "success", "inactive": "warning"})
    def display_status(self, row: Any) -> str:
        return "active" if row.is_active else "inactive"
