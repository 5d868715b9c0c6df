"""Every rule refuses a small migration, and permits the way that the documentation names."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres import operations as postgres
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState

from gamify_project import migration_rules
from gamify_project.migration_rules import OUR_PACKAGES, PREVIOUS_RELEASE, every_migration, problems, problems_of
from participants.ids import new_id
from participants.migration_operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    AddUniqueConstraintConcurrently,
    DropColumn,
    DropTable,
    RemoveIndexConcurrently,
    RunInChunks,
    ValidateConstraint,
)

INDEX = models.Index(fields=["name"], name="note_name")
CHECK = models.CheckConstraint(condition=models.Q(stars__gte=0), name="note_stars")
UNIQUE = models.UniqueConstraint(fields=["name"], name="note_unique")


def notes(**changes):
    """The models of an application with one table."""
    fields = {
        "id": models.UUIDField(primary_key=True, default=new_id),
        "name": models.CharField(max_length=10),
        "stars": models.IntegerField(default=0, db_default=0),
        "text": models.TextField(null=True),
        **changes,
    }
    named = [(name, field) for name, field in fields.items() if field is not None]
    return ProjectState({("notes", "note"): ModelState("notes", "Note", named, {"indexes": [INDEX]})})


def refused(*operations, before=None, released=None, **attributes):
    """The rules that this migration breaks."""
    body = {"operations": list(operations), **attributes}
    migration = type("Migration", (migrations.Migration,), body)("0002_change", "notes")
    return [each.rule for each in problems_of(migration, before=before or notes(), released=released or notes())]


def add(field):
    return migrations.AddField("note", "extra", field)


def alter(name, field):
    return migrations.AlterField("note", name, field)


def from_state(operation):
    return migrations.SeparateDatabaseAndState(state_operations=[operation])


def step(apps, schema_editor):
    return 0


@pytest.mark.parametrize(
    ("operation", "rule"),
    [
        (add(models.IntegerField()), "not-null"),
        (add(models.IntegerField(default=0)), "not-null"),
        (add(models.CharField(max_length=5, blank=True, default="")), "not-null"),
        (add(models.IntegerField(null=True, db_index=True)), "index"),
        (add(models.IntegerField(null=True, unique=True)), "index"),
        (add(models.ForeignKey("notes.note", models.CASCADE, null=True, db_index=False)), "constraint"),
        (
            add(
                models.GeneratedField(expression=models.F("stars"), output_field=models.IntegerField(), db_persist=True)
            ),
            "type",
        ),
        (alter("text", models.TextField(default="")), "not-null"),
        (alter("text", models.TextField(default="", db_default="")), "not-null"),
        (alter("stars", models.IntegerField(default=0)), "not-null"),
        (alter("stars", models.BigIntegerField(default=0, db_default=0)), "type"),
        (alter("stars", models.IntegerField(default=0, db_default=0, db_index=True)), "index"),
        (alter("stars", models.IntegerField(default=0, db_default=0, db_column="points")), "removal"),
        (alter("name", models.CharField(max_length=9)), "type"),
        (alter("text", models.CharField(max_length=100, null=True)), "type"),
        (migrations.RemoveField("note", "text"), "removal"),
        (migrations.DeleteModel("Note"), "removal"),
        (migrations.RenameField("note", "text", "body"), "removal"),
        (migrations.RenameModel("Note", "Memo"), "removal"),
        (migrations.AlterModelTable("note", "memos"), "removal"),
        (DropColumn("note", "text", models.TextField(null=True)), "removal"),
        (DropTable("notes_note"), "removal"),
        (from_state(migrations.RemoveField("note", "name")), "not-null"),
        (migrations.SeparateDatabaseAndState(database_operations=[migrations.RemoveField("note", "text")]), "removal"),
        (migrations.AddIndex("note", models.Index(fields=["stars"], name="note_stars_index")), "index"),
        (migrations.AlterUniqueTogether("note", {("name", "stars")}), "index"),
        (migrations.AddConstraint("note", CHECK), "constraint"),
        (migrations.AddConstraint("note", UNIQUE), "index"),
        (migrations.RunPython(step, step), "data"),
        (migrations.RunPython(step), "data"),
        (migrations.RunSQL("SELECT 1", "SELECT 1"), "sql"),
        (postgres.CreateExtension("hstore"), "unknown"),
        (
            migrations.CreateModel(
                "Memo", [("id", models.BigAutoField(primary_key=True)), ("x", models.TextField(default=""))]
            ),
            "not-null",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else value.describe(),
)
def test_a_migration_that_breaks_the_previous_release_is_refused(operation, rule):
    assert rule in refused(operation)


@pytest.mark.parametrize(
    "operation",
    [
        add(models.IntegerField(default=0, db_default=0)),
        add(models.TextField(null=True)),
        add(models.ForeignKey("notes.note", models.CASCADE, null=True, db_index=False, db_constraint=False)),
        add(models.ManyToManyField("notes.note")),
        alter("name", models.CharField(max_length=20, blank=True, help_text="Longer.")),
        alter("name", models.CharField(max_length=10, db_default="")),
        alter("stars", models.IntegerField(default=0, db_default=0, null=True)),
        from_state(migrations.RemoveField("note", "text")),
        from_state(migrations.RemoveField("note", "stars")),
        from_state(migrations.DeleteModel("Note")),
        migrations.RemoveIndex("note", "note_name"),
        migrations.AlterModelOptions("note", {"verbose_name": "memo"}),
        AddConstraintNotValid("note", CHECK),
        ValidateConstraint("note", "note_stars"),
        migrations.CreateModel("Memo", [("id", models.UUIDField(primary_key=True, default=new_id))]),
    ],
    ids=lambda value: value.describe(),
)
def test_a_migration_that_leaves_the_previous_release_working_is_permitted(operation):
    assert refused(operation) == []


CONCURRENT = [
    AddIndexConcurrently("note", models.Index(fields=["stars"], name="note_stars_index")),
    RemoveIndexConcurrently("note", "note_name"),
    RunInChunks(step, step),
]


@pytest.mark.parametrize("operation", CONCURRENT, ids=lambda value: type(value).__name__)
def test_what_runs_outside_a_transaction_is_alone_in_its_migration(operation):
    column = add(models.TextField(null=True))

    assert refused(operation, atomic=False) == []
    assert refused(operation) == ["atomic"]
    assert refused(operation, column, atomic=False) == ["atomic"]
    assert refused(column, atomic=False) == ["atomic"]


def test_a_unique_constraint_says_why_the_previous_release_keeps_to_it():
    add = AddUniqueConstraintConcurrently("note", UNIQUE)

    assert refused(add, atomic=False) == ["constraint"]
    assert refused(add, atomic=False, reviewed={"constraint": "It leaves the column null."}) == []
    assert refused(add, reviewed={"constraint": "It leaves the column null."}) == ["atomic"]


def test_a_constraint_is_validated_in_another_migration():
    assert refused(AddConstraintNotValid("note", CHECK), ValidateConstraint("note", "note_stars")) == ["constraint"]


def test_a_column_is_dropped_once_the_previous_release_does_not_know_it():
    drop = DropColumn("note", "text", models.TextField(null=True))
    without = notes(text=None)

    assert refused(drop, before=without, released=notes()) == ["removal"]
    assert refused(drop, before=without, released=without) == []


def test_a_table_is_dropped_once_the_previous_release_does_not_know_it():
    assert refused(DropTable("notes_note"), before=ProjectState()) == ["removal"]
    assert refused(DropTable("notes_memo"), before=ProjectState()) == []


def test_a_table_that_the_previous_release_does_not_know_may_be_changed_in_any_way():
    assert (
        refused(migrations.RenameField("note", "text", "body"), released=ProjectState({("notes", "other"): None})) == []
    )


def test_a_migration_may_permit_a_rule_to_itself_with_a_reason():
    plain = migrations.AddIndex("note", models.Index(fields=["stars"], name="note_stars_index"))

    assert refused(plain, reviewed={"index": "The table has ten rows."}) == []
    assert refused(plain, reviewed={"index": ""}) == ["index"]
    assert refused(plain, reviewed={"type": "The table has ten rows."}) == ["index"]


def test_no_migration_breaks_the_previous_release():
    assert [str(problem) for problem in problems(every_migration(), PREVIOUS_RELEASE)] == []


def test_a_new_installation_has_the_schema_of_an_upgraded_one():
    """Squashed migrations describe what those that they replace lead to."""
    squashed, every = MigrationLoader(None), every_migration()
    replacing = [each for each in squashed.graph.nodes.values() if each.replaces]
    last_replaced = [each.replaces[-1] for each in replacing]
    single = [node for node in squashed.graph.leaf_nodes() if not squashed.graph.nodes[node].replaces]

    assert replacing
    new, upgraded = squashed.project_state(), every.project_state([*last_replaced, *single])
    assert described(new) == described(upgraded)


def described(state: ProjectState) -> dict[Any, Any]:
    """Fields, constraints, indexes and options of all models, without the order of the columns."""
    return {
        key: (
            {name: field.deconstruct()[1:] for name, field in model.fields.items()},
            {
                name: sorted(map(repr, value)) if name in {"constraints", "indexes"} else value
                for name, value in model.options.items()
                if value
            },
        )
        for key, model in state.models.items()
    }


FIRST = {"streaks": "0001_initial"}


def test_only_migrations_after_the_previous_release_are_checked():
    loader = every_migration()
    since_first = {problem.migration for problem in problems(loader, FIRST)}
    since_third = {problem.migration for problem in problems(loader, {"streaks": "0003_streak_terms"})}

    assert {"streaks.0003_streak_terms", "streaks.0008_announced_counts", "streaks.0009_sweep_indexes"} <= since_first
    assert since_first - since_third == {"streaks.0003_streak_terms"}


def test_the_command_names_the_problems_and_fails(monkeypatch, capsys):
    monkeypatch.setattr(migration_rules, "PREVIOUS_RELEASE", FIRST)

    with pytest.raises(CommandError, match=r"CONTRIBUTING\.md"):
        call_command("lint_migrations")

    assert "streaks.0003_streak_terms: not-null: streak.condition is NOT NULL" in capsys.readouterr().err


def test_the_command_says_that_all_is_well(capsys):
    call_command("lint_migrations")

    assert capsys.readouterr().out == "No migration breaks the previous release.\n"


VALUES_THAT_DIFFER = {"leaderboards_leaderboard.track"}
"""Each row needs a value of its own, which the database does not generate."""


@pytest.mark.django_db
def test_an_insert_may_leave_out_every_column_that_has_a_default():
    needed, defaults = set(), set()
    for model in apps.get_models():
        if model.__module__.split(".")[0] in OUR_PACKAGES:
            needed |= needed_columns(model)
            defaults |= columns_with_defaults(model)

    assert needed & defaults == VALUES_THAT_DIFFER


def needed_columns(model):
    """The columns that every INSERT must name."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        columns = connection.introspection.get_table_description(cursor, table)
    return {f"{table}.{each.name}" for each in columns if not each.null_ok and each.default is None}


def columns_with_defaults(model):
    fields = [field for field in model._meta.concrete_fields if field.has_default() and not field.primary_key]
    return {f"{model._meta.db_table}.{field.column}" for field in fields}
