"""The operations do on both databases what their names say, forwards and backwards."""

import pytest
from django.db import IntegrityError, connection, migrations, models
from django.db.migrations.state import ModelState, ProjectState

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

pytestmark = pytest.mark.django_db(transaction=True)

INDEX = models.Index(fields=["stars"], name="note_stars")
CHECK = models.CheckConstraint(condition=models.Q(stars__gte=0), name="note_stars_positive")
UNIQUE = models.UniqueConstraint(fields=["stars"], condition=models.Q(stars__gt=5), name="note_stars_once")
TABLE = "participants_note"


@pytest.fixture
def state():
    """The state of an application with one table, which is there."""
    fields = [("id", models.BigAutoField(primary_key=True)), ("stars", models.IntegerField(db_default=1))]
    state = ProjectState({("participants", "note"): ModelState("participants", "Note", fields)})
    with connection.schema_editor() as editor:
        editor.create_model(state.apps.get_model("participants", "Note"))
    yield state
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")


def migration(operation, **attributes):
    body = {"operations": [operation], **attributes}
    return type("Migration", (migrations.Migration,), body)("0002_change", "participants")


def apply(operation, state, *, atomic=True):
    """Run the migration. Return the state after it."""
    with connection.schema_editor(atomic=atomic) as editor:
        return migration(operation, atomic=atomic).apply(state.clone(), editor)


def unapply(operation, state, *, atomic=True):
    """Take the migration back. `state`: the state before it."""
    with connection.schema_editor(atomic=atomic) as editor:
        migration(operation, atomic=atomic).unapply(state.clone(), editor)


def constraints():
    with connection.cursor() as cursor:
        return connection.introspection.get_constraints(cursor, TABLE)


def columns():
    with connection.cursor() as cursor:
        return [each.name for each in connection.introspection.get_table_description(cursor, TABLE)]


def insert(stars=None):
    with connection.cursor() as cursor:
        if stars is None:
            cursor.execute(f"INSERT INTO {TABLE} DEFAULT VALUES")
        else:
            cursor.execute(f"INSERT INTO {TABLE} (stars) VALUES (%s)", [stars])


def test_an_index_is_created_and_removed_concurrently(state):
    add, remove = AddIndexConcurrently("note", INDEX), RemoveIndexConcurrently("note", "note_stars")

    with_index = apply(add, state, atomic=False)
    assert "note_stars" in constraints()

    apply(remove, with_index, atomic=False)
    assert "note_stars" not in constraints()
    unapply(remove, with_index, atomic=False)
    assert "note_stars" in constraints()

    unapply(add, state, atomic=False)
    assert "note_stars" not in constraints()


@pytest.mark.two_connections
def test_an_index_that_an_interrupted_attempt_left_is_built_again(state):
    apply(AddIndexConcurrently("note", INDEX), state, atomic=False)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'note_stars'::regclass")

    apply(AddIndexConcurrently("note", INDEX), state, atomic=False)

    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'note_stars'::regclass")
        assert cursor.fetchone() == (True,)


def test_a_unique_constraint_is_added_concurrently_and_taken_back(state):
    add = AddUniqueConstraintConcurrently("note", UNIQUE)
    insert(1)
    insert(6)

    apply(add, state, atomic=False)

    insert(1)
    with pytest.raises(IntegrityError):
        insert(6)
    unapply(add, state, atomic=False)
    insert(6)


@pytest.mark.two_connections
def test_a_unique_constraint_is_built_again_after_an_attempt_that_found_a_duplicate(state):
    add = AddUniqueConstraintConcurrently("note", UNIQUE)
    insert(6)
    insert(6)
    with pytest.raises(IntegrityError):
        apply(add, state, atomic=False)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE}")

    apply(add, state, atomic=False)

    insert(6)
    with pytest.raises(IntegrityError):
        insert(6)


@pytest.mark.two_connections
def test_a_constraint_that_is_not_valid_refuses_new_rows_and_leaves_old_ones(state, django_assert_num_queries):
    insert(-1)

    with_check = apply(AddConstraintNotValid("note", CHECK), state)

    with pytest.raises(Exception, match="note_stars_positive"):
        insert(-1)
    with pytest.raises(Exception, match="note_stars_positive"):
        apply(ValidateConstraint("note", CHECK.name), with_check)


def test_a_constraint_is_added_validated_and_taken_back(state):
    with_check = apply(AddConstraintNotValid("note", CHECK), state)
    apply(ValidateConstraint("note", CHECK.name), with_check)

    with pytest.raises(Exception, match="note_stars_positive"):
        insert(-1)

    unapply(ValidateConstraint("note", CHECK.name), with_check)
    unapply(AddConstraintNotValid("note", CHECK), state)
    insert(-1)


def test_a_column_leaves_the_state_first_and_the_table_later(state):
    remove = migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("note", "stars")])
    drop = DropColumn("note", "stars", models.IntegerField(db_default=1))

    without = apply(remove, state)
    assert "stars" in columns()
    insert()

    apply(drop, without)
    assert columns() == ["id"]

    unapply(drop, without)
    assert columns() == ["id", "stars"]


def test_a_column_that_is_gone_already_is_no_error(state):
    without = apply(migrations.RemoveField("note", "stars"), state)

    apply(DropColumn("note", "stars", models.IntegerField(db_default=1)), without)

    assert columns() == ["id"]


def test_a_table_leaves_the_state_first_and_the_database_later(state):
    without = apply(migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("Note")]), state)
    assert TABLE in connection.introspection.table_names()

    apply(DropTable(TABLE), without)
    assert TABLE not in connection.introspection.table_names()


def test_data_is_moved_chunk_by_chunk_each_in_its_own_transaction(state):
    for _ in range(5):
        insert(1)
    calls = []

    def double(apps, schema_editor):
        notes = apps.get_model("participants", "Note").objects
        chunk = list(notes.filter(stars=1).order_by("id").values_list("id", flat=True)[:2])
        calls.append((connection.in_atomic_block, len(chunk)))
        return notes.filter(id__in=chunk).update(stars=2)

    def halve(apps, schema_editor):
        return apps.get_model("participants", "Note").objects.filter(stars=2).update(stars=1)

    move = RunInChunks(double, halve)
    apply(move, state, atomic=False)
    assert calls == [(True, 2), (True, 2), (True, 1), (True, 0)]

    unapply(move, state, atomic=False)
    assert set(state.apps.get_model("participants", "Note").objects.values_list("stars", flat=True)) == {1}
