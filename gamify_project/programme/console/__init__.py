"""Console pages of the programme: export, import, copy from another tenant, roll back. Every write is previewed first."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from gamify_project.programme.console.page import IMPORT, VIEW, Page
from gamify_project.programme.items import programme_text
from participants.admin.base import console_page
from participants.admin.picker import picked_tenant
from participants.api.schema import YAML
from participants.downloads import uncached
from participants.models import Capability, Tenant


def urls() -> list[URLPattern]:
    return [
        path("programme/", admin.site.admin_view(programme_view), name="programme"),
        path("programme/export/", admin.site.admin_view(export_view), name="programme_export"),
    ]


@console_page(VIEW, Capability.SEE_DEFINITIONS)
def export_view(request: HttpRequest) -> HttpResponse:
    """Download the programme of the picked tenant."""
    tenant = _tenant(request)
    name = f"{tenant.slug}{'-sandbox' if tenant.is_sandbox else ''}.yaml"
    return uncached(HttpResponse(programme_text(tenant), content_type=YAML), file_name=name)


@console_page(VIEW, Capability.SEE_DEFINITIONS, to_send=(IMPORT, Capability.PUBLISH))
def programme_view(request: HttpRequest) -> HttpResponse:
    """GET shows the sources. POST compares one of them with the picked tenant, and with `apply` makes the chosen changes."""
    return Page(request, _tenant(request)).answer()


def _tenant(request: HttpRequest) -> Tenant:
    tenant = picked_tenant(request)
    assert tenant is not None, "the page is only shown for a picked tenant"  # noqa: S101
    return tenant
