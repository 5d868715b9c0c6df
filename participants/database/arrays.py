"""Columns as PostgreSQL's array literals, written in a tenth of the time that psycopg takes to adapt a list value by value.

Of JSON, which would be quoted in quotes, a column is one document: it is written and read as a whole.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connection as default_connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, JSONField, Model

# What PostgreSQL reads as Python writes it; Django's preparation of each value would change nothing.
_AS_THEY_ARE = frozenset(
    {
        "UUIDField",
        "ForeignKey",
        "CharField",
        "BooleanField",
        "DateTimeField",
        "BigIntegerField",
        "IntegerField",
        "PositiveIntegerField",
        "PositiveSmallIntegerField",
    }
)


def array_parameter(rows: Sequence[Model], field: "Field[Any, Any]", connection: BaseDatabaseWrapper) -> str:
    """The values of `field` in `rows`, as one parameter for `array_sql`."""
    values: Iterable[Any] = map(attrgetter(field.attname), rows)
    if isinstance(field, JSONField):
        return json.dumps([*values], cls=field.encoder)
    if field.get_internal_type() not in _AS_THEY_ARE:
        values = (field.get_db_prep_save(value, connection) for value in values)
    return array_literal(values)


def array_sql(field: "Field[Any, Any]") -> str:
    """What makes an array of a parameter that `array_parameter` wrote. None is NULL, as Django has it, and never JSON's null."""
    if isinstance(field, JSONField):
        return "ARRAY(SELECT NULLIF(value, 'null') FROM jsonb_array_elements(%s::jsonb))"
    # Without a length, which an array of parameters does not need.
    return "%s::" + re.sub(r"\(.*\)", "", str(field.db_type(default_connection))) + "[]"


def array_literal(values: Iterable[Any]) -> str:
    """`values`, as fields prepare them for the database: `{1,2}`."""
    return "{" + ",".join(_texts(values)) + "}"


def _texts(values: Iterable[Any]) -> Iterable[str]:
    """What all rows of a unit share, such as its tenant and its instant, is written once."""
    before, text = object(), ""
    for value in values:
        if value is not before:
            before, text = value, _WRITERS.get(type(value), _quoted)(value)
        yield text


def _quoted(value: Any) -> str:
    text = str(value)
    if '"' in text or "\\" in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


_WRITERS: dict[type[Any], Callable[[Any], str]] = {
    type(None): lambda value: "NULL",
    UUID: attrgetter("hex"),
    int: str,
    datetime: lambda value: f'"{value}"',
}
