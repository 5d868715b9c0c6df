"""One INSERT, UPDATE or DELETE per table and unit, for any number of rows. The SQL is built once.

A single row travels as plain values. For several rows PostgreSQL gets each column as an array (`UNNEST`), so that the statement
is the same for any number of rows and stays prepared. SQLite gets plain values.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, cast
from uuid import UUID

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from participants.database.arrays import array_parameter, array_sql, is_plain
from participants.database.exchange import send

SQLITE_MAX_PARAMS = 30_000

_INTEGERS = (models.IntegerField, models.BigIntegerField, models.PositiveIntegerField, models.PositiveSmallIntegerField)

Model = type[models.Model]


def insert(connection: BaseDatabaseWrapper, rows: Sequence[models.Model]) -> None:
    """Insert `rows`, which are all of one model."""
    _write(connection, rows, update=())


def upsert(connection: BaseDatabaseWrapper, rows: Sequence[models.Model], *, never_changed: frozenset[str]) -> None:
    """Insert the rows whose primary key is new, and update the others, except the columns `never_changed`. All are of one model."""
    columns = [str(field.column) for field in rows[0]._meta.concrete_fields]
    _write(connection, rows, update=tuple(column for column in columns if column not in never_changed))


def update(connection: BaseDatabaseWrapper, rows: Sequence[models.Model], columns: Sequence[str]) -> None:
    """Write only `columns` of existing `rows`, which are all of one model and one tenant."""
    model, names = type(rows[0]), ("id", *sorted(columns))
    tenant = _field(model, "tenant")
    tenant_id = tenant.get_db_prep_save(getattr(rows[0], tenant.attname), connection)
    if connection.vendor == "postgresql" and len(rows) > 1:
        arrays = [array_parameter(rows, _field(model, name), connection) for name in names]
        send(connection, _update_sql(model, names), [*arrays, tenant_id])
        return
    columns_of_rows = _updated_columns(model, names, connection.vendor)
    table = [_prepare(row, columns_of_rows, connection) for row in rows]
    if len(rows) == 1:
        [[pk, *values]] = table
        send(connection, _update_one_sql(model, names), [*values, tenant_id, pk])
    else:
        with connection.cursor() as cursor:
            cursor.executemany(_update_one_sql(model, names), [[*values, tenant_id, pk] for pk, *values in table])


def delete(connection: BaseDatabaseWrapper, rows: Sequence[models.Model]) -> None:
    """Delete `rows`, which are all of one model and one tenant."""
    model = type(rows[0])
    tenant, pk = _field(model, "tenant"), _field(model, "id")
    sql = f'DELETE FROM "{model._meta.db_table}" WHERE tenant_id = %s AND id'  # noqa: S608 - as below
    tenant_id = tenant.get_db_prep_save(getattr(rows[0], tenant.attname), connection)
    if connection.vendor == "postgresql":
        send(connection, f"{sql} = ANY({array_sql(pk)})", [tenant_id, array_parameter(rows, pk, connection)])
    else:
        table = [[tenant_id, pk.get_db_prep_save(row.pk, connection)] for row in rows]
        with connection.cursor() as cursor:
            cursor.executemany(f"{sql} = %s", table)


@cache
def _update_sql(model: Model, names: tuple[str, ...]) -> str:
    fields = [_field(model, name) for name in names]
    table, columns = model._meta.db_table, [field.column for field in fields]
    arrays = ", ".join(array_sql(field) for field in fields)
    new = ", ".join(f'"{column}" = new."{column}"' for column in columns[1:])
    aliases = ", ".join(f'"{column}"' for column in columns)
    return (
        f'UPDATE "{table}" SET {new} FROM UNNEST({arrays}) AS new({aliases})'  # noqa: S608 - names of our own models
        f' WHERE "{table}".tenant_id = %s AND "{table}".id = new.id'
    )


@cache
def _update_one_sql(model: Model, names: tuple[str, ...]) -> str:
    new = ", ".join(f'"{_field(model, name).column}" = %s' for name in names[1:])
    return f'UPDATE "{model._meta.db_table}" SET {new} WHERE tenant_id = %s AND id = %s'  # noqa: S608 - names of our own models


def _field(model: Model, name: str) -> "models.Field[Any, Any]":
    return cast("models.Field[Any, Any]", model._meta.get_field(name))


def _write(connection: BaseDatabaseWrapper, rows: Sequence[models.Model], *, update: tuple[str, ...]) -> None:
    model = type(rows[0])
    if connection.vendor == "postgresql" and len(rows) > 1:
        send(
            connection,
            _unnest_sql(model, update),
            [array_parameter(rows, field, connection) for field in _inserted_fields(model)],
        )
    else:
        columns = _inserted_columns(model, connection.vendor)
        for chunk in _chunks([_prepare(row, columns, connection) for row in rows]):
            send(connection, _values_sql(model, update, len(chunk)), [value for row in chunk for value in row])
    for row in rows:
        row._state.adding = False
        row._state.db = connection.alias


@cache
def _inserted_fields(model: Model) -> tuple["models.Field[Any, Any]", ...]:
    """The fields that an INSERT writes: all, except those that only the database fills in.

    A field with a Python default is written even if it has a `db_default`, which is there for releases that do not know the
    column.
    """
    fields = model._meta.concrete_fields
    return tuple(field for field in fields if field.db_default is models.NOT_PROVIDED or field.has_default())


def _prepare(row: models.Model, columns: "_Columns", connection: BaseDatabaseWrapper) -> list[Any]:
    values = list(columns.read(row))
    for place, prepare in columns.preparations:
        values[place] = prepare(values[place], connection)
    return values


_Preparation = Callable[[Any, BaseDatabaseWrapper], Any]


@dataclass(frozen=True)
class _Columns:
    """Reads the values of several fields of a row. Those whose values the driver does not take as they are have a preparation, by place."""

    read: Callable[[models.Model], tuple[Any, ...]]
    preparations: Sequence[tuple[int, _Preparation]]


def _columns(fields: Sequence["models.Field[Any, Any]"], vendor: str) -> _Columns:
    """`fields` are at least two."""
    found = [(place, _preparation(field, vendor)) for place, field in enumerate(fields)]
    return _Columns(attrgetter(*(field.attname for field in fields)), [(place, each) for place, each in found if each])


def _preparation(field: "models.Field[Any, Any]", vendor: str) -> _Preparation | None:
    """SQLite's driver takes integers as they are, and ids as hexadecimal digits. Django takes ten times as long to say so."""
    if vendor == "postgresql":
        if isinstance(field, models.JSONField):
            encode = json.JSONEncoder().encode if field.encoder is None else field.encoder().encode
            return lambda value, connection: None if value is None else encode(value)
        return None if is_plain(field) else field.get_db_prep_save
    stored = field.target_field if isinstance(field, models.ForeignKey) else field
    if isinstance(stored, models.UUIDField):
        return lambda value, connection: (
            value.hex if isinstance(value, UUID) else field.get_db_prep_save(value, connection)
        )
    return None if type(stored) in _INTEGERS else field.get_db_prep_save


