"""WSGI entry point: `gunicorn gamify_project.wsgi`."""

import os

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

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
    request_class = Request


django.setup(set_prefix=False)
application = Handler()
