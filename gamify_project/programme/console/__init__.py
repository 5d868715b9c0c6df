"""Console pages of the programme: export, import, copy from another tenant, roll back. Every write is previewed first."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from gamify_project.programme.console.page import IMPORT, VIEW, Page, check_permission
from gamify_project.programme.items import programme_text
from participants.admin.base import for_picked_tenant
from participants.admin.picker import picked_tenant
from participants.api.schema import YAML
from participants.downloads import uncached
from participants.models import Tenant


def urls() -> list[URLPattern]:
    return [
        path("programme/", admin.site.admin_view(programme_view), name="programme"),
        path("programme/export/", admin.site.admin_view(export_view), name="programme_export"),
    ]


def export_view(request: HttpRequest) -> HttpResponse:
    """Download the programme of the picked tenant."""
    check_permission(request, VIEW)
    return for_picked_tenant(request, lambda: _export(_tenant(request)))


def _export(tenant: Tenant) -> HttpResponse:
    name = f"{tenant.slug}{'-sandbox' if tenant.is_sandbox else ''}.yaml"
    return uncached(HttpResponse(programme_text(tenant), content_type=YAML), file_name=name)


def programme_view(request: HttpRequest) -> HttpResponse:
    """GET shows the sources. POST compares one of them with the picked tenant, and with `apply` makes the chosen changes."""
    check_permission(request, VIEW if request.method != "POST" else IMPORT)
    return for_picked_tenant(request, lambda: Page(request, _tenant(request)).answer())


def _tenant(request: HttpRequest) -> Tenant:
    tenant = picked_tenant(request)
    assert tenant is not None, "the page is only shown for a picked tenant"  # noqa: S101
    return tenant
