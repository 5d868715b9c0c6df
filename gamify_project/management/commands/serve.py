"""`manage.py serve`, as `manage.py help` shows it; manage.py itself goes straight to `serving`, before Django loads."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand

from gamify_project import serving


class Command(BaseCommand):
    """Takes the port, migrates, prepares first-use data, then runs web server, worker and beat until stopped."""

    help = "Runs web server, Celery worker and Celery beat together; Ctrl-C stops them."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        serving.add_arguments(parser)

    def handle(self, *, host: str, port: str, stop_with_parent: bool, **_: Any) -> None:
        sys.exit(serving.serve(host=host, port=port, stop_with_parent=stop_with_parent))
