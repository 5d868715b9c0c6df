"""The SQL that separates tenants in PostgreSQL: roles, policies, grants, and functions for removals (docs/decisions/0030).

Everything is derived from the models and from `participants.services.append_only`, so a new table needs no entry here.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import CharField, Model
from psycopg import sql

from participants.models import Removal, Tenant
from participants.services.append_only import PARTICIPANT_ID, AppendOnly, append_only, function_name

TENANT_POLICY, ALL_TENANTS_POLICY = "gamify_tenant", "gamify_all_tenants"
TENANT_CONDITION = "tenant_id = NULLIF(current_setting('gamify.tenant', true), '')::uuid"
LONGEST_NAME = 63  # PostgreSQL cuts longer names
Action = Removal.Action


@dataclass(frozen=True)
class Roles:
    """`application` logs in. It sees one tenant, and becomes `all_tenants` for questions about all of them."""

    application: str

    def __post_init__(self) -> None:
        if len(self.all_tenants.encode()) > LONGEST_NAME:
            raise ImproperlyConfigured(
                f"The name of the application's role is too long: with `_all_tenants` it may have {LONGEST_NAME} bytes."
            )

    @property
    def all_tenants(self) -> str:
        return f"{self.application}_all_tenants"


def tables_of_tenants() -> Sequence[str]:
    """Names of all tables that have a column `tenant_id`."""
    return sorted(model._meta.db_table for model in _models() if _has_tenant(model))


def _models() -> Sequence[type[Model]]:
    return [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]


def _has_tenant(model: type[Model]) -> bool:
    return any(field.column == "tenant_id" for field in model._meta.local_concrete_fields)


# --- roles ----------------------------------------------------------------------------------------------------------


def missing_role_statements(roles: Roles) -> Iterator[str]:
    """Create both roles where they are missing, without a password. For SQL that is printed, and may be run again."""
    for name, options in ((roles.application, " LOGIN NOINHERIT"), (roles.all_tenants, "")):
        yield (
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {_literal(name)})"
            f" THEN CREATE ROLE {_name(name)}{options}; END IF; END $$"
        )
    yield from membership_statements(roles)


def create_role_statements(roles: Roles, *, existing: Collection[str], password: str) -> Iterator[str]:
    """Create the roles that are not in `existing`. `password` is encrypted already, so that no log contains it as plain text."""
    if roles.application not in existing:
        secret = f" PASSWORD {_literal(password)}" if password else ""
        yield f"CREATE ROLE {_name(roles.application)} LOGIN NOINHERIT{secret}"
    if roles.all_tenants not in existing:
        yield f"CREATE ROLE {_name(roles.all_tenants)}"
    yield from membership_statements(roles)


def membership_statements(roles: Roles) -> Iterator[str]:
    """Let the application become the role that sees all tenants, and have its rights only then."""
    # Without NOINHERIT the application would have the rights of the other role all the time.
    yield f"ALTER ROLE {_name(roles.application)} NOINHERIT"
    yield f"GRANT {_name(roles.all_tenants)} TO {_name(roles.application)}"


def owner_statement(connection: BaseDatabaseWrapper) -> str:
    """Let the rest of the transaction run as the owner of the tables, so that functions do not get the rights of an administrator.

    Raises: LookupError if there are no tables.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableowner FROM pg_tables WHERE schemaname = current_schema() AND tablename = %s",
            [Tenant._meta.db_table],
        )
        row = cursor.fetchone()
    if row is None:
        raise LookupError("The database has no tables yet. Run `manage.py migrate` first.")
    return f"SET LOCAL ROLE {_name(row[0])}"


# --- policies and grants --------------------------------------------------------------------------------------------


def policy_statements(table: str, roles: Roles) -> Iterator[str]:
    yield f"ALTER TABLE {_name(table)} ENABLE ROW LEVEL SECURITY"
    yield f"DROP POLICY IF EXISTS {TENANT_POLICY} ON {_name(table)}"
    yield f"CREATE POLICY {TENANT_POLICY} ON {_name(table)} USING ({TENANT_CONDITION})"
    yield f"DROP POLICY IF EXISTS {ALL_TENANTS_POLICY} ON {_name(table)}"
    yield f"CREATE POLICY {ALL_TENANTS_POLICY} ON {_name(table)} TO {_name(roles.all_tenants)} USING (true)"


def all_tables() -> Sequence[str]:
    return sorted({*(model._meta.db_table for model in _models()), MigrationRecorder.Migration._meta.db_table})


def grant_statements(roles: Roles, tables: Iterable[str], *, schema: str) -> Iterator[str]:
    """Let both roles read and write `tables`, and only add rows to those that are append-only."""
    grantees = f"{_name(roles.application)}, {_name(roles.all_tenants)}"
    yield f"GRANT USAGE ON SCHEMA {_name(schema)} TO {grantees}"
    for table in tables:
        yield f"REVOKE ALL ON {_name(table)} FROM {grantees}"
        yield f"GRANT {_privileges(table)} ON {_name(table)} TO {grantees}"


