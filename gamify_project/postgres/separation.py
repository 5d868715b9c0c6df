"""Sets up the separation of tenants in the database, and finds what is missing of it (docs/decisions/0030)."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, register
from django.core.checks import Warning as CheckWarning
from django.db import ProgrammingError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import DEFAULT_DB_ALIAS
from psycopg.errors import InsufficientPrivilege

from gamify_project.postgres import roles as sql
from gamify_project.postgres.roles import Roles
from participants.database import is_separated
from participants.services.append_only import append_only

ONE_ROLE = "Web and workers connect as the role that owns the tables, so the database does not separate tenants"
REMEDY = "Set DATABASE_OWNER_URL and run `manage.py migrate` (docs/operators.md, Separating tenants in the database)."


class RolesMissing(Exception):
    """The owner may not create roles."""


def configured_roles() -> Roles | None:
    """The roles of this installation, or None if it has only one."""
    return Roles(settings.APPLICATION_ROLE) if settings.APPLICATION_ROLE else None


def application_password() -> str:
    """The password of DATABASE_URL."""
    return str(settings.DATABASES[DEFAULT_DB_ALIAS].get("PASSWORD") or "")


@contextmanager
def as_owner() -> Iterator[BaseDatabaseWrapper]:
    """Inside the block, the default connection logs in as the owner of the tables (DATABASE_OWNER_URL), if one is configured."""
    application = connections[DEFAULT_DB_ALIAS]
    if settings.DATABASE_OWNER is None:
        yield application
        return
    application.close()
    owner = application.__class__({**application.settings_dict, **settings.DATABASE_OWNER}, DEFAULT_DB_ALIAS)
    connections[DEFAULT_DB_ALIAS] = owner
    try:
        yield owner
    finally:
        owner.close()
        connections[DEFAULT_DB_ALIAS] = application


def all_statements(connection: BaseDatabaseWrapper, roles: Roles) -> Iterator[str]:
    """The SQL of everything, which can be run again and again, also by an administrator: functions belong to the owner of the tables."""
    schema = _schema(connection)
    yield from sql.missing_role_statements(roles)
    yield sql.owner_statement(connection)
    yield from sql.function_statements(connection, schema=schema)
    existing = {*connection.introspection.table_names()}
    yield from sql.grant_statements(roles, sorted(existing.intersection(sql.all_tables())), schema=schema)
    yield from sql.execute_statements(roles, connection)
    for table in sorted(existing.intersection(sql.tables_of_tenants())):
        yield from sql.policy_statements(table, roles)


def set_up(connection: BaseDatabaseWrapper, roles: Roles | None) -> None:
    """Bring the database to the state that the models ask for. Policies that are there already take no lock.

    Without `roles` only the functions are created, which the product calls in any case.

    Raises: RolesMissing.
    """
    schema = _schema(connection)
    _execute(connection, sql.function_statements(connection, schema=schema))
    if roles is None:
        return
    _create_roles(connection, roles, password=application_password())
    existing = {*connection.introspection.table_names()}  # a migration may have been undone
    _execute(connection, sql.grant_statements(roles, sorted(existing.intersection(sql.all_tables())), schema=schema))
    _execute(connection, sql.execute_statements(roles, connection))
    for table in existing.intersection(_tables_without_policies(connection, roles)):
        _execute(connection, sql.policy_statements(table, roles))


def problems(connection: BaseDatabaseWrapper) -> Sequence[str]:
    """What is missing of the separation, seen from the connection of the application. Empty if nothing is."""
    if connection.vendor != "postgresql":
        return []
    if not is_separated(connection):
        return [ONE_ROLE]
    roles = Roles(settings.APPLICATION_ROLE or connection.settings_dict["USER"])
    found = [problem for sentence, problem in _ROLE_PROBLEMS if _is_true(connection, sentence, roles)]
    for tables, problem in (
        (_tables_without_policies(connection, roles), "have no policy"),
        (
            _tables_that_may_be_changed(connection, roles),
            "are append-only, but the application may change or delete their rows",
        ),
    ):
        if tables:
            found.append(f"{len(tables)} tables {problem}: {', '.join(tables)}")
    return found


@register(Tags.database)
def check_separation(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> Sequence[CheckMessage]:
    """Warn about what is missing in the database. It runs with `--database default` only."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    return [
        CheckWarning(f"{problem}.", hint=REMEDY, id="gamify.W002")
        for problem in problems(connections[DEFAULT_DB_ALIAS])
    ]


