"""Console pages of undo: a form with the newest undos, then the report of a preview, then the undo itself with its progress."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from gamify_project.undo.console.page import PERMISSION, form_page, report_page
from participants.admin.base import console_page
from participants.models import Capability


def urls() -> list[URLPattern]:
    return [
        path("undo/", admin.site.admin_view(form_view), name="undo"),
        path("undo/<uuid:undo_id>/", admin.site.admin_view(report_view), name="undo_report"),
    ]


@console_page(PERMISSION, Capability.OWN)
def form_view(request: HttpRequest) -> HttpResponse:
    """GET shows the form. POST starts a preview."""
    return form_page(request)


@console_page(PERMISSION, Capability.OWN)
def report_view(request: HttpRequest, undo_id: object) -> HttpResponse:
    """GET shows how far an undo is, and its report. POST repeats a preview for real."""
    return report_page(request, str(undo_id))
