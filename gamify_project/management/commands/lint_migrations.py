from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db.migrations.loader import MigrationLoader

from gamify_project.migration_rules import problems


class Command(BaseCommand):
    help = "Refuse migrations that break the previous release. Needs no database."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(problems(MigrationLoader(None, ignore_no_initial=True)))
        for problem in found:
            self.stderr.write(str(problem))
        if found:
            raise CommandError(f"{len(found)} problems. How to write a migration: CONTRIBUTING.md, Recipes.")
        self.stdout.write("No migration breaks the previous release.")
