"""Querysets whose SQL Django builds once per connection and shape. Afterwards they are only executed.

On hot paths building SQL costs more than running it (bench/README.md). A queryset is declared with slots in the places of values.
Everything that the ORM supports can be declared, on both databases. The results are ordinary model instances.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression
from django.db.models.query import get_related_populators

from participants.database.arrays import array_literal, array_type, is_plain
from participants.database.exchange import of_this_thread, one_round_trip, send
from participants.database.instances import instance_from
from participants.database.riders import Fingerprint, Rider, ride_along

M = TypeVar("M", bound=models.Model)

_QUERIES = "_gamify_queries"  # an attribute of Django's connection object

Values = Mapping[str, Any]


class Slot(Expression):
    """A placeholder for the value `name` in a declared queryset. If that value is a list, `index` picks one of its items."""

    def __init__(self, name: str, output_field: "models.Field[Any, Any]", index: int | None = None) -> None:
        super().__init__(output_field=output_field)
        self.name = name
        self.index = index
        self.is_plain = is_plain(output_field)

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        return "%s", [self]

    def value_from(self, values: Values, connection: BaseDatabaseWrapper) -> Any:
        value = values[self.name] if self.index is None else values[self.name][self.index]
        if connection.vendor == "postgresql" and self.is_plain:
            return value
        return self.output_field.get_db_prep_value(value, connection)


class Slots(Slot):
    """A placeholder for a list of values. PostgreSQL gets them as one array, so one statement fits lists of any length."""

    def value_from(self, values: Values, connection: BaseDatabaseWrapper) -> Any:
        return array_literal(self.output_field.get_db_prep_value(each, connection) for each in values[self.name])


class Among(Expression):
    """Condition: `column` is one of the values `name`. `size` is the second result of `values_for_among`.

    On SQLite each value has a slot of its own. On PostgreSQL several values are one array. A single value is no array: PostgreSQL
    expects ten values in an array that it does not know yet, so it would plan the statement again for each execution.
    """

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
        slots = [Slot(self.name, self.value_field, index) for index in range(self.size)]
        return f"{column} IN ({', '.join(['%s'] * self.size)})", [*params, *slots]

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        if self.size == 1:
            return self.as_sql(compiler, connection)
        column, params = compiler.compile(self.column)
        array = array_type(self.value_field, connection)
        return f"{column} = ANY(%s::{array})", [*params, Slots(self.name, self.value_field)]


MANY = 2
"""The `size` of an `Among` condition on PostgreSQL for all numbers of values above one."""


def values_for_among(values: Sequence[Any], connection: BaseDatabaseWrapper) -> tuple[Sequence[Any], int]:
    """Return `values` in the form that an `Among` condition takes on this database, and the `size` to declare it with."""
    if connection.vendor == "postgresql":
        return values, min(len(values), MANY)
    return pad_to_power_of_two(values), len(pad_to_power_of_two(values))


@dataclass
class _Compiled:
    sql: str
    params: Sequence[Any]
    compiler: Any
    converters: Sequence[tuple[int, Callable[[Any], Any]]]
    names: Sequence[str] = field(default_factory=list)
    populators: Sequence[Any] = ()

    def bind(self, values: Values, connection: BaseDatabaseWrapper) -> list[Any]:
        return [param.value_from(values, connection) if isinstance(param, Slot) else param for param in self.params]


def pad_to_power_of_two(values: Sequence[Any]) -> list[Any]:
    """Repeat the last of `values` until their number is a power of two.

    So lists of all lengths need only a few different statements, which stay prepared.
    """
    size = 1 << max(0, len(values) - 1).bit_length()
    return [*values, *[values[-1]] * (size - len(values))]


class Query(Generic[M]):
    """`declare(**shape)` builds the queryset, with a Slot for every value. `shape` holds everything that changes the SQL itself."""

    def __init__(self, declare: Callable[..., "models.QuerySet[M]"]) -> None:
        self._declare = declare

    def execute(self, connection: BaseDatabaseWrapper, values: Values, **shape: Any) -> Callable[[], list[M]]:
        """Execute the query now. Returns a function that fetches the instances, so that several queries can share a round trip."""
        connection = of_this_thread(connection)
        compiled = self._compiled(connection, shape)
        fetch = send(connection, compiled.sql, compiled.bind(values, connection))
        return lambda: _instances(compiled, fetch(), connection.alias)

    def execute_with_fingerprint(
        self, connection: BaseDatabaseWrapper, values: Values
    ) -> tuple[list[M], Fingerprint | None]:
        """Execute the query, and return the instances and the fingerprint of the answer (None on SQLite), for `verify_later`."""
        with one_round_trip(connection) as batch:
            fetch = self.execute(connection, values)
        return fetch(), None if batch is None else batch.fingerprint()

    def verify_later(
        self,
        connection: BaseDatabaseWrapper,
        values: Values,
        check: Callable[[Fingerprint | None], None],
        *,
        verifies: Hashable,
    ) -> None:
        """Execute the query with the next exchange of `connection` (PostgreSQL). `check` and `verifies` as in `Rider`."""
        connection = of_this_thread(connection)
        compiled = self._compiled(connection, {})
        ride_along(connection, Rider(compiled.sql, compiled.bind(values, connection), check, verifies))

    def _compiled(self, connection: BaseDatabaseWrapper, shape: Mapping[str, Any]) -> _Compiled:
        # The cache is on the connection, which belongs to one thread: Django's compilers must not be shared between threads.
        cache: dict[Any, _Compiled] = connection.__dict__.setdefault(_QUERIES, {})
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
    # The type stubs are of a later Django, whose function takes one more argument.
    compiled.populators = get_related_populators(  # type: ignore[call-arg]
        compiler.klass_info, compiler.select, connection.alias
    )
    return compiled


def _converters(
    compiler: Any, expressions: Sequence[Any], connection: BaseDatabaseWrapper
) -> Sequence[tuple[int, Callable[[Any], Any]]]:
    """Django's converters, each with the index of its column in the row."""
    by_index = compiler.get_converters(expressions)
    return [
        (index, _converter(converters, expression, connection)) for index, (converters, expression) in by_index.items()
    ]


def _converter(converters: Sequence[Any], expression: Any, connection: BaseDatabaseWrapper) -> Callable[[Any], Any]:
    def convert_value(value: Any) -> Any:
        for convert in converters:
            value = convert(value, expression, connection)
        return value

    if expression.output_field.get_internal_type() != "JSONField":
        return convert_value
    # A fast path: most JSON columns are null or empty.
    return lambda value: _EMPTY[value]() if value in _EMPTY else convert_value(value)


_EMPTY: Mapping[str | None, Callable[[], Any]] = {None: lambda: None, "[]": list, "{}": dict}


def _instances(compiled: _Compiled, rows: Sequence[Any], alias: str) -> list[Any]:
    model = compiled.compiler.klass_info["model"]
    return [_instance(model, compiled, row, alias) for row in rows]


def _instance(model: type[models.Model], compiled: _Compiled, row: Sequence[Any], alias: str) -> models.Model:
    row = _convert_row(row, compiled.converters)
    instance = instance_from(model, zip(compiled.names, row, strict=False), alias=alias)
    for populator in compiled.populators:
        populator.populate(row, instance)
    return instance


def _convert_row(row: Sequence[Any], converters: Sequence[tuple[int, Callable[[Any], Any]]]) -> Sequence[Any]:
    if not converters:
        return row
    values = list(row)
    for index, convert in converters:
        values[index] = convert(values[index])
    return values
