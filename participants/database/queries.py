"""Querysets whose SQL Django builds once per connection and shape; afterwards they are only executed.

Building SQL costs the hot paths more than running it (bench/README.md). A queryset is declared with slots where values
will stand; whatever the ORM can say can be declared, on both databases, and what comes back are ordinary instances.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression
from django.db.models.query import get_related_populators

from participants.database.arrays import array_literal
from participants.database.instances import instance_from

M = TypeVar("M", bound=models.Model)

Values = Mapping[str, Any]


class Slot(Expression):
    """The place of a value in a declared queryset; `index` picks one of several in a list."""

    def __init__(self, name: str, output_field: "models.Field[Any, Any]", index: int | None = None) -> None:
        super().__init__(output_field=output_field)
        self.name = name
        self.index = index

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        return "%s", [self]

    def value_from(self, values: Values, connection: BaseDatabaseWrapper) -> Any:
        given = values[self.name] if self.index is None else values[self.name][self.index]
        return self.output_field.get_db_prep_value(given, connection)


class Slots(Slot):
    """The place of a list of values. PostgreSQL takes them as one array, so that one statement does for any number."""

    def value_from(self, values: Values, connection: BaseDatabaseWrapper) -> Any:
        return array_literal(self.output_field.get_db_prep_value(each, connection) for each in values[self.name])


class Among(Expression):
    """Whether `column` is one of the values in a slot; `size` is how many there are where each has a place of its own."""

    conditional = True

    def __init__(self, column: str, name: str, field: "models.Field[Any, Any]", *, size: int) -> None:
        super().__init__(output_field=models.BooleanField())
        self.column: Any = models.F(column)
        self.name, self.value_field, self.size = name, field, size

    def get_source_expressions(self) -> list[Any]:
        return [self.column]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        [self.column] = exprs

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        column, params = compiler.compile(self.column)
        places = [Slot(self.name, self.value_field, index) for index in range(self.size)]
        return f"{column} IN ({', '.join(['%s'] * self.size)})", [*params, *places]

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        column, params = compiler.compile(self.column)
        return f"{column} = ANY(%s::{self.value_field.db_type(connection)}[])", [
            *params,
            Slots(self.name, self.value_field),
        ]


def values_for_among(values: Sequence[Any], connection: BaseDatabaseWrapper) -> tuple[Sequence[Any], int]:
    """`values` for a slot of `Among`, and the size to declare it with."""
    if connection.vendor == "postgresql":
        return values, 1
    return pad_to_power_of_two(values), len(pad_to_power_of_two(values))


@dataclass
class _Compiled:
    sql: str
    params: Sequence[Any]
    compiler: Any
    converters: Sequence[tuple[int, Callable[[Any], Any]]]
    names: Sequence[str] = field(default_factory=list)
    populators: Sequence[Any] = ()

    def bound(self, values: Values, connection: BaseDatabaseWrapper) -> list[Any]:
        return [param.value_from(values, connection) if isinstance(param, Slot) else param for param in self.params]


def pad_to_power_of_two(values: Sequence[Any]) -> list[Any]:
    """`values` with the last repeated up to a power of two: lists of any length then need few statements, kept prepared."""
    size = 1 << max(0, len(values) - 1).bit_length()
    return [*values, *[values[-1]] * (size - len(values))]


class Query(Generic[M]):
    """`declare(**shape)` builds the queryset, with a Slot for every value; `shape` is what changes the SQL itself."""

    def __init__(self, declare: Callable[..., "models.QuerySet[M]"]) -> None:
        self._declare = declare

    def execute(self, connection: BaseDatabaseWrapper, values: Values, **shape: Any) -> Callable[[], list[M]]:
        """Execute now; the function that comes back fetches the instances."""
        compiled = self._compiled(connection, shape)
        cursor = connection.cursor()
        cursor.execute(compiled.sql, compiled.bound(values, connection))
        return lambda: _instances(compiled, cursor.fetchall(), connection.alias)

    def _compiled(self, connection: BaseDatabaseWrapper, shape: Mapping[str, Any]) -> _Compiled:
        # Kept on the connection, which belongs to one thread: Django's compilers are not shared between threads.
        cache: dict[Any, _Compiled] = connection.__dict__.setdefault("_gamify_queries", {})
        key = (self, *shape.items())
        if key not in cache:
            cache[key] = _compile(self._declare(**shape), connection)
        return cache[key]


def _compile(queryset: "models.QuerySet[Any]", connection: BaseDatabaseWrapper) -> _Compiled:
    compiler = queryset.query.get_compiler(connection=connection)
    sql, params = compiler.as_sql()
    expressions = [column[0] for column in compiler.select[: compiler.col_count]]
    compiled = _Compiled(sql, params, compiler, _converters(compiler, expressions, connection))
    first, last = compiler.klass_info["select_fields"][0], compiler.klass_info["select_fields"][-1]
    compiled.names = [column[0].target.attname for column in compiler.select[first : last + 1]]
    # The stubs are those of a later Django, which takes one argument more.
    compiled.populators = get_related_populators(  # type: ignore[call-arg]
        compiler.klass_info, compiler.select, connection.alias
    )
    return compiled


def _converters(
    compiler: Any, expressions: Sequence[Any], connection: BaseDatabaseWrapper
) -> Sequence[tuple[int, Callable[[Any], Any]]]:
    """Django's own, each with its place in the row."""
    found = compiler.get_converters(expressions)
    return [
        (place, _converter(converters, expression, connection)) for place, (converters, expression) in found.items()
    ]


def _converter(converters: Sequence[Any], expression: Any, connection: BaseDatabaseWrapper) -> Callable[[Any], Any]:
    def converted(value: Any) -> Any:
        for convert in converters:
            value = convert(value, expression, connection)
        return value

    if expression.output_field.get_internal_type() != "JSONField":
        return converted
    # Most rows have no JSON, or none yet.
    return lambda value: _EMPTY[value]() if value in _EMPTY else converted(value)


_EMPTY: Mapping[str | None, Callable[[], Any]] = {None: lambda: None, "[]": list, "{}": dict}


def _instances(compiled: _Compiled, rows: Sequence[Any], alias: str) -> list[Any]:
    model = compiled.compiler.klass_info["model"]
    return [_instance(model, compiled, row, alias) for row in rows]


def _instance(model: type[models.Model], compiled: _Compiled, row: Sequence[Any], alias: str) -> models.Model:
    row = _converted(row, compiled.converters)
    instance = instance_from(model, zip(compiled.names, row, strict=False), alias=alias)
    for populator in compiled.populators:
        populator.populate(row, instance)
    return instance


def _converted(row: Sequence[Any], converters: Sequence[tuple[int, Callable[[Any], Any]]]) -> Sequence[Any]:
    if not converters:
        return row
    values = list(row)
    for place, convert in converters:
        values[place] = convert(values[place])
    return values
