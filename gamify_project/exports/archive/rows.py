"""Rows of tables as lines of JSON, and back. The same row gives the same line on every database."""

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import JSONField, Model

from gamify_project.exports.archive.tables import Table

TENANT = "(tenant)"
"""Written instead of the tenant's id, where a column other than the tenant contains it."""

EXACT_FLOATS = 10.0**15


def lines_of(
    table: Table, tenant_id: UUID, *, without: frozenset[Any] = frozenset()
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (line, row) for each row of a tenant, sorted by key. `without` contains the keys of rows to leave out."""
    rows = table.rows(tenant_id).order_by("pk").values("pk", *table.columns)
    for row in rows.iterator(chunk_size=2_000):
        if row.pop("pk") not in without:
            yield _line({name: row[name] for name in table.columns}, tenant_id), row


def _line(row: Mapping[str, Any], tenant_id: UUID) -> str:
    values = {name: _encoded(value, tenant_id) for name, value in row.items()}
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"


def _encoded(value: Any, tenant_id: UUID) -> Any:
    if isinstance(value, UUID):
        return TENANT if value == tenant_id else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return _canonical(value)


def _canonical(value: Any) -> Any:
    """Return a JSON value with large floats as integers. PostgreSQL stores 1e20 as an integer, and SQLite as it is."""
    if isinstance(value, float) and value.is_integer() and abs(value) >= EXACT_FLOATS:
        return int(value)
    if isinstance(value, dict):
        return {name: _canonical(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_canonical(each) for each in value]
    return value


def row_from(table: Table, line: str, tenant_id: UUID) -> Model:
    """Return the unsaved row of a line. Raises: ValueError or ValidationError if the line is not a row of this table."""
    values = json.loads(line)
    if not isinstance(values, dict) or sorted(values) != sorted(table.columns):
        raise ValueError("does not have the columns of the table")
    row = {field.attname: _decoded(field, values[field.attname], tenant_id) for field in table.fields}
    made = {name: make() for name, make in table.rule.made_anew.items()}
    return table.model(tenant_id=tenant_id, **row, **made)


def _decoded(field: Any, value: Any, tenant_id: UUID) -> Any:
    if value is None or isinstance(field, JSONField):
        return value
    if value == TENANT and _target(field).get_internal_type() == "UUIDField":
        return tenant_id
    return _target(field).to_python(value)


def _target(field: Any) -> Any:
    return getattr(field, "target_field", field)
