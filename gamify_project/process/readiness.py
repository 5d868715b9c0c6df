"""Prepares the database before the first request: migrations and first-use data."""

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from gamify_project import demo, welcome
from gamify_project.postgres.separation import as_owner
from participants.actors import ActorKind, acting_as, actor_of
from participants.database import all_tenants

__all__ = ["CommandError", "DatabaseError", "first_use_data", "migrate"]


def migrate() -> None:
    """Apply pending migrations in this process, which is faster than starting another one.

    With an owner, `migrate` always runs: it also creates the role of the application, which the rest needs.

    Raises: DatabaseError, CommandError.
    """
    with as_owner() as connection:
        executor = MigrationExecutor(connection)
        if settings.DATABASE_OWNER or executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0, interactive=False)


def first_use_data(*, host: str, port: int) -> tuple[str, bool]:
    """Create first-use data. Return the banner, and whether days of the demo are missing.

    Database connections are closed, because the supervisor does not need them.
    """
    now = timezone.now()
    with acting_as(actor_of(ActorKind.COMMAND, "serve", "serve")), all_tenants():
        banner = welcome.prepare(host=host, port=port, now=now)
        wants_demo = not settings.PRODUCTION and demo.wants_days(now=now)
    connections.close_all()
    return banner, wants_demo
