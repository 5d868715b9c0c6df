"""Columns as array literals of PostgreSQL.

Writing them here takes a tenth of the time that psycopg takes to adapt a list value by value. A column of JSON travels as one JSON
document instead, because an array literal would have to quote the quotes of every value.
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

# PostgreSQL reads values of these fields as Python prints them, so Django need not prepare each value.
_PLAIN = frozenset(
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


def is_plain(field: "Field[Any, Any]") -> bool:
    """Whether PostgreSQL and psycopg take values of `field` without preparation by Django."""
    return field.get_internal_type() in _PLAIN


def array_parameter(rows: Sequence[Model], field: "Field[Any, Any]", connection: BaseDatabaseWrapper) -> str:
    """Return the values of `field` in `rows` as one parameter for the SQL of `array_sql`."""
    values = list(map(attrgetter(field.attname), rows))
    if isinstance(field, JSONField):
        return json.dumps(values, cls=field.encoder)
    if not is_plain(field):
        values = [field.get_db_prep_save(value, connection) for value in values]
    return array_literal(values)


def array_sql(field: "Field[Any, Any]") -> str:
    """Return the SQL that turns a parameter of `array_parameter` into an array. None becomes NULL, never JSON's null."""
    if isinstance(field, JSONField):
        return "ARRAY(SELECT NULLIF(value, 'null') FROM jsonb_array_elements(%s::jsonb))"
    return f"%s::{array_type(field, default_connection)}"


def array_type(field: "Field[Any, Any]", connection: BaseDatabaseWrapper) -> str:
    """Return the type of an array of values of `field`: `varchar[]` for `varchar(50)`, which would cut longer values off."""
    return re.sub(r"\(.*\)", "", str(field.db_type(connection))) + "[]"


def array_literal(values: Iterable[Any]) -> str:
    """Return an array literal such as `{1,2}`. `values` must be prepared by their field (`get_db_prep_value`)."""
    return "{" + ",".join(_texts([*values])) + "}"


def _texts(values: list[Any]) -> list[str]:
    """Format each value. A column that has one value in all rows (the unit's tenant, its `now`) is formatted once."""
    if not values:
        return []
    first = values[0]
    write = _WRITERS.get(type(first), _quote)
    if first is values[-1] and values.count(first) == len(values):
        return [write(first)] * len(values)
    return [
        write(value) if type(value) is type(first) else _WRITERS.get(type(value), _quote)(value) for value in values
    ]


def _quote(value: Any) -> str:
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
