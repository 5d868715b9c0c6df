"""PostgreSQL separates tenants: statements without any filter see the rows of one tenant, and the ledger is only added to."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.postgres.aggregates import ArrayAgg
from django.core.management import call_command
from django.db import ProgrammingError, connection, models, transaction
from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from gamify.points.models import LedgerEntry
from gamify.points.services import Change, award
from gamify_project.postgres import separation
from gamify_project.postgres.cursors import FencedCursor, FencedServerCursor
from gamify_project.postgres.roles import tables_of_tenants
from participants.database import all_tenants, no_tenant, one_round_trip, send, tenant_scope
from participants.database.fence import Fence
from participants.models import ConfigurationChange, Participant, Removal, Tenant
from participants.services.append_only import append_only
from participants.services.participants import anonymize, delete
from participants.services.personal_export import export_personal_data
from participants.services.tenants import create_tenant
from tests.servers import SCOPE_ROLES
from tests.wire import counted_round_trips

pytestmark = [pytest.mark.two_connections, pytest.mark.django_db]

MODELS = [
    model
    for model in apps.get_models(include_auto_created=True)
    if any(field.column == "tenant_id" for field in model._meta.local_concrete_fields)
]
NUMBERS = count(1)
INSTANT = datetime(2026, 2, 14, 10, tzinfo=UTC)
VALUES: dict[type[models.Field], Any] = {
    models.UUIDField: uuid4,
    models.DateTimeField: lambda: INSTANT,
    models.DateField: INSTANT.date,
    models.TimeField: INSTANT.time,
    models.BooleanField: lambda: False,
    models.IntegerField: lambda: 1,
    models.DecimalField: lambda: 1,
    models.JSONField: dict,
    models.CharField: lambda: f"x{next(NUMBERS)}",
    models.TextField: lambda: "x",
    models.BinaryField: lambda: b"x",
}


@pytest.fixture(autouse=True)
def as_application(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks with a scope run as the application's role. What a test does outside such a block runs as the owner."""
    connection.ensure_connection()
    pg = connection.connection
    monkeypatch.setattr(pg, "_gamify_fence", Fence(SCOPE_ROLES), raising=False)
    monkeypatch.setattr(pg, "cursor_factory", FencedCursor)
    monkeypatch.setattr(pg, "server_cursor_factory", FencedServerCursor)


def named(model: type[models.Model]) -> str:
    return model._meta.db_table


@pytest.fixture
def tenants() -> list[Tenant]:
    """Two tenants, each with one row in every table."""
    drop_check_constraints()
    tenants = [create_tenant(slug=slug, name=slug, now=timezone.now()) for slug in ("acme", "globex")]
    for tenant in tenants:
        rows: dict[type[models.Model], models.Model] = {Tenant: tenant}
        for model in MODELS:
            row_of(model, rows)
    return tenants


