"""A condition on several columns together: `(a, b, c)` is one of many rows of values. Each row takes one index look-up."""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression

from participants.database.arrays import array_literal, array_sql


class AmongRows(Expression):
    """Condition: the values of `columns` are one of `rows`. Example: `filter(AmongRows(["a", "b"], [(1, 2)]))`.

    `rows` must not be empty. One condition per column (`a IN … AND b IN …`) would make PostgreSQL look up every combination.
    """

    conditional = True

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        super().__init__(output_field=models.BooleanField())
        self.columns: list[Any] = [models.F(column) for column in columns]
        self.rows = rows

    def get_source_expressions(self) -> list[Any]:
        return self.columns

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.columns = list(exprs)

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        row = f"({', '.join(['%s'] * len(self.columns))})"
        params = [value for values in zip(*self._prepared_columns(connection), strict=True) for value in values]
        return f"{self._left(compiler)} IN (VALUES {', '.join([row] * len(self.rows))})", params

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        arrays = ", ".join(array_sql(column.output_field) for column in self.columns)
        params = [array_literal(values) for values in self._prepared_columns(connection)]
        return f"{self._left(compiler)} IN (SELECT * FROM UNNEST({arrays}))", params  # noqa: S608 - names of our own models

    def _left(self, compiler: Any) -> str:
        return f"({', '.join(compiler.compile(column)[0] for column in self.columns)})"

    def _prepared_columns(self, connection: BaseDatabaseWrapper) -> list[list[Any]]:
        """The values column by column, each prepared for the database."""
        fields = [column.output_field for column in self.columns]
        return [
            [field.get_db_prep_value(value, connection) for value in values]
            for field, values in zip(fields, zip(*self.rows, strict=True), strict=True)
        ]