@cache
def _updated_columns(model: Model, names: tuple[str, ...], vendor: str) -> _Columns:
    return _columns([_field(model, name) for name in names], vendor)


@cache
def _inserted_columns(model: Model, vendor: str) -> _Columns:
    return _columns(_inserted_fields(model), vendor)


def _chunks(table: list[list[Any]]) -> list[list[list[Any]]]:
    size = SQLITE_MAX_PARAMS // len(table[0])
    return [table[start : start + size] for start in range(0, len(table), size)]


@cache
def _unnest_sql(model: Model, update: tuple[str, ...]) -> str:
    arrays = ", ".join(array_sql(field) for field in _inserted_fields(model))
    return f"{_insert_into(model)} SELECT * FROM UNNEST({arrays}){_on_conflict(model, update)}"  # noqa: S608 - names of our own models


@cache
def _values_sql(model: Model, update: tuple[str, ...], size: int) -> str:
    row = "(" + ", ".join(["%s"] * len(_inserted_fields(model))) + ")"
    return f"{_insert_into(model)} VALUES {', '.join([row] * size)}{_on_conflict(model, update)}"


def _insert_into(model: Model) -> str:
    columns = ", ".join(f'"{field.column}"' for field in _inserted_fields(model))
    return f'INSERT INTO "{model._meta.db_table}" ({columns})'


def _on_conflict(model: Model, update: tuple[str, ...]) -> str:
    if not update:
        return ""
    key = ", ".join(str(field.column) for field in model._meta.pk_fields)
    return f" ON CONFLICT ({key}) DO UPDATE SET " + ", ".join(f'"{column}" = EXCLUDED."{column}"' for column in update)
