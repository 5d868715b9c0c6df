"""Django's `migrate`, which tries again when another transaction holds a lock that a migration needs."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import DeadlockDetected, LockNotAvailable

from gamify_project.postgres.separation import RolesMissing, as_owner, configured_roles, set_up

LONGEST_PAUSE_SECONDS = 15.0


class Command(migrate.Command):
    """Applies migrations. On PostgreSQL each waits at most 2 s for a lock (gamify_project.postgres.schema), so that writes do
    not queue behind it for longer. Writes go on during the pause before the next attempt. Then it sets up the roles and policies
    of new tables.
    """

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--retry-seconds",
            type=float,
            default=600.0,
            help="How long to try again when another transaction holds a lock that a migration needs. Default: 600.",
        )

    def get_check_kwargs(self, options: dict[str, Any]) -> Any:
        """Django's hook. Checks that ask the database would log in as the role of the application, which may not exist yet."""
        return {**super().get_check_kwargs(options), "databases": []}

    def handle(self, *args: Any, retry_seconds: float, **options: Any) -> None:
        with as_owner() as connection:
            self._retry(partial(super().handle, *args, **options), seconds=retry_seconds)
            if connection.vendor == "postgresql" and not (options["plan"] or options["check_unapplied"]):
                self._retry(partial(self._set_up, connection), seconds=retry_seconds)

    def _set_up(self, connection: BaseDatabaseWrapper) -> None:
        try:
            set_up(connection, configured_roles())
        except RolesMissing as error:
            raise CommandError(str(error)) from error

    def _retry(self, apply: Callable[[], object], *, seconds: float) -> None:
        for pause in _pauses(seconds):
            try:
                apply()
            except OperationalError as error:
                if not isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
                    raise
                self.stderr.write(
                    f"Another transaction holds a lock that this migration needs. Next try in {pause:g} s."
                )
                time.sleep(pause)
            else:
                return
        apply()


def _pauses(seconds: float) -> Iterator[float]:
    """Yield the seconds to wait after each failed attempt: 1, 2, 4 and so on up to 15, until `seconds` have passed."""
    end, pause = time.monotonic() + seconds, 1.0
    while time.monotonic() < end:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
