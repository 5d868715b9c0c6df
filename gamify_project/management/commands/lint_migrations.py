from typing import Any

from django.core.management import BaseCommand, CommandError

from gamify_project import migration_rules


class Command(BaseCommand):
    help = "Refuse migrations that break the previous release. Needs no database."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(migration_rules.problems(migration_rules.every_migration(), migration_rules.PREVIOUS_RELEASE))
        for problem in found:
            self.stderr.write(str(problem))
        if found:
            raise CommandError(f"{len(found)} problems. How to write a migration: CONTRIBUTING.md, Recipes.")
        self.stdout.write("No migration breaks the previous release.")
