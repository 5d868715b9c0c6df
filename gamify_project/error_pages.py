"""Error pages for browsers: what happened, and what to do.

Under the console they look like the console. Elsewhere, and if the console cannot be rendered (no database, no session), they
are one small page without scripts and files.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme

from gamify_project import refusal
from gamify_project.content_policy import HEADER, PLAIN_PAGE

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ErrorPage:
    status: int
    title: str
    text: str
    explain: Callable[[HttpRequest], str] = lambda request: ""
    """Returns a better text for users of the console; empty: there is none."""


BAD_REQUEST = ErrorPage(400, "This request cannot be read", "Go back and try again.")
FORBIDDEN = ErrorPage(
    403,
    "You may not open this page",
    "Your account may not do this.",
    explain=refusal.explanation,
)
FORM_EXPIRED = ErrorPage(
    403,
    "The form was not accepted",
    "It was open for too long, you have logged in again meanwhile, or your browser keeps no cookies. Nothing was saved. "
    "Go back, load the page again and repeat what you did.",
)
NOT_FOUND = ErrorPage(404, "There is no such page", "The address is wrong, or the object was deleted.")
CRASHED = ErrorPage(
    500,
    "Something went wrong here",
    "It is not your fault, and it was logged. Try again. If it happens again, send the X-Request-Id of this answer to the "
    "administrator of this installation.",
)

UNAVAILABLE = ErrorPage(
    503,
    "The database does not answer",
    "Your change may not have been saved. Wait a moment, load the page again, and look whether it was.",
)


def answer(page: ErrorPage, request: HttpRequest) -> HttpResponse:
    """Return the error page, in the style of the console if possible."""
    if request.path_info.startswith(settings.CONSOLE_PREFIX):
        try:
            return HttpResponse(_render_in_console(page, request), status=page.status)
        except Exception:  # the cause of the error can also break the console's page
            logger.warning("error_page_not_drawn", status=page.status, exc_info=True)
    html = render_to_string("gamify_project/plain_error.html", {"page": page})
    return HttpResponse(html, status=page.status, headers={HEADER: PLAIN_PAGE})


def _render_in_console(page: ErrorPage, request: HttpRequest) -> str:
    is_staff = admin.site.has_permission(request)
    base = "admin/base_site.html" if is_staff else "unfold/layouts/unauthenticated.html"
    text = (page.explain(request) if is_staff else "") or page.text
    shown: Mapping[str, object] = {
        "page": page, "title": page.title, "text": text, "base": base, "is_staff": is_staff, "back": _back(request),
    }  # fmt: skip
    return render_to_string("admin/gamify_project/error.html", {**admin.site.each_context(request), **shown}, request)


def _back(request: HttpRequest) -> str:
    """Return the page of the console from which the user came; empty if it is not known."""
    before = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(before, allowed_hosts={request.get_host()})
    return before if is_ours and before != request.build_absolute_uri() else ""
