"""The Content-Security-Policy of all answers: what a browser may load and run.

Only the console allows 'unsafe-eval', because unfold's Alpine evaluates the expressions in its templates. Styles allow
'unsafe-inline', because unfold's theme is a style element. All scripts are files of this product; there are no inline scripts.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from gamify_project.dialects import is_api_path

HEADER = "Content-Security-Policy"
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PAGE = (
    "default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PLAIN_PAGE = f"{NOTHING}; style-src 'unsafe-inline'"
"""For a page that loads and runs nothing, with inline styles only."""
CONSOLE = PAGE.format(scripts="'self' 'unsafe-eval'")
DOCS = PAGE.format(scripts="'self'")
DOCS_PATH = "/api/docs"
PAGE_HEADERS = {
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""For everything but the API: what pages may not ask of the browser, and that other sites may not embed our files."""


class ContentPolicyMiddleware:
    """Adds a policy to every answer that has none, and PAGE_HEADERS outside the API."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not is_api_path(request.path_info):
            for name, value in PAGE_HEADERS.items():
                response.headers.setdefault(name, value)
        elsewhere = DOCS if request.path_info == DOCS_PATH else NOTHING
        is_console = request.path_info.startswith(settings.CONSOLE_PREFIX)
        response.headers.setdefault(HEADER, CONSOLE if is_console else elsewhere)
        return response
