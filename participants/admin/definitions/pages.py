"""The pages of a kind of definition."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from participants.admin.authorization import Needs, permission_to
from participants.admin.base import TenantDataAdmin, for_picked_tenant, replace_fields
from participants.admin.definitions.beside import beside, steps_of, summary_page, summary_url
from participants.admin.display import display
from participants.admin.pages import Done, Link, ObjectPage, Review
from participants.admin.picker import picked_tenant
from participants.admin.versions import PAGE, RevertForm, differences_to, sentence, settings_at, versions
from participants.errors import DomainError
from participants.models import Capability, Definition, Tenant
from participants.services.changes import newest_number
from participants.services.definitions import create_definition, update_definition

CURL_TEMPLATE = "admin/gamify_project/curl.html"  # of the project, which knows all routes of the API
IN_USE = ("is_active", "status")
"""The fields of definitions that say whether they are in use."""

SHOWN: tuple[str, dict[str, Any]] = ("Where it is shown", {"fields": ("is_active", "display_order")})
"""The last part of most forms."""


class DefinitionAdmin(TenantDataAdmin):
    """Subclasses set `form` and `columns` of the list, and say with `own_fieldsets` which parts the form has.

    Roles that may not publish create drafts, and change drafts. A draft is a definition that is not active.

    `save_new` and `save_changes` call the services with validated bodies, `save_settings` with fields of the model. The audit row is
    written in the same transaction. The history of a definition lists its versions.
    """

    needs = Needs(view=Capability.SEE_DEFINITIONS, add=Capability.PUBLISH, change=Capability.PUBLISH)
    noun: ClassVar[str]
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
    warn_unsaved_form = True
    change_form_before_template = "admin/participants/beside.html"
    change_form_after_template = "admin/participants/change_reason.html"

    class Media:
        js = ("participants/editor.js",)

    # --- what the definition means ---

    def in_words(self, row: Any) -> str:
        """Return the definition as one plain sentence. `row` may be unsaved, and then it may lack values."""
        raise NotImplementedError

    def warnings(self, row: Any) -> Iterable[str]:
        """Return what is allowed, but often a mistake, one sentence each."""
        return ()

    def suggestions(self, row: Any) -> Mapping[str, Sequence[str]]:
        """Return what the inputs of the form suggest, by the id of their list."""
        return {}

    def follows_form(self, request: HttpRequest, row: Any) -> SafeString:
        """Return a part of the page that follows the form and changes with it."""
        return SafeString("")

    def to_fields(self, data: Mapping[str, Any], *, tenant: Tenant) -> Mapping[str, Any]:
        """Return validated data of the body as fields of the model."""
        return data

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("summary/", self.own_page(self.summary_view), name=f"{name}_new_summary"),
            path("<path:object_id>/summary/", self.own_page(self.summary_view), name=f"{name}_summary"),
            path("<path:object_id>/curl/", self.own_page(self.curl_view), name=f"{name}_curl"),
            *super().get_urls(),
        ]

    def object_links(self, request: HttpRequest, row: Any) -> Iterable[Link]:
        yield from super().object_links(request, row)
        url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_curl", args=[row.pk])
        yield Link("As curl", url, "terminal", in_menu=True)

    def curl_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        shown = {"title": f"{row} as curl", "original": row, "opts": self.opts}
        return TemplateResponse(request, CURL_TEMPLATE, {**self.admin_site.each_context(request), **shown})

    def summary_view(self, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
        row = None if object_id is None else self.get_object(request, unquote(object_id))
        if row is None and object_id is not None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return summary_page(self, request, row)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Add what stands beside the form. Staff who may only view get the sentence."""
        row = kwargs.get("obj")
        may_edit = self.has_change_permission(request, row) if row else self.has_add_permission(request)
        context |= {
            "beside": beside(self, request, context["adminform"].form, lists_problems=False),
            "summary_url": summary_url(row, self.model) if may_edit else "",
            "steps": partial(steps_of, context["adminform"]),
        }
        return super().render_change_form(request, context, *args, **kwargs)

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
        about = ("About", {"fields": (("created_at", "updated_at"),)})
        return (("Name", {"fields": named}), *self.own_fieldsets(obj), *([about] if obj else []))

    def own_fieldsets(self, obj: Any) -> Iterable[tuple[str, dict[str, Any]]]:
        """Return the parts of the form between the name and "About". `obj` is None for a new definition."""
        raise NotImplementedError

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
