"""WSGI entry point: `gunicorn gamify_project.wsgi`."""

import os
from collections.abc import Iterable
from typing import Any

import django
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters
from django.utils.module_loading import import_string

from gamify_project.dialects import is_api_path
from gamify_project.postgres.limits import apply_to_requests
from gamify_project.routing import route_table
from gamify_project.telemetry import traced
from participants.api.routes import slashes_separate

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gamify_project.settings")


class Request(WSGIRequest):
    """A request that is always decoded as UTF-8, whatever charset its Content-Type names.

    Django would decode the query string with that charset, and crash if it is no text encoding (`rot13`, `base64`, `zip`).
    """

    def _set_content_type_params(self, meta: dict[str, str]) -> None:
        """Set the media type. Parameters that cannot be decoded are removed, because later code would crash on them."""
        given = meta.get("CONTENT_TYPE", "")
        self.content_params = {}
        try:
            self.content_type, _ = parse_header_parameters(given)
        except (ValueError, LookupError):
            self.content_type = meta["CONTENT_TYPE"] = given.partition(";")[0].strip().lower()


class Handler(WSGIHandler):
    """Handles every path, with all of MIDDLEWARE."""

    request_class = Request


class ApiHandler(Handler):
    """Handles the paths of the API, with API_MIDDLEWARE only. It leaves out what would do nothing there, such as sessions.

    It finds views by `route_table` if the raw path is known.
    """

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002 - Django's signature
        """Build the chain, as Django's method does for MIDDLEWARE."""
        handler = convert_exception_to_response(self._get_response)
        for name in reversed(settings.API_MIDDLEWARE):
            try:
                handler = convert_exception_to_response(import_string(name)(handler))
            except MiddlewareNotUsed:
                continue
        self._middleware_chain = handler

    def _get_response(self, request: Any) -> Any:
        """Call the view. API_MIDDLEWARE has no hooks that Django's method would call around it."""
        view, args, kwargs = self.resolve_request(request)
        response = view(request, *args, **kwargs)
        return response.render() if hasattr(response, "render") else response

    def resolve_request(self, request: Any) -> Any:
        match = route_table(settings.ROOT_URLCONF).match(request.path_info) if slashes_separate.get() else None
        if match is None:
            return super().resolve_request(request)
        request.resolver_match = match
        return match


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer one request."""
    handler = _api if is_api_path(environ.get("PATH_INFO", "")) else _pages
    return handler(environ, start_response)


django.setup(set_prefix=False)
apply_to_requests()
_pages, _api = Handler(), ApiHandler()
application = traced(application)
