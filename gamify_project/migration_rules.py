"""Refuses migrations that break the previous release (docs/decisions/0024-rolling-upgrades.md).

During an upgrade the processes of the previous release read and write the new schema. The rules read the operations of each
migration that is newer than PREVIOUS_RELEASE, and need no database.

A migration can permit a rule to itself, with the reason: `reviewed = {"index": "One row per definition: built in an instant."}`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, TypeAlias

from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from participants import migration_operations as ours

PREVIOUS_RELEASE = {
    "badges": "0004_badge_award_event",
    "challenges": "0001_initial",
    "facts": "0004_event_marks",
    "leaderboards": "0005_metric_without_choices",
    "participants": "0011_feed_position",
    "points": "0004_boost",
    "rewards": "0004_who_may_see_codes",
    "rules": "0001_initial",
    "streaks": "0010_vouched_ticks",
    "tiers": "0002_points_multiplier",
    "webhooks": "0002_doubtful_endpoints",
}
"""The newest migration of each app in the previous release. Each release records its predecessor's here.

Migrations up to these are not checked: nothing older than the previous release has to run on the schema. An app that is not
listed here is new.
"""

OUR_PACKAGES = ("participants", "gamify", "streaks", "rewards", "gamify_project")

ALONE = (
    ours.AddIndexConcurrently,
    ours.AddUniqueConstraintConcurrently,
    ours.RemoveIndexConcurrently,
    ours.RunInChunks,
)
"""Operations that need `atomic = False`. Nothing else may run outside a transaction, because `lock_timeout` ends with it."""

Finding = tuple[str, str]
"""The rule, and what breaks it."""

Field: TypeAlias = "models.Field[Any, Any]"


@dataclass(frozen=True)
class Problem:
    """A migration breaks a rule."""

    migration: str
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.migration}: {self.rule}: {self.text}"


@dataclass(frozen=True)
class Context:
    """What is known when an operation runs: the models of the previous release, and those before the operation."""

    app_label: str
    released: ProjectState
    before: ProjectState

    def field_before(self, model_name: str, name: str) -> Field:
        field: Field = self.before.models[self.app_label, model_name.lower()].fields[name]
        return field

    def is_released(self, model_name: str) -> bool:
        return (self.app_label, model_name.lower()) in self.released.models

    def is_released_field(self, model_name: str, name: str) -> bool:
        return self.is_released(model_name) and name in self.released.models[self.app_label, model_name.lower()].fields

    def is_released_table(self, table: str) -> bool:
        return any(model._meta.db_table == table for model in self.released.apps.get_models(include_auto_created=True))


def every_migration() -> MigrationLoader:
    """Load the migrations, also those that squashed ones replace."""
    return MigrationLoader(None, replace_migrations=False)


def problems(loader: MigrationLoader, previous_release: Mapping[str, str]) -> Iterator[Problem]:
    """Yield the problems of all migrations of our apps that are newer than `previous_release`, such as PREVIOUS_RELEASE.

    `loader` is that of `every_migration`. Squashed migrations are not checked: they run in new installations only.
    """
    old = list(previous_release.items())
    released = loader.project_state(old)
    known = {node for each in old for node in loader.graph.forwards_plan(each)}
    state = ProjectState()
    for node in _in_order(loader):
        migration = loader.graph.nodes[node]
        if _is_ours(migration) and node not in known and not migration.replaces:
            yield from problems_of(migration, before=state, released=released)
        state = migration.mutate_state(state, preserve=False)


def problems_of(migration: migrations.Migration, *, before: ProjectState, released: ProjectState) -> Iterator[Problem]:
    """Yield the problems of one migration. `before`: the models before it."""
    reviewed: Mapping[str, str] = getattr(migration, "reviewed", {})
    for rule, text in _findings(migration, before, released):
        if not reviewed.get(rule):
            yield Problem(f"{migration.app_label}.{migration.name}", rule, text)


def _is_ours(migration: migrations.Migration) -> bool:
    return type(migration).__module__.partition(".")[0] in OUR_PACKAGES


def _in_order(loader: MigrationLoader) -> list[tuple[str, str]]:
    plan: dict[tuple[str, str], None] = {}
    for leaf in loader.graph.leaf_nodes():
        plan |= dict.fromkeys(loader.graph.forwards_plan(leaf))
    return list(plan)


def _findings(migration: migrations.Migration, before: ProjectState, released: ProjectState) -> Iterator[Finding]:
    yield from _transaction(migration)
    yield from _validation(migration)
    state = before.clone()
    for operation in migration.operations:
        context = Context(migration.app_label, released, state)
        if not _is_about_new_table(operation, context):
            yield from breaks(operation, context)
        operation.state_forwards(migration.app_label, state)


def _is_about_new_table(operation: Operation, context: Context) -> bool:
    """Whether the previous release does not know the model. Then it cannot be broken, and the table is small."""
    name = getattr(operation, "model_name", None)
    return name is not None and not context.is_released(name)


# --- rules of a whole migration -----------------------------------------------------------------------------------------


def _transaction(migration: migrations.Migration) -> Iterator[Finding]:
    alone = [isinstance(operation, ALONE) for operation in migration.operations]
    if migration.atomic and any(alone):
        yield "atomic", "concurrent operations and chunks cannot run in a transaction: set atomic = False."
    if not migration.atomic and alone != [True]:
        names = ", ".join(operation.__name__ for operation in ALONE)
        yield "atomic", f"atomic = False is only for a migration with one operation, out of {names}: move the others."


def _validation(migration: migrations.Migration) -> Iterator[Finding]:
    kinds = [type(operation) for operation in migration.operations]
    if ours.AddConstraintNotValid in kinds and ours.ValidateConstraint in kinds:
        yield (
            "constraint",
            "ValidateConstraint must be in a later migration: here it holds the lock of AddConstraintNotValid.",
        )


# --- rules of an operation ----------------------------------------------------------------------------------------------


@singledispatch
def breaks(operation: Operation, context: Context) -> Iterator[Finding]:
    """Yield what this operation breaks. Unknown operations are refused."""
    yield "unknown", f"{type(operation).__name__}: no rule knows this operation. Review it, and say why it is safe."


@breaks.register(migrations.AlterModelOptions)
@breaks.register(migrations.AlterModelManagers)
@breaks.register(migrations.AlterModelTableComment)
@breaks.register(migrations.RenameIndex)
@breaks.register(migrations.RemoveIndex)
@breaks.register(ours.AddIndexConcurrently)
@breaks.register(ours.AddConstraintNotValid)
@breaks.register(ours.ValidateConstraint)
@breaks.register(ours.RunInChunks)
def _harmless(operation: Operation, context: Context) -> Iterator[Finding]:
    yield from ()


@breaks.register
def _create_model(operation: migrations.CreateModel, context: Context) -> Iterator[Finding]:
    for name, field in operation.fields:
        yield from _column_default(f"{operation.name}.{name}", field)


@breaks.register
def _add_field(operation: migrations.AddField, context: Context) -> Iterator[Finding]:
    about, field = f"{operation.model_name}.{operation.name}", operation.field
    if field.many_to_many:
        return
    if not _is_writable_without(field):
        yield (
            "not-null",
            f"{about} is NOT NULL without db_default: the previous release cannot insert rows. Add db_default.",
        )
    if _has_index(field):
        yield "index", f"{about} builds an index while writes wait: add it without one, then use AddIndexConcurrently."
    if getattr(field, "db_constraint", False):
        yield "constraint", f"{about} checks a foreign key while writes wait: use db_constraint=False."
    if isinstance(field, models.GeneratedField):
        yield "type", f"{about} rewrites the table while reads and writes wait: use a plain column."


@breaks.register
def _alter_field(operation: migrations.AlterField, context: Context) -> Iterator[Finding]:
    about = f"{operation.model_name}.{operation.name}"
    old, new = context.field_before(operation.model_name, operation.name), operation.field
    if _is_writable_without(old) and not _is_writable_without(new):
        yield (
            "not-null",
            f"{about} loses its null or db_default: the previous release may leave the column out. Keep them.",
        )
    elif old.null and not new.null:
        yield (
            "not-null",
            f"{about} becomes NOT NULL: the previous release may write null. Use AddConstraintNotValid later.",
        )
    if old.db_column != new.db_column:
        yield "removal", f"{about} gets another column: the previous release uses the old one. Add a column instead."
    if not _holds_all_of(new, old):
        yield "type", f"{about} changes its type or shrinks: add a second column, copy, and switch in two releases."
    if _has_index(new) and not _has_index(old):
        yield "index", f"{about} builds an index while writes wait: use AddIndexConcurrently."


@breaks.register(migrations.RemoveField)
@breaks.register(migrations.DeleteModel)
def _removal(operation: Operation, context: Context) -> Iterator[Finding]:
    remedy = "Remove it from the state first (SeparateDatabaseAndState), and drop it in the next release (DropColumn, DropTable)."
    yield "removal", f"{operation.describe()}: the previous release uses it. {remedy}"


@breaks.register(migrations.RenameField)
@breaks.register(migrations.RenameModel)
@breaks.register(migrations.AlterModelTable)
def _rename(operation: Operation, context: Context) -> Iterator[Finding]:
    yield (
        "removal",
        f"{operation.describe()}: the previous release uses the old name. Keep it with db_column or db_table.",
    )


@breaks.register
def _drop_column(operation: ours.DropColumn, context: Context) -> Iterator[Finding]:
    if context.is_released_field(operation.model_name, operation.name):
        yield (
            "removal",
            f"{operation.describe()}: the previous release still has the field. Drop it in the next release.",
        )


@breaks.register
def _drop_table(operation: ours.DropTable, context: Context) -> Iterator[Finding]:
    if context.is_released_table(operation.table):
        yield (
            "removal",
            f"{operation.describe()}: the previous release still has the model. Drop it in the next release.",
        )


@breaks.register(migrations.AddIndex)
@breaks.register(migrations.AlterUniqueTogether)
@breaks.register(migrations.AlterIndexTogether)
@breaks.register(migrations.AlterOrderWithRespectTo)
def _index(operation: Operation, context: Context) -> Iterator[Finding]:
    yield (
        "index",
        f"{operation.describe()}: writes wait for it. Use AddIndexConcurrently of participants.migration_operations.",
    )


@breaks.register
def _constraint(operation: migrations.AddConstraint, context: Context) -> Iterator[Finding]:
    if isinstance(operation.constraint, models.CheckConstraint):
        yield (
            "constraint",
            f"{operation.describe()}: writes wait for it. Use AddConstraintNotValid, then ValidateConstraint.",
        )
    else:
        yield (
            "index",
            f"{operation.describe()}: builds a unique index while writes wait. Use AddUniqueConstraintConcurrently.",
        )


@breaks.register
def _unique_constraint(operation: ours.AddUniqueConstraintConcurrently, context: Context) -> Iterator[Finding]:
    yield (
        "constraint",
        f"{operation.describe()}: may refuse the previous release. Say why that release writes no such row.",
    )


@breaks.register(migrations.RemoveConstraint)
@breaks.register(migrations.AlterConstraint)
def _remove_constraint(operation: Operation, context: Context) -> Iterator[Finding]:
    yield (
        "constraint",
        f"{operation.describe()}: the previous release may rely on it (ON CONFLICT, a translated error).",
    )


@breaks.register
def _data(operation: migrations.RunPython, context: Context) -> Iterator[Finding]:
    yield (
        "data",
        f"{operation.describe()}: one transaction locks all its rows. Use RunInChunks, which needs the way back too.",
    )


@breaks.register
def _sql(operation: migrations.RunSQL, context: Context) -> Iterator[Finding]:
    yield "sql", "RunSQL: no rule reads SQL. Review its locks and the way back, and say why it is safe."


@breaks.register
def _separate(operation: migrations.SeparateDatabaseAndState, context: Context) -> Iterator[Finding]:
    for change in operation.database_operations:
        yield from breaks(change, context)
    for change in operation.state_operations:
        if isinstance(change, migrations.RemoveField):
            yield from _unwritten(change, context)


def _unwritten(operation: migrations.RemoveField, context: Context) -> Iterator[Finding]:
    field = context.field_before(operation.model_name, operation.name)
    if not _is_writable_without(field):
        about = f"{operation.model_name}.{operation.name}"
        yield (
            "not-null",
            f"{about} is NOT NULL without db_default: without the field, rows cannot be inserted. Add it first.",
        )


# --- questions about columns ----------------------------------------------------------------------------------------------


def _column_default(about: str, field: Field) -> Iterator[Finding]:
    """Refuse a default that only Python knows: a later release could not stop writing the column.

    Ids are exempt: a default of the database would be the same for all rows.
    """
    if field.has_default() and not _is_writable_without(field) and not isinstance(field, models.UUIDField):
        yield (
            "not-null",
            f"{about} has a default but no db_default: a release that no longer writes it would fail. Add it.",
        )


def _is_writable_without(field: Field) -> bool:
    """Whether rows can be inserted by a statement that does not name the column."""
    return field.null or field.db_default is not models.NOT_PROVIDED or isinstance(field, models.GeneratedField)


def _has_index(field: Field) -> bool:
    return bool(field.unique or getattr(field, "db_index", False))


def _holds_all_of(new: Field, old: Field) -> bool:
    """Whether the column type stays, or only grows where PostgreSQL does not rewrite the table."""
    if new.get_internal_type() != old.get_internal_type():
        return False
    if getattr(new, "decimal_places", None) != getattr(old, "decimal_places", None):
        return False
    return all(
        _is_at_least(getattr(new, name, None), getattr(old, name, None)) for name in ("max_length", "max_digits")
    )


def _is_at_least(new: int | None, old: int | None) -> bool:
    return new is None or (old is not None and new >= old)