def _create_roles(connection: BaseDatabaseWrapper, roles: Roles, *, password: str) -> None:
    if not _is_true(connection, _LACKS_ROLES, roles):
        return
    existing = _existing_roles(connection, roles)
    encrypted = _encrypted(connection, roles, password)
    try:
        _execute(connection, sql.create_role_statements(roles, existing=existing, password=encrypted))
    except ProgrammingError as error:
        if not isinstance(error.__cause__, InsufficientPrivilege):
            raise
        raise RolesMissing(
            "The owner of the database may not create roles. Run the SQL that `manage.py database_roles` prints as an administrator."
        ) from error


def _existing_roles(connection: BaseDatabaseWrapper, roles: Roles) -> Collection[str]:
    with connection.cursor() as cursor:
        names = [roles.application, roles.all_tenants]
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [names])
        return {name for (name,) in cursor.fetchall()}


def _encrypted(connection: BaseDatabaseWrapper, roles: Roles, password: str) -> str:
    """Return what PostgreSQL stores instead of `password`. Empty if there is none."""
    if not password:
        return ""
    pgconn = connection.connection.pgconn
    return str(pgconn.encrypt_password(password.encode(), roles.application.encode(), b"scram-sha-256").decode())


def _execute(connection: BaseDatabaseWrapper, statements: Iterator[str]) -> None:
    """Execute `statements` in one transaction, which waits for locks as briefly as a migration.

    Processes that start together take turns: PostgreSQL refuses two simultaneous GRANTs on one table.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('gamify.roles'))")
        for statement in statements:
            cursor.execute(statement)


_LACKS_ROLES = """
    SELECT NOT EXISTS (
        SELECT FROM pg_auth_members
        WHERE member = (SELECT oid FROM pg_roles WHERE rolname = %(application)s AND NOT rolinherit)
        AND roleid = (SELECT oid FROM pg_roles WHERE rolname = %(all_tenants)s)
    )"""
_ROLE_PROBLEMS = (
    (
        "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %(application)s",
        "The role of the application is a superuser or has BYPASSRLS",
    ),
    (
        "SELECT EXISTS (SELECT FROM pg_tables WHERE tableowner = %(application)s AND schemaname = current_schema())",
        "The role of the application owns tables",
    ),
    (
        "SELECT pg_has_role(%(application)s, %(all_tenants)s, 'USAGE')",
        "The role of the application inherits the rights over all tenants",
    ),
)
_WITH_POLICIES = """
    SELECT tablename FROM pg_policies JOIN pg_class ON pg_class.oid = format('%%I.%%I', schemaname, tablename)::regclass
    WHERE schemaname = current_schema() AND relrowsecurity AND permissive = 'PERMISSIVE'
    AND ((policyname = %(tenant_policy)s AND roles = '{public}')
         OR (policyname = %(all_policy)s AND roles = ARRAY[%(all_tenants)s]::name[]))
    GROUP BY tablename HAVING count(*) = 2
"""


def _is_true(connection: BaseDatabaseWrapper, query: str, roles: Roles) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(query, {"application": roles.application, "all_tenants": roles.all_tenants})
        row = cursor.fetchone()
    return bool(row and row[0])


def _tables_without_policies(connection: BaseDatabaseWrapper, roles: Roles) -> Sequence[str]:
    names = {"tenant_policy": sql.TENANT_POLICY, "all_policy": sql.ALL_TENANTS_POLICY, "all_tenants": roles.all_tenants}
    with connection.cursor() as cursor:
        cursor.execute(_WITH_POLICIES, names)
        separated = {table for (table,) in cursor.fetchall()}
    return [table for table in sql.tables_of_tenants() if table not in separated]


def _tables_that_may_be_changed(connection: BaseDatabaseWrapper, roles: Roles) -> Sequence[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT name FROM unnest(%s::text[]) AS name, unnest(%s::text[]) AS role
            WHERE has_table_privilege(role, format('%%I', name), 'UPDATE, DELETE, TRUNCATE') ORDER BY name
            """,
            [list(append_only), [roles.application, roles.all_tenants]],
        )
        return [table for (table,) in cursor.fetchall()]


def _schema(connection: BaseDatabaseWrapper) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return str(cursor.fetchone()[0])