def _privileges(table: str) -> str:
    if table == MigrationRecorder.Migration._meta.db_table:
        return "SELECT"
    if table not in append_only:
        return "SELECT, INSERT, UPDATE, DELETE"
    limits = append_only[table]
    privileges = ["SELECT", *(["INSERT"] if limits.is_insertable else [])]
    if limits.changeable:
        privileges.append(f"UPDATE ({', '.join(map(_name, limits.changeable))})")
    return ", ".join(privileges)


# --- functions ------------------------------------------------------------------------------------------------------


def function_statements(connection: BaseDatabaseWrapper, *, schema: str) -> Iterator[str]:
    """Create the functions that remove rows from append-only tables. They run with the rights of the owner."""
    for table in append_only.values():
        for action, body in _removals(connection, table).items():
            name = _signature(table, action)
            arguments = "ids uuid[]" if action is Action.PRUNE else "of_tenant uuid, of_participant uuid"
            yield (
                f"CREATE OR REPLACE FUNCTION {function_name(table, action)}({arguments}) RETURNS bigint"
                " LANGUAGE plpgsql SECURITY DEFINER"
                f" SET search_path = pg_catalog, {_name(schema)}, pg_temp AS $function${body}$function$"
            )
            yield f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC"


def execute_statements(roles: Roles, connection: BaseDatabaseWrapper) -> Iterator[str]:
    """Let the application call the functions. Retention is about all tenants."""
    for table in append_only.values():
        for action in _removals(connection, table):
            grantees = [roles.all_tenants] if action is Action.PRUNE else [roles.application, roles.all_tenants]
            yield (f"GRANT EXECUTE ON FUNCTION {_signature(table, action)} TO {', '.join(map(_name, grantees))}")


def _signature(table: AppendOnly, action: Action) -> str:
    return f"{function_name(table, action)}({'uuid[]' if action is Action.PRUNE else 'uuid, uuid'})"


def _removals(connection: BaseDatabaseWrapper, table: AppendOnly) -> Mapping[Action, str]:
    """The bodies of the table's functions."""
    if not table.is_insertable or not table.anonymized:
        return {}
    name, clear = _name(table.table), partial(_assignments, connection, table)
    bodies = {
        Action.ANONYMIZE: _of_participant(table, Action.ANONYMIZE, f"UPDATE {name} SET {clear(table.anonymized)}"),  # noqa: S608 - as below
    }
    if table.is_erasable:
        bodies[Action.ERASE] = _of_participant(table, Action.ERASE, f"DELETE FROM {name}")  # noqa: S608 - as below
    if table.pruned:
        bodies[Action.PRUNE] = _pruning(table, clear(table.pruned))
    return bodies


_CALLER = "CASE current_setting('role') WHEN 'none' THEN session_user::text ELSE current_setting('role') END"
_RECORD = f'INSERT INTO {Removal._meta.db_table} (id, tenant_id, at, "table", action, participant_id, rows, role)'


def _of_participant(table: AppendOnly, action: Action, change: str) -> str:
    """The owner may call it for any tenant, all others only for the tenant of their transaction."""
    return f"""
    DECLARE
        caller text := {_CALLER};
        number bigint;
    BEGIN
        IF caller <> current_user AND current_setting('gamify.tenant', true) IS DISTINCT FROM of_tenant::text THEN
            RAISE insufficient_privilege USING MESSAGE = 'The transaction is not about this tenant.';
        END IF;
        {change} WHERE tenant_id = of_tenant AND {_is_of_participant(table)};
        GET DIAGNOSTICS number = ROW_COUNT;
        IF number > 0 THEN
            {_RECORD}
            VALUES (gen_random_uuid(), of_tenant, now(), {_literal(table.table)}, {_literal(action.value)},
                    of_participant, number, caller);
        END IF;
        RETURN number;
    END"""


def _is_of_participant(table: AppendOnly) -> str:
    column: Any = table.model._meta.get_field(table.participant_column)
    is_text = isinstance(column, CharField)
    conditions = [f"{_name(str(column.column))} = of_participant{'::text' if is_text else ''}"]
    return " AND ".join([*conditions, *(f"{_name(name)} = {_literal(value)}" for name, value in table.only.items())])


def _pruning(table: AppendOnly, assignments: str) -> str:
    return f"""
    DECLARE
        caller text := {_CALLER};
        number bigint;
    BEGIN
        WITH changed AS (
            UPDATE {_name(table.table)} SET {assignments} WHERE id = ANY(ids) RETURNING tenant_id
        ), recorded AS (
            {_RECORD}
            SELECT gen_random_uuid(), tenant_id, now(), {_literal(table.table)}, {_literal(Action.PRUNE.value)},
                   NULL, count(*), caller
            FROM changed GROUP BY tenant_id
        )
        SELECT count(*) INTO number FROM changed;
        RETURN number;
    END"""  # noqa: S608 - names of our own models


def _assignments(connection: BaseDatabaseWrapper, table: AppendOnly, values: Mapping[str, Any]) -> str:
    fields = {field.name: field for field in table.model._meta.concrete_fields}
    return ", ".join(
        f"{_name(str(fields[name].column))} = {_assigned(fields[name], value, connection)}"
        for name, value in values.items()
    )


def _assigned(field: Any, value: Any, connection: BaseDatabaseWrapper) -> str:
    return "of_participant::text" if value is PARTICIPANT_ID else _literal(field.get_db_prep_save(value, connection))


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: Any) -> str:
    return sql.Literal(value).as_string()
