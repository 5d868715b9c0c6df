"""Tells PostgreSQL the scope of each transaction, together with the first statement that needs it (docs/decisions/0030).

Outside a transaction all statements up to the end of one exchange are one transaction of their own. So the scope is always local to
a transaction, which a pooler requires, and never takes a round trip.
"""

from collections.abc import Mapping
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import generators

from participants.database.scope import Reach, Scope, current_scope

Setting = tuple[str, list[bytes]]
"""A statement and its parameters."""

LOGIN_ROLE = "none"  # PostgreSQL's word for the role that logged in
_SET_TENANT = "set_config('gamify.tenant', %s, true)"
_SET_ROLE = "set_config('role', %s, true)"

_ALL_TENANTS_ROLE = b"""
    SELECT rolname FROM pg_roles
    WHERE rolname = session_user || '_all_tenants' AND pg_has_role(session_user, oid, 'MEMBER')
"""

Values = tuple[str, str]
"""The tenant and the role of a transaction."""

_UNSET: Values = ("", LOGIN_ROLE)
_CONTROL = frozenset(
    {"BEGI", "COMM", "ROLL", "SAVE", "RELE"}
)  # the first letters of statements that control transactions
_FENCE = "_gamify_fence"  # an attribute of psycopg's connection


class Fence:
    """Knows which scope the open transaction of one connection has. `roles` names the database role for each reach."""

    def __init__(self, roles: Mapping[str, str]) -> None:
        self._roles = {reach: roles.get(reach.value, LOGIN_ROLE) for reach in Reach}
        self._applied: Values | None = _UNSET  # None if it is unknown

    @classmethod
    def of(cls, pg: Any) -> "Fence | None":
        """The fence of a connection of psycopg, or None if its role is not separated by tenants."""
        return getattr(pg, _FENCE, None)

    def forget(self) -> None:
        """Note that no transaction is open."""
        self._applied = _UNSET

    def setting_before(self, sql: str, scope: Scope) -> Setting | None:
        """Return the statement that must be executed before `sql`; None if the transaction has that scope already.

        The caller must execute it, and must call `forget` first if no transaction is open.
        """
        if sql[:4] in _CONTROL:
            if sql.startswith("ROLLBACK TO"):
                self._applied = None  # the scope may have been set after the savepoint
            return None
        wanted, applied = (scope.tenant, self._roles[scope.reach]), self._applied
        if wanted == applied:
            return None
        self._applied = wanted
        return _setting(wanted, applied or ("unknown", "unknown"))


def _setting(wanted: Values, applied: Values) -> Setting:
    """Set only what differs: most transactions are about one tenant, and need no other role."""
    changes = [
        (call, value)
        for call, value, before in zip((_SET_TENANT, _SET_ROLE), wanted, applied, strict=True)
        if value != before
    ]
    return f"SELECT {', '.join(call for call, _ in changes)}", [value.encode() for _, value in changes]


def build_fence(connection: BaseDatabaseWrapper, pg: Any) -> bool:
    """Build the fence of a new connection of psycopg if its role is separated by tenants. Returns whether it is.

    The setting `SCOPE_ROLES` of the connection names the role for each reach. Without it, the database is asked: the role of the
    application may become the role `<its name>_all_tenants`.
    """
    roles = connection.settings_dict.get("SCOPE_ROLES")
    if roles is None:
        pg.pgconn.send_query(_ALL_TENANTS_ROLE)  # no cursor, which would begin a transaction
        [found] = pg.wait(generators.execute(pg.pgconn))  # it waits no longer than any other query
        roles = {Reach.ALL.value: found.get_value(0, 0).decode()} if found.ntuples else {}
    if roles:
        setattr(pg, _FENCE, Fence(roles))
    return bool(roles)


def is_separated(connection: BaseDatabaseWrapper) -> bool:
    """Whether the role of this connection is separated by tenants."""
    connection.ensure_connection()
    return Fence.of(connection.connection) is not None


def pending_setting(pg: Any, sql: str, *, is_idle: bool) -> Setting | None:
    """Return the statement that sets the current scope before `sql`. None if it is set, or if tenants are not separated.

    `is_idle`: no transaction is open. The caller must execute the returned statement.
    """
    fence = Fence.of(pg)
    if fence is None:
        return None
    if is_idle:
        fence.forget()
    return fence.setting_before(sql, current_scope.get())
