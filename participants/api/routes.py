"""The path as it was sent, and how routes carry a participant's id."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import unquote

from django.urls import URLPattern, path, register_converter

slashes_separate: ContextVar[bool] = ContextVar("slashes_separate", default=False)
"""Whether this request's path came as it was sent: a slash in it then is never part of an id, which has `%2F`."""


def raw_path(environ: Mapping[str, Any]) -> str | None:
    """The path as it was sent, percent-encoded, without host and query; None under a server that does not tell."""
    raw_uri: str | None = environ.get("RAW_URI")
    if raw_uri is None:
        return None
    if not raw_uri.startswith("/"):  # absolute form, as proxies send it
        raw_uri = "/" + raw_uri.partition("://")[2].partition("/")[2]
    return raw_uri.partition("?")[0].partition("#")[0]


class ParticipantIdConverter:
    """A participant id as `RawPathMiddleware` leaves it: decoded but for `%2F` and `%25`."""

    regex = "(?s:.+)"  # line breaks too: such an id is refused by the view, in the words of every other bad id

    def to_python(self, value: str) -> str:
        if "/" in value and slashes_separate.get():
            raise ValueError("a slash separates here")  # no route: Django asks for a ValueError
        return unquote(value, errors="strict")

    def to_url(self, value: str) -> str:
        return value.replace("%", "%25").replace("/", "%2F")


register_converter(ParticipantIdConverter, "pid")


def of_participant(suffix: str, view: Callable[..., Any], *, prefix: str = "") -> URLPattern:
    """`participants/{participant_id}` followed by `suffix`, such as `/points`."""
    return path(f"{prefix}participants/<pid:participant_id>{suffix}", view)
