"""Console pages of exports: a new export of one kind, and the file of one that is done."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from gamify_project.exports import services
from gamify_project.exports.console.forms import LEFT_OUT, form_for
from gamify_project.exports.files import file_response
from gamify_project.exports.models import Export
from gamify_project.exports.requests import checked_request
from participants.admin import audit
from participants.admin.base import console_page
from participants.admin.picker import picked_tenant
from participants.admin.refusals import place
from participants.api.exporting import ExportKind, export_kinds
from participants.errors import DomainError, FieldError, InvalidFields, field_errors
from participants.models import Capability, Tenant

ADD = "exports.add_export"
VIEW = "exports.view_export"


def urls() -> list[URLPattern]:
    return [
        path("exports/new/<str:kind>/", admin.site.admin_view(new_export), name="export_new"),
        path("exports/<uuid:object_id>/file/", admin.site.admin_view(export_file), name="exports_export_file"),
    ]


@console_page(ADD, Capability.OWN)
def new_export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """GET shows the form, with the filters of the query string. POST creates the export."""
    if kind not in export_kinds:
        raise Http404
    if not request.user.has_perm(export_kinds[kind].permission):
        raise PermissionDenied
    return _new_page(request, kind)


def _new_page(request: HttpRequest, name: str) -> HttpResponseBase:
    kind = export_kinds[name]
    form = form_for(kind)(request.POST or None, initial=dict(request.GET.items()))
    if request.method == "POST" and form.is_valid() and _created(request, name, form):
        messages.success(request, "The export was created. Reload this page to see its progress.")
        return HttpResponseRedirect(reverse("admin:exports_export_changelist"))
    back = reverse("admin:exports_export_changelist")
    page = {"title": f"Export: {kind.title}", "explanation": _explanation(kind, request.GET), "button": "Export"}
    context = {**admin.site.each_context(request), "page": page, "title": page["title"], "form": form, "back": back}
    return TemplateResponse(request, "admin/participants/object_page.html", context | {"opts": Export._meta})


def _explanation(kind: ExportKind, given: Mapping[str, Any]) -> str:
    left_out = given.get(LEFT_OUT, "")
    note = (
        f" The list was also filtered by {left_out}. This filter cannot be exported, so the file has more rows."
        if left_out
        else ""
    )
    return kind.about.replace("`", "") + note


def _created(request: HttpRequest, kind: str, form: Any) -> bool:
    """Create the export, and return whether it was accepted. If it was not, the form shows why."""
    tenant = _tenant(request)
    try:
        wanted = checked_request({"kind": kind, **form.request_body()})
        export = services.create_export(tenant=tenant, wanted=wanted, now=timezone.now())
    except ValidationError as error:
        place(form, InvalidFields(*map(_without_head, field_errors(error.detail))))
        return False
    except InvalidFields as error:
        place(form, InvalidFields(*map(_without_head, error.errors)))
        return False
    except DomainError as error:
        place(form, error)
        return False
    audit.record(request, export, audit.ADDITION, "Created the export.")
    return True


def _without_head(error: FieldError) -> FieldError:
    """Name a filter as the form does."""
    return FieldError(error.field.removeprefix("filters."), error.message)


@console_page(VIEW, Capability.OWN)
def export_file(request: HttpRequest, object_id: UUID) -> HttpResponseBase:
    """Fetch the file of an export of the picked tenant."""
    return _file(request, object_id)


def _file(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    try:
        export = services.available_export(_tenant(request), str(export_id), now=timezone.now())
    except services.ExportNotFound as error:
        raise Http404 from error
    except DomainError as error:
        messages.warning(request, error.message)
        return HttpResponseRedirect(reverse("admin:exports_export_changelist"))
    if not request.user.has_perm(export_kinds[export.kind].permission):
        raise PermissionDenied
    audit.record(request, export, audit.CHANGE, "Fetched the file.")
    return file_response(export)


def _tenant(request: HttpRequest) -> Tenant:
    tenant = picked_tenant(request)
    assert tenant is not None, "the page is only shown for a picked tenant"  # noqa: S101
    return tenant
