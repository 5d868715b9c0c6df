"""What must be true of the database before the first request: every migration applied, first-use data there."""

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from gamify_project import demo, welcome

__all__ = ["DatabaseError", "first_use_data", "migrate"]


def migrate() -> None:
    """In this process, which saves starting another; that there is nothing to do is noticed at once."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)


def first_use_data(*, host: str, port: int) -> tuple[str, bool]:
    """The banner, and whether days are missing of the demo. The connection is closed: a supervisor has no use for one."""
    now = timezone.now()
    banner = welcome.prepare(host=host, port=port, now=now)
    wants_demo = not settings.PRODUCTION and demo.wants_days(now=now)
    connections.close_all()
    return banner, wants_demo
