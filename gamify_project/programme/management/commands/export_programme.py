from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gamify_project.programme.items import programme_text
from participants.database import all_tenants
from participants.errors import DomainError
from participants.management.base import add_tenant, existing_tenant


class Command(BaseCommand):
    help = "Write all definitions of a tenant as one YAML file, which fits into Git: the same definitions give the same bytes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_tenant(parser)
        parser.add_argument("--output", type=Path, metavar="FILE", help="The file to write. Default: the output.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with all_tenants():
                text = programme_text(existing_tenant(options["tenant"], sandbox=options["sandbox"]))
        except DomainError as error:
            raise CommandError(error.message) from error
        if options["output"] is None:
            self.stdout.write(text, ending="")
        else:
            options["output"].write_bytes(text.encode())
