"""Base classes of console pages.

Writes call services and show their errors on the form, every write adds an audit row, and pages show one tenant at a time.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import SimpleTemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from participants.admin import audit, pages
from participants.admin.access import link_to
from participants.admin.authorization import (
    Declared,
    Needs,
    PageNeed,
    View,
    may,
    page_needs,
    permission_to,
    require,
)
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.pages import Link, ObjectPage
from participants.admin.picker import picked_tenant, redirect_to_picker
from participants.admin.refusals import ConsoleForm, show_refusal_on_form
from participants.admin.viewing import show_in_words
from participants.models import Capability
from participants.models.roles import sees_all_tenants
from participants.work import reading

if TYPE_CHECKING:  # unfold has no types; its ModelAdmin is a subclass of Django's
    from django.contrib.admin import ModelAdmin

    Base = ModelAdmin[Any]
else:
    from unfold.admin import ModelAdmin as Base


class ConsoleAdmin(Base):
    """Base of all console pages of a model. Errors that services raise are shown on the form.

    Subclasses set `needs`, which decides for which roles the pages open.
    """

    needs: ClassVar[Needs]

    list_per_page = 50
    show_facets = ShowFacets.NEVER  # a count for each choice would read the whole table
    list_disable_select_all = True
    change_form_outer_before_template = "admin/participants/object_head.html"
    actions: Any = None
    object_pages: Sequence[ObjectPage] = ()
    when_empty: WhenEmpty | None = None
    """What the list says if it has no rows. Every registered list has to say what to do then."""

    class Media:
        js = ("participants/dialogs.js",)

    def get_urls(self) -> list[URLPattern]:
        return [self._route(page) for page in self.get_object_pages()] + list(super().get_urls())

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Add the attribute `reader` to the row: the user, whose permissions decide which links are shown."""
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            row.reader = request.user
        return row

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Add the attribute `reader` to each row, as in `get_object`, and to the list the link that it shows without rows."""
        changelist: Any = super().get_changelist_instance(request)
        changelist.when_empty_url = self.when_empty.url(request.user) if self.when_empty else None
        for row in changelist.result_list:
            row.reader = request.user
        return changelist

    def get_object_pages(self) -> Iterable[ObjectPage]:
        return self.object_pages

    def declared(self) -> Iterator[Declared]:
        """Yield the permissions that the pages of this model declare, with their capabilities."""
        yield from self.needs.declared(self.model)
        yield from ((page.permission, page.capability) for page in self.get_object_pages())

    def capability_to(self, action: str, row: Any = None) -> Capability | None:
        """Return what `action` (view, add, change, delete) needs: with `row`, or with some row. None: nobody may do it."""
        needed: Capability | None = getattr(self.needs, action)
        return needed

    def _may(self, request: HttpRequest, action: str, row: Any = None) -> bool:
        needed = self.capability_to(action, row)
        return needed is not None and may(request.user, permission_to(action, self.model), needed)

    def _route(self, page: ObjectPage) -> URLPattern:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            return self.object_page_view(request, object_id, page)

        vars(view).update(model_admin=self, object_page=page)
        name = f"{self.opts.app_label}_{self.opts.model_name}_{page.name}"
        return path(f"<path:object_id>/{page.name}/", self.admin_site.admin_view(view), name=name)

    def object_page_view(self, request: HttpRequest, object_id: str, page: ObjectPage) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return pages.answer(page, request, row, self.admin_site.each_context(request))

    def get_paginator(self, request: HttpRequest, queryset: Any, per_page: int, *args: Any, **options: Any) -> Any:
        """Django's hook. The history of one row is short, so it is always counted, even if the list of rows is not."""
        is_history = request.resolver_match is not None and str(request.resolver_match.url_name).endswith("_history")
        paginator = Paginator if is_history else self.paginator
        return paginator(queryset, per_page, *args, **options)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        view = super().changeform_view
        return show_refusal_on_form(request, lambda: view(request, object_id, form_url, dict(extra_context or {})))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        row = kwargs.get("obj")
        if row and issubclass(self.form, ConsoleForm) and not self.has_change_permission(request, row):
            show_in_words(context["adminform"], request, row)
        if row:
            links = list(self.object_links(request, row))
            context |= {
                "object_title": self.object_title(row),
                "object_facts": self.object_facts(row),
                "object_links": [link for link in links if not link.in_menu],
                "object_menu": [link for link in links if link.in_menu],
            }
        context["show_save_and_add_another"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    def object_title(self, row: Any) -> str:
        """Return the name that the page of an object shows in large print."""
        return str(row)

    def object_facts(self, row: Any) -> Sequence[tuple[str, Any]]:
        """Return (label, value) pairs that the page of an object shows under its name."""
        return ()

    def object_links(self, request: HttpRequest, row: Any) -> Iterable[Link]:
        """Return the buttons and the entries of the menu at the top of the page of an object."""
        return [page.link(row) for page in self.get_object_pages() if page.has_button and page.is_open(request, row)]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"request": request}) if issubclass(form, ConsoleForm) else form

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # rows are disabled, deactivated, revoked or undone; a page that deletes says so

    def hint_where_missing(self, request: HttpRequest) -> str:
        return ""

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Django's hook for an object that the queryset does not contain.

        Raises: Http404 for users with roles. They must not learn whether another tenant has the object.
        """
        if not sees_all_tenants(request.user):
            raise Http404
        messages.warning(request, f"There is no such {opts.verbose_name}{self.hint_where_missing(request)}.")
        return HttpResponseRedirect(reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"))

    # Django calls these to write the audit rows of its forms. `audit` keeps personal data out of them.

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return audit.record(request, obj, audit.ADDITION, _text(message))

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return audit.record(request, obj, audit.CHANGE, _text(message))


def _text(message: Any) -> str:
    return message if isinstance(message, str) else json.dumps(message)


class ReadOnlyAdmin(ConsoleAdmin):
    """Base of pages without adding and changing."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TenantDataAdmin(ConsoleAdmin):
    """Base of pages about rows of the picked tenant. Lists, searches and object pages use `get_queryset`, which filters by it."""

    paginator = InfinitePaginator  # does not count: big tenants have millions of rows
    list_before_template = "admin/exports/links.html"
    exports: Mapping[str, Mapping[str, str]] = {}
    """The kinds of export that the list offers. Each maps parameters of the list to filters of the export."""

    show_full_result_count = False

    def get_exports(self) -> Mapping[str, Mapping[str, str]]:
        return self.exports

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        tenant = picked_tenant(request)
        rows = super().get_queryset(request)
        return rows.none() if tenant is None else rows.filter(tenant_id=tenant.pk)

    def own_page(self, view: View) -> View:
        """Return `view` for a route of its own. The page needs what viewing rows of this model needs."""

        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if not self.has_view_permission(request):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            return for_picked_tenant(request, lambda: checked(request, *args, **kwargs))

        vars(page)["model_admin"] = self
        guarded: View = self.admin_site.admin_view(page)
        return guarded

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return for_picked_tenant(request, super().changelist_view, request, extra_context)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return for_picked_tenant(request, super().changeform_view, request, object_id, form_url, extra_context)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return for_picked_tenant(request, super().history_view, request, object_id, extra_context)

    def object_page_view(self, request: HttpRequest, object_id: str, page: ObjectPage) -> HttpResponse:
        return for_picked_tenant(request, super().object_page_view, request, object_id, page)

    @display("tenant")
    def display_tenant(self, row: Any) -> SafeString | str:
        return link_to(row.tenant, row.reader)

    def hint_where_missing(self, request: HttpRequest) -> str:
        return f" in {picked_tenant(request)}; if it belongs to another tenant, choose that one at the top right"