def drop_check_constraints() -> None:
    """So that rows of all tables can be made without knowing what their columns mean. It is rolled back with the test."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0"
            " AND connamespace = current_schema()::regnamespace"
        )
        cursor.execute(";".join(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"' for table, name in cursor.fetchall()))


def row_of(model: type[models.Model], rows: dict[type[models.Model], models.Model]) -> models.Model:
    """The row of the tenant in `rows`, inserted if there is none yet; rows that it refers to come first."""
    if model not in rows:
        columns = model._meta.local_concrete_fields
        fields = [each for each in columns if each.column == "tenant_id" or not (each.has_default() or each.null)]
        values = {field.name: value_of(field, rows) for field in fields if not isinstance(field, models.AutoField)}
        rows[model] = model._default_manager.create(**values)
    return rows[model]


def value_of(field: models.Field, rows: dict[type[models.Model], models.Model]) -> Any:
    if isinstance(field, models.ForeignKey):
        return row_of(field.related_model, rows)
    return next(make() for kind, make in VALUES.items() if isinstance(field, kind))


# --- reading without a filter ---------------------------------------------------------------------------------------


def unfiltered(model: type[models.Model], other: Tenant) -> Iterator[tuple[str, Callable[[], set[Any]]]]:
    """Statements that forget the tenant. Each returns the ids of the tenants whose rows it saw."""
    for manager in model._meta.managers:
        rows = getattr(model, manager.name).order_by()
        yield "list", lambda rows=rows: {row.tenant_id for row in rows.all()}
        yield "values", lambda rows=rows: set(rows.values_list("tenant_id", flat=True))
        yield "distinct", lambda rows=rows: set(rows.values_list("tenant_id", flat=True).distinct())
        yield (
            "group",
            lambda rows=rows: {each["tenant_id"] for each in rows.values("tenant_id").annotate(number=Count("*"))},
        )
        yield "aggregate", lambda rows=rows: set(rows.aggregate(ids=ArrayAgg("tenant_id", default=[]))["ids"])
        yield "first", lambda rows=rows: {row.tenant_id for row in [rows.order_by("pk").first()] if row}
        yield "other", lambda rows=rows: {row.tenant_id for row in rows.filter(tenant_id=other.pk)}
        yield "join", lambda rows=rows: {row.tenant.pk for row in rows.select_related("tenant")}
        yield (
            "exists",
            lambda rows=rows: {
                tenant.pk for tenant in Tenant.objects.filter(Exists(rows.filter(tenant_id=OuterRef("pk"))))
            },
        )
        yield "iterator", lambda rows=rows: {row.tenant_id for row in rows.iterator(chunk_size=10)}
    table = named(model)
    yield "raw", lambda: raw(f"SELECT tenant_id FROM {table}")
    yield "raw, other", lambda: raw(f"SELECT tenant_id FROM {table} WHERE tenant_id = '{other.pk}'")
    yield (
        "raw, join",
        lambda: raw(
            f"SELECT row.tenant_id FROM participants_tenant AS t LEFT JOIN {table} AS row ON row.tenant_id = t.id"
        ),
    )
    yield "raw, or", lambda: raw(f"SELECT tenant_id FROM {table} WHERE tenant_id = '{other.pk}' OR true")


def raw(sql: str) -> set[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return {value for (value,) in cursor.fetchall()} - {None}


def test_unfiltered_queries_of_every_table_see_their_own_tenant_only(tenants):
    own, other = tenants
    number = 0

    for model in MODELS:
        for name, query in unfiltered(model, other):
            with tenant_scope(own.pk):
                assert query() <= {own.pk}, (model, name)
            with tenant_scope(other.pk):
                assert query() <= {other.pk}, (model, name)
            with no_tenant():
                assert query() == set(), (model, name)
            number += 1

    assert number >= 200


def test_every_tenant_sees_its_own_rows_and_a_question_about_all_sees_all(tenants):
    ids = {tenant.pk for tenant in tenants}

    for model in MODELS:
        for tenant in tenants:
            with tenant_scope(tenant.pk):
                assert raw(f"SELECT tenant_id FROM {named(model)}") == {tenant.pk}
        with all_tenants():
            assert raw(f"SELECT tenant_id FROM {named(model)}") >= ids


# --- writing without a filter ---------------------------------------------------------------------------------------


def changed(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.rowcount


def test_unfiltered_writes_reach_no_other_tenant(tenants):
    own, other = tenants
    tables = [named(model) for model in MODELS if named(model) not in append_only]
    before = rows_of(other, tables)

    for table in tables:
        with tenant_scope(own.pk):
            with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
                changed(f"UPDATE {table} SET tenant_id = '{other.pk}'")
            assert changed(f"UPDATE {table} SET tenant_id = tenant_id") >= 1
            assert changed(f"DELETE FROM {table} WHERE tenant_id = '{other.pk}'") == 0
        with no_tenant():
            assert changed(f"UPDATE {table} SET tenant_id = tenant_id") == 0

    assert len(tables) > 30
    assert rows_of(other, tables) == before


def rows_of(tenant: Tenant, tables: list[str]) -> list[set[Any]]:
    return [raw(f"SELECT to_jsonb(t)::text FROM {table} AS t WHERE tenant_id = '{tenant.pk}'") for table in tables]


def test_append_only_tables_refuse_deletes_and_updates(tenants):
    scopes = (tenant_scope(tenants[0].pk), all_tenants(), no_tenant())
    columns = {"django_admin_log": "object_repr"}

    for scope in scopes:
        with scope:
            for table in append_only:
                column = columns.get(table, "tenant_id")
                for sql in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}", f"TRUNCATE {table}"):
                    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                        changed(sql)

    assert {"points_ledgerentry", "facts_event", "tiers_tierchange", "django_admin_log"} < set(append_only)


def test_a_row_of_another_tenant_cannot_be_inserted(tenants):
    own, other = tenants

    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
        tenant_scope(own.pk),
    ):
        Participant.objects.create(tenant=other, external_id="ada", first_seen_at=INSTANT, last_seen_at=INSTANT)


# --- removals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("remove", "action", "left"), [(delete, "erase", 0), (anonymize, "anonymize", 1)])
def test_erasure_removes_the_ledger_through_a_function_that_leaves_a_record(tenant, remove, action, left):
    award(tenant=tenant, change=Change("ada", 5, reason="private"), now=timezone.now())
    participant = Participant.objects.get(tenant=tenant, external_id="ada")

    remove(tenant=tenant, external_id="ada", now=timezone.now())

    entries = LedgerEntry.objects.filter(tenant=tenant)
    record = Removal.objects.get(tenant=tenant, table="points_ledgerentry")
    assert [entry.reason for entry in entries] == [None] * left
    assert (record.action, record.participant_id, record.rows) == (action, participant.pk, 1)
    assert record.role == separation.configured_roles().application


@pytest.mark.parametrize("remove", [delete, anonymize])
def test_only_erasure_replaces_a_name_in_the_change_log_and_leaves_a_record(tenant, remove):
    award(tenant=tenant, change=Change("ada", 5), now=timezone.now())
    participant = Participant.objects.get(tenant=tenant, external_id="ada")
    list(export_personal_data(tenant=tenant, external_id="ada", now=timezone.now()))
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        tenant_scope(tenant.pk),
    ):
        changed("UPDATE participants_configurationchange SET code = 'someone else'")
    others = set(ConfigurationChange.objects.exclude(object_type="participant_export").values_list("pk", "code"))

    remove(tenant=tenant, external_id="ada", now=timezone.now())

    assert ConfigurationChange.objects.get(object_type="participant_export").code == str(participant.pk)
    assert (
        set(ConfigurationChange.objects.exclude(object_type="participant_export").values_list("pk", "code")) == others
    )
    record = Removal.objects.get(tenant=tenant, table="participants_configurationchange")
    assert (record.action, record.participant_id, record.rows) == ("anonymize", participant.pk, 1)


def test_the_function_refuses_another_tenant_than_that_of_the_transaction(tenants):
    own, other = tenants

    with (
        pytest.raises(ProgrammingError, match="not about this tenant"),
        transaction.atomic(),
        tenant_scope(own.pk),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT gamify_erase_points_ledgerentry(%s, %s)", [other.pk, uuid4()])


# --- the scope of a transaction -----------------------------------------------------------------------------------------


def seen() -> set[Any]:
    return raw("SELECT tenant_id FROM participants_participant")


def test_the_scope_follows_the_blocks_inside_one_transaction(tenants):
    own, other = tenants

    with transaction.atomic():
        with tenant_scope(own.pk):
            assert seen() == {own.pk}
            with all_tenants():
                assert seen() >= {own.pk, other.pk}
            assert seen() == {own.pk}
        with tenant_scope(other.pk):
            assert seen() == {other.pk}
        with no_tenant():
            assert seen() == set()


def test_a_savepoint_that_is_rolled_back_takes_no_scope_with_it(tenants):
    own, other = tenants

    with tenant_scope(own.pk), transaction.atomic():
        assert seen() == {own.pk}
        savepoint = transaction.savepoint()
        with tenant_scope(other.pk):
            assert seen() == {other.pk}
        transaction.savepoint_rollback(savepoint)
        assert seen() == {own.pk}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("inside", [nullcontext, transaction.atomic])
def test_the_scope_takes_no_round_trip(tenant: Tenant, inside: Callable[[], AbstractContextManager[Any]]):
    Participant.objects.create(tenant=tenant, external_id="ada", first_seen_at=INSTANT, last_seen_at=INSTANT)

    for _ in range(6):  # psycopg prepares the statement meanwhile
        with tenant_scope(tenant.pk), inside(), counted_round_trips() as wire:
            assert Participant.objects.count() == 1
        assert wire.round_trips == 1


@pytest.mark.django_db(transaction=True)
def test_named_cursors_and_repeated_statements_have_the_scope_too(tenant: Tenant):
    Participant.objects.create(tenant=tenant, external_id="ada", first_seen_at=INSTANT, last_seen_at=INSTANT)

    with tenant_scope(tenant.pk):
        assert [each.external_id for each in Participant.objects.iterator(chunk_size=1)] == ["ada"]
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE participants_participant SET display_name = %s", [["Ada"], ["Lovelace"]])
        assert Participant.objects.get().display_name == "Lovelace"
    with no_tenant():
        assert list(Participant.objects.iterator(chunk_size=1)) == []
    assert connection.connection.info.transaction_status.name == "IDLE"


@pytest.mark.django_db(transaction=True)
def test_an_error_leaves_a_connection_that_works(tenant: Tenant):
    for _ in range(4):
        with tenant_scope(tenant.pk), pytest.raises(ProgrammingError, match="does not exist"):
            raw("SELECT nothing FROM participants_participant")
        with tenant_scope(tenant.pk):
            assert seen() == set()


def read_through_the_orm() -> None:
    list(Participant.objects.all())


def read_in_one_round_trip() -> None:
    with one_round_trip(connection):
        send(connection, "SELECT id FROM participants_participant")


def read_through_a_named_cursor() -> None:
    list(Participant.objects.iterator(chunk_size=1))


def write_and_roll_back() -> None:
    with transaction.atomic():
        Participant.objects.update(display_name="Ada")
        transaction.set_rollback(True)


def write_and_commit() -> None:
    with transaction.atomic(), transaction.atomic():
        Participant.objects.update(display_name="Ada")


def fail() -> None:
    raw("SELECT nothing FROM participants_participant")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "use",
    [
        read_through_the_orm,
        read_in_one_round_trip,
        read_through_a_named_cursor,
        write_and_roll_back,
        write_and_commit,
        fail,
    ],
)
def test_a_connection_that_a_pooler_gives_to_others_carries_no_tenant(tenant: Tenant, use: Callable[[], None]):
    """Its state is read past all our code, between two transactions."""
    Participant.objects.create(tenant=tenant, external_id="ada", first_seen_at=INSTANT, last_seen_at=INSTANT)
    pgconn = connection.connection.pgconn
    state = b"SELECT current_setting('gamify.tenant', true), current_setting('role')"

    for scope in (partial(tenant_scope, tenant.pk), all_tenants):
        for _ in range(4):  # psycopg prepares the statement meanwhile
            with scope(), suppress(ProgrammingError):
                use()
        result = pgconn.exec_(state)
        assert result.get_value(0, 0) in (None, b"")
        assert result.get_value(0, 1) == b"none"


# --- what is set up -------------------------------------------------------------------------------------------------------


def test_every_table_with_a_tenant_has_its_policies():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE column_name = 'tenant_id' AND table_schema = current_schema()"
        )
        tables = {table for (table,) in cursor.fetchall()}

    assert set(tables_of_tenants()) == tables == set(map(named, MODELS))
    assert separation.problems(connection) == []


def test_every_other_table_is_about_the_installation_and_not_about_a_tenant():
    """A new table without a tenant is not separated. If it contains data of tenants, it needs the column."""
    others = {named(model) for model in apps.get_models(include_auto_created=True)} - set(map(named, MODELS))

    assert {table for table in others if not table.startswith(("auth_", "axes_", "django_"))} == {
        "participants_tenant",
        "gamify_project_consolesession",
        "gamify_project_periodicrun",
        "gamify_project_recoverycode",
        "gamify_project_secondfactor",
    }


def test_new_tables_are_reported_and_the_next_migrate_separates_them(tenants):
    """As every table is when a migration has just created it: without policies and without rights."""
    own = tenants[0]
    tables = sorted(map(named, MODELS))
    changed("SET CONSTRAINTS ALL IMMEDIATE")  # no table may have pending checks
    for table in tables:
        changed(f"DROP POLICY gamify_tenant ON {table}")
        changed(f"DROP POLICY gamify_all_tenants ON {table}")
        changed(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        changed(f"REVOKE ALL ON {table} FROM {SCOPE_ROLES['tenant']}, {SCOPE_ROLES['all']}")

    found = separation.problems(connection)
    call_command("migrate", verbosity=0)

    assert found == [f"{len(tables)} tables have no policy: {', '.join(tables)}"]
    assert separation.problems(connection) == []
    for table in tables:
        with tenant_scope(own.pk):
            assert raw(f"SELECT tenant_id FROM {table}") == {own.pk}


def test_append_only_tables_that_can_be_changed_are_reported_and_the_next_migrate_restricts_them():
    for table in append_only:
        changed(f"GRANT UPDATE, DELETE ON {table} TO {SCOPE_ROLES['all']}")

    [found] = separation.problems(connection)
    call_command("migrate", verbosity=0)

    assert found.endswith(", ".join(sorted(append_only)))
    assert separation.problems(connection) == []


def test_functions_with_the_rights_of_the_owner_look_nowhere_else_and_are_for_the_two_roles_only():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname, proconfig, has_function_privilege('public', oid, 'EXECUTE'),"
            " has_function_privilege(%s, oid, 'EXECUTE') FROM pg_proc"
            " WHERE prosecdef AND pronamespace = current_schema()::regnamespace",
            [SCOPE_ROLES["tenant"]],
        )
        functions = {name: rest for name, *rest in cursor.fetchall()}
        cursor.execute("SELECT current_schema()")
        [schema] = cursor.fetchone()

    assert {"gamify_erase_points_ledgerentry", "gamify_prune_facts_event"} < set(functions)
    for name, (config, is_public, is_of_tenant) in functions.items():
        assert config == [f"search_path=pg_catalog, {schema}, pg_temp"], name
        assert not is_public, name
        assert is_of_tenant == ("_prune_" not in name), name


def test_the_printed_sql_separates_tenants_and_can_be_repeated(capsys):
    changed("DROP POLICY gamify_tenant ON rewards_claim")
    changed("DROP FUNCTION gamify_prune_facts_event")
    changed(f"GRANT DELETE ON points_ledgerentry TO {SCOPE_ROLES['tenant']}")

    call_command("database_roles")
    printed = capsys.readouterr().out.partition("BEGIN;\n")[2]
    *statements, closing = [each for each in re.split(r";\n(?=[A-Z]|$)", printed) if each]
    for _ in range(2):
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    assert closing == "COMMIT"
    assert separation.problems(connection) == []
    with all_tenants(), connection.cursor() as cursor:
        cursor.execute("SELECT gamify_prune_facts_event(%s)", [[]])


def test_an_index_still_finds_the_rows_of_a_participant(tenant):
    with tenant_scope(tenant.pk), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT * FROM participants_participant WHERE tenant_id = %s AND external_id = %s FOR NO KEY UPDATE",
            [tenant.pk, "ada"],
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "Index Cond: ((tenant_id = " in plan
    assert "One-Time Filter" in plan
