"""Makes `manage.py help` list `serve`. To run it, manage.py calls `serving` directly, before Django loads."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand

from gamify_project.process import serving


class Command(BaseCommand):
    """Binds the port, migrates, creates first-use data, and runs web server, worker and beat until stopped."""

    help = "Runs web server, Celery worker and Celery beat together; Ctrl-C stops them."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        serving.add_arguments(parser)

    def handle(self, *, host: str, port: str, stop_with_parent: bool, **_: Any) -> None:
        sys.exit(serving.serve(host=host, port=port, stop_with_parent=stop_with_parent))