def for_picked_tenant(request: HttpRequest, view: Callable[..., HttpResponse], *args: Any) -> HttpResponse:
    """Call `view` with `args` and render its response inside `reading(tenant)`. Without a picked tenant, redirect to the picker."""
    tenant = picked_tenant(request)
    if tenant is None:
        return redirect_to_picker(request)
    with reading(tenant):
        response = view(*args)
        return response.render() if isinstance(response, SimpleTemplateResponse) else response


def console_page(
    permission: str, capability: Capability, *, to_send: tuple[str, Capability] | None = None
) -> Callable[[View], View]:
    """Decorate a page about the picked tenant that belongs to no model. It answers 403 to users who may not open it.

    `to_send` is what sending its form needs, if it is something else.
    """
    need = PageNeed((permission, capability), to_send or (permission, capability))

    def decorate(view: View) -> View:
        page_needs.register(f"{view.__module__}.{view.__qualname__}", need)

        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            require(request.user, *need.of(request.method))
            return view(request, *args, **kwargs)

        @wraps(view)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            return for_picked_tenant(request, lambda: checked(request, *args, **kwargs))

        vars(page)["need"] = need
        return page

    return decorate


class TenantDataForm(ConsoleForm):
    """Form for a row of the picked tenant.

    It has a hidden field with the tenant for which it was opened, because the tenant may be changed in another tab meanwhile.
    `only_new` names the declared fields that cannot be changed later.
    """

    only_new: tuple[str, ...] = ()

    opened_for = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tenant = picked_tenant(self.request)
        self.instance.reader = self.request.user
        if self.instance._state.adding:
            self.instance.tenant = self.tenant
            self.fields["opened_for"].initial = str(self.tenant.pk) if self.tenant else ""
        else:
            self.fields = {
                name: self.fields[name] for name in self.fields if name not in ("opened_for", *self.only_new)
            }

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        opened_for = self.cleaned_data.get("opened_for")
        if "opened_for" in self.fields and (self.tenant is None or opened_for != str(self.tenant.pk)):
            self.add_error(
                None,
                f"Another tenant was chosen meanwhile: this would be saved for {self.tenant}. Open the page again.",
            )
        return cleaned


def replace_fields(row: Model, saved: Model) -> None:
    """Copy all fields of `saved`, which a service wrote, into `row`, the instance of Django's form.

    Django then uses the saved row for the audit row and the redirect.
    """
    vars(row).update(vars(saved))
