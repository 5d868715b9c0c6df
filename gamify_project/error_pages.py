"""The pages that a browser gets where something went wrong: what happened, and the way on.

Inside the console they look like the console. Elsewhere, and where the console itself cannot be drawn (no database, no session),
they are one small page without scripts or files.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from gamify_project.content_policy import HEADER, PLAIN_PAGE

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ErrorPage:
    status: int
    title: str
    text: str


BAD_REQUEST = ErrorPage(400, "This request cannot be read", "Go back and try again.")
FORBIDDEN = ErrorPage(
    403,
    "You may not open this page",
    "Your account lacks the permission for it. A superuser gives permissions under “Staff users” and “Groups”.",
)
FORM_EXPIRED = ErrorPage(
    403,
    "The form was not accepted",
    "It was open for too long, you have logged in again meanwhile, or your browser keeps no cookies. Nothing was saved. "
    "Go back, load the page again and repeat what you did.",
)
NOT_FOUND = ErrorPage(404, "There is no such page", "The address is wrong, or what was there is gone.")
CRASHED = ErrorPage(
    500,
    "Something went wrong here",
    "It is not your fault, and it was written to the log. Try again; if it happens again, tell whoever runs this installation "
    "the X-Request-Id of this answer.",
)


def answer(page: ErrorPage, request: HttpRequest) -> HttpResponse:
    """The page, in the console's look where that is possible."""
    if request.path_info.startswith(settings.CONSOLE_PREFIX):
        try:
            return HttpResponse(_drawn(page, request), status=page.status)
        except Exception:  # whatever broke the page must not break its error page
            logger.warning("error_page_not_drawn", status=page.status, exc_info=True)
    html = render_to_string("console/plain_error.html", {"page": page})
    return HttpResponse(html, status=page.status, headers={HEADER: PLAIN_PAGE})


def _drawn(page: ErrorPage, request: HttpRequest) -> str:
    is_staff = admin.site.has_permission(request)
    base = "admin/base_site.html" if is_staff else "unfold/layouts/unauthenticated.html"
    shown: Mapping[str, object] = {"page": page, "title": page.title, "base": base, "is_staff": is_staff}
    return render_to_string("console/error.html", {**admin.site.each_context(request), **shown}, request)
