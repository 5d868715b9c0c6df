"""Operations for migrations that run while the previous release writes (docs/decisions/0024-rolling-upgrades.md).

Django's own concurrent operations work only on PostgreSQL. These work on both databases. SQLite serves one release at a time, so
there they do what the plain operations do.
"""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, ClassVar

from django.contrib.postgres import operations as postgres
from django.db import models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddConstraint, AddIndex, RemoveIndex, RunPython
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState, StateApps

Chunk = Callable[[StateApps, BaseDatabaseSchemaEditor], int | None]

INVALID_INDEX = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(quote_ident(%s)) AND NOT indisvalid"


class _PlainOnSqlite(Operation):
    """Does on PostgreSQL what the next class does, and on SQLite what `plain` does."""

    plain: ClassVar[type[Operation]]

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        act = (
            super().database_forwards if _is_postgresql(schema_editor) else partial(self.plain.database_forwards, self)
        )
        act(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        act = (
            super().database_backwards
            if _is_postgresql(schema_editor)
            else partial(self.plain.database_backwards, self)
        )
        act(app_label, schema_editor, from_state, to_state)


class AddIndexConcurrently(_PlainOnSqlite, postgres.AddIndexConcurrently):
    """Create an index without blocking writes. Needs `atomic = False`, and must be the only operation of its migration.

    An attempt that was interrupted leaves an index that PostgreSQL does not use. The next attempt drops it first.
    """

    plain = AddIndex

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if _is_postgresql(schema_editor) and _is_left_invalid(schema_editor, self.index.name):
            self.database_backwards(app_label, schema_editor, to_state, from_state)
        super().database_forwards(app_label, schema_editor, from_state, to_state)


class RemoveIndexConcurrently(_PlainOnSqlite, postgres.RemoveIndexConcurrently):
    """Drop an index without blocking writes. Needs `atomic = False`, and must be the only operation of its migration."""

    plain = RemoveIndex


class AddUniqueConstraintConcurrently(AddConstraint):
    """Add a unique constraint with a condition without blocking writes. Needs `atomic = False`, and must be alone in its migration.

    PostgreSQL keeps such a constraint as a unique index. An attempt that was interrupted leaves one that is not used; the next
    attempt drops it first. The migration must say why the previous release writes no row that the constraint refuses.
    """

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if not _is_postgresql(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if _is_left_invalid(schema_editor, self.constraint.name):
            schema_editor.execute(f"DROP INDEX CONCURRENTLY {schema_editor.quote_name(self.constraint.name)}")
        statement: Any = self.constraint.create_sql(model, schema_editor)
        statement.template = statement.template.replace("UNIQUE INDEX", "UNIQUE INDEX CONCURRENTLY", 1)
        schema_editor.execute(statement, params=None)

    def describe(self) -> str:
        return f"Concurrently create unique constraint {self.constraint.name} on model {self.model_name}"


class AddConstraintNotValid(_PlainOnSqlite, postgres.AddConstraintNotValid):
    """Add a check constraint that applies to new writes only. `ValidateConstraint`, in a later migration, checks stored rows."""

    plain = AddConstraint


class ValidateConstraint(postgres.ValidateConstraint):
    """Check the rows that were stored before the constraint. Reads the table without blocking writes."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if _is_postgresql(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class DropColumn(Operation):
    """Drop a column which an earlier release removed from the state. `field` is its last definition, for the way back."""

    def __init__(self, model_name: str, name: str, field: "models.Field[Any, Any]") -> None:
        self.model_name, self.name, self.field = model_name, name, field

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The field left the state with an earlier migration."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = self._model(app_label, from_state)
        field = model._meta.get_field(self.name)
        if _has_column(schema_editor, model, field.column):
            schema_editor.remove_field(model, field)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = self._model(app_label, to_state)
        schema_editor.add_field(model, model._meta.get_field(self.name))

    def describe(self) -> str:
        return f"Drop column of field {self.name} from {self.model_name}"

    def _model(self, app_label: str, state: ProjectState) -> Any:
        """Return the model with the field, as it was before the field left the state."""
        before = state.clone()
        before.add_field(app_label, self.model_name.lower(), self.name, self.field, preserve_default=True)
        return before.apps.get_model(app_label, self.model_name)


class DropTable(Operation):
    """Drop a table whose model an earlier release removed from the state. There is no way back: the rows are gone."""

    reversible = False

    def __init__(self, table: str) -> None:
        self.table = table

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The model left the state with an earlier migration."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        schema_editor.execute(f"DROP TABLE IF EXISTS {schema_editor.quote_name(self.table)}")

    def describe(self) -> str:
        return f"Drop table {self.table}"


class RunInChunks(RunPython):
    """Call `code` until it returns 0, each time in a transaction of its own, so that no lock is held for long.

    `code(apps, schema_editor)` changes about a thousand of the rows that still need the change, and returns their number. It must
    not change a row twice, because a migration that was interrupted starts again. Needs `atomic = False`, and must be the only
    operation of its migration.
    """

    def __init__(self, code: Chunk, reverse_code: Chunk) -> None:
        super().__init__(_until_done(code), _until_done(reverse_code), atomic=False)


def _until_done(code: Chunk) -> Callable[[StateApps, BaseDatabaseSchemaEditor], None]:
    @wraps(code)
    def run(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        has_rows = True
        while has_rows:
            with transaction.atomic(using=schema_editor.connection.alias):
                has_rows = bool(code(apps, schema_editor))

    return run


def _is_postgresql(schema_editor: BaseDatabaseSchemaEditor) -> bool:
    return schema_editor.connection.vendor == "postgresql"


def _is_left_invalid(schema_editor: BaseDatabaseSchemaEditor, index: str) -> bool:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(INVALID_INDEX, [index])
        return cursor.fetchone() is not None


def _has_column(schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model], column: str) -> bool:
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, model._meta.db_table)
    return any(each.name == column for each in described)
