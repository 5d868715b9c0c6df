"""The raw path of a request, and the URL converter for participant ids, which may contain slashes."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import unquote

from django.urls import URLPattern, path, register_converter

slashes_separate: ContextVar[bool] = ContextVar("slashes_separate", default=False)
"""Whether the raw path of this request is known. A slash in it is then never part of an id, which would have `%2F`."""


def raw_path(environ: Mapping[str, Any]) -> str | None:
    """Return the percent-encoded path, without host and query string; None if the web server does not provide it.

    The product's web server calls it REQUEST_URI, gunicorn's own workers call it RAW_URI.
    """
    raw_uri: str | None = environ.get("REQUEST_URI", environ.get("RAW_URI"))
    if raw_uri is None:
        return None
    if not raw_uri.startswith("/"):  # a proxy sent the whole URL
        raw_uri = "/" + raw_uri.partition("://")[2].partition("/")[2]
    return raw_uri.partition("?")[0].partition("#")[0]


class ParticipantIdConverter:
    """Converts participant ids in the paths that `RawPathMiddleware` prepares: decoded except for `%2F` and `%25`."""

    regex = "(?s:.+)"  # matches line breaks too, so that the view refuses such an id with the usual error

    def to_python(self, value: str) -> str:
        if "/" in value and slashes_separate.get():
            raise ValueError("a slash separates here")  # Django then treats the route as not matching
        return unquote(value, errors="strict")

    def to_url(self, value: str) -> str:
        return value.replace("%", "%25").replace("/", "%2F")


register_converter(ParticipantIdConverter, "pid")


def of_participant(suffix: str, view: Callable[..., Any], *, prefix: str = "") -> URLPattern:
    """Return the route `{prefix}participants/{participant_id}{suffix}`. Example of a suffix: `/points`."""
    return path(f"{prefix}participants/<pid:participant_id>{suffix}", view)
