"""One INSERT per table and unit, however many rows, from SQL that is built once.

A single row goes as it is. Of several, PostgreSQL gets each column as an array (`UNNEST`), so that the statement is the
same, and stays prepared, for any number of rows; SQLite gets them as they are.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connection as default_connection
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

SQLITE_MAX_PARAMS = 30_000

Model = type[models.Model]


def insert(connection: BaseDatabaseWrapper, rows: Sequence[models.Model]) -> None:
    """Insert `rows`, all of one model."""
    _write(connection, rows, update=())


def upsert(connection: BaseDatabaseWrapper, rows: Sequence[models.Model], *, never_changed: frozenset[str]) -> None:
    """Insert those of `rows` whose id is new, update the others but for the columns in `never_changed`."""
    columns = [str(field.column) for field in rows[0]._meta.concrete_fields]
    _write(connection, rows, update=tuple(column for column in columns if column not in never_changed))


def _write(connection: BaseDatabaseWrapper, rows: Sequence[models.Model], *, update: tuple[str, ...]) -> None:
    model = type(rows[0])
    table = [_prepared(row, connection) for row in rows]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and len(table) > 1:
            cursor.execute(_unnest_sql(model, update), [list(column) for column in zip(*table, strict=True)])
        else:
            for chunk in _chunks(table):
                cursor.execute(_values_sql(model, update, len(chunk)), [value for row in chunk for value in row])
    for row in rows:
        row._state.adding = False
        row._state.db = connection.alias


def _prepared(row: models.Model, connection: BaseDatabaseWrapper) -> list[Any]:
    fields = row._meta.concrete_fields
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]


def _chunks(table: list[list[Any]]) -> list[list[list[Any]]]:
    size = SQLITE_MAX_PARAMS // len(table[0])
    return [table[start : start + size] for start in range(0, len(table), size)]


@cache
def _unnest_sql(model: Model, update: tuple[str, ...]) -> str:
    types = [re.sub(r"\(.*\)", "", str(field.db_type(default_connection))) for field in model._meta.concrete_fields]
    arrays = ", ".join(f"%s::{db_type}[]" for db_type in types)
    return f"{_into(model)} SELECT * FROM UNNEST({arrays}){_on_conflict(update)}"  # noqa: S608 - names of our own models


@cache
def _values_sql(model: Model, update: tuple[str, ...], size: int) -> str:
    row = "(" + ", ".join(["%s"] * len(model._meta.concrete_fields)) + ")"
    return f"{_into(model)} VALUES {', '.join([row] * size)}{_on_conflict(update)}"


def _into(model: Model) -> str:
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    return f'INSERT INTO "{model._meta.db_table}" ({columns})'


def _on_conflict(update: tuple[str, ...]) -> str:
    if not update:
        return ""
    return " ON CONFLICT (id) DO UPDATE SET " + ", ".join(f'"{column}" = EXCLUDED."{column}"' for column in update)
