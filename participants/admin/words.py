"""Values in words for people, instead of Python or JSON notation."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

NOTHING = "nothing"


def value_in_words(value: Any) -> str:
    """Return any JSON value in words: texts in quotes, lists with commas, objects as `name: value`.

    value_in_words(["pro", 5, True]) == "“pro”, 5, yes"
    """
    return f"“{value}”" if isinstance(value, str) else _in_words(value, value_in_words)


def plain(value: Any) -> str:
    """Like `value_in_words`, but without quotes. Dates and times get the console's format."""
    if isinstance(value, datetime):
        return str(date_format(value, "DATETIME_FORMAT"))
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str) else _in_words(value, plain)


def _in_words(value: Any, inner: Any) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_bracketed(each, inner)}" for name, each in value.items()) or NOTHING
    if isinstance(value, list | tuple):
        return ", ".join(_bracketed(each, inner) for each in value) or NOTHING
    return str(value)


def _bracketed(value: Any, inner: Any) -> str:
    """Return the value in words, in brackets if it contains commas."""
    words: str = inner(value)
    return f"({words})" if isinstance(value, Mapping | list | tuple) and len(value) > 1 else words


def sentence_of(parts: Iterable[str]) -> str:
    """Join the parts of a definition in words to one sentence, without those that are empty."""
    text = "; ".join(part for part in parts if part)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def counted(number: int, one: str) -> str:
    """Return a number with its noun, such as “1 week” or “1,200 weeks”."""
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"


def any_of(names: Sequence[str], joint: str = " or ") -> str:
    """Return names of events for people: “login or purchase”, or “any event”."""
    return joint.join("any event" if name == "*" else name for name in names)


def table_of(pairs: Mapping[str, Any]) -> SafeString | None:
    """Return a table of names and values, or None without rows. Nested names are dotted paths: `order.total`."""
    rows = format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", _flat(pairs))
    return format_html('<table class="console-table">{}</table>', rows) if rows else None


def _flat(pairs: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for name, value in pairs.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", plain(value)


def list_of(lines: Iterable[str]) -> SafeString | None:
    """Return an HTML list of `lines`, or None without lines."""
    items = format_html_join("", "<li>{}</li>", ([line] for line in lines))
    return format_html('<ul class="console-list">{}</ul>', items) if items else None
