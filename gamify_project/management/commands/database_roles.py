from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from gamify_project.postgres.roles import Roles
from gamify_project.postgres.separation import (
    RolesMissing,
    all_statements,
    as_owner,
    configured_roles,
    set_up,
)

DEFAULT_ROLE = "gamify_app"


class Command(BaseCommand):
    help = (
        "Print the SQL that separates tenants in PostgreSQL: the role of the application, policies, grants and functions. "
        "`migrate` executes it too if DATABASE_OWNER_URL is set and the owner may create roles."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--role", help=f"Name of the application's role. Default: the user of DATABASE_URL, or {DEFAULT_ROLE}."
        )
        parser.add_argument("--apply", action="store_true", help="Execute it as the owner instead of printing it.")

    def handle(self, *args: Any, role: str | None, apply: bool, **options: Any) -> None:
        roles = Roles(role) if role else configured_roles() or Roles(DEFAULT_ROLE)
        with as_owner() as connection:
            if connection.vendor != "postgresql":
                raise CommandError("Only PostgreSQL has roles: set DATABASE_URL.")
            if apply:
                self._apply(connection, roles)
            else:
                self._print(connection, roles)

    def _apply(self, connection: Any, roles: Roles) -> None:
        if configured_roles() != roles:
            raise CommandError(
                "--apply needs both addresses: DATABASE_URL of the application's role, and DATABASE_OWNER_URL of the owner."
            )
        try:
            set_up(connection, roles)
        except RolesMissing as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The role {roles.application} sees one tenant at a time.")

    def _print(self, connection: Any, roles: Roles) -> None:
        try:
            statements = list(all_statements(connection, roles))
        except LookupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            "-- Run this as the owner of the tables, if it may create roles, or as an administrator. It can be repeated."
        )
        self.stdout.write(f"-- Then give the role a password: ALTER ROLE {roles.application} PASSWORD '...';")
        self.stdout.write("BEGIN;")
        for statement in statements:
            self.stdout.write(f"{statement};")
        self.stdout.write("COMMIT;")
