from typing import Any

from django.core.management.base import BaseCommand

from gamify_project.management.reference import commands_page


class Command(BaseCommand):
    help = "Print the page of all commands of the product, as Markdown (docs/commands.md)."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(commands_page())
