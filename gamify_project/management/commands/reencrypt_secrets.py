from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.db.models import Model

from gamify.webhooks.models import Endpoint
from gamify_project.models import SecondFactor
from participants.management.base import ReportingCommand
from participants.management.progress import progress_bar
from participants.models import HmacSecret
from participants.services.reencrypting import ReencryptionTotals, reencrypt

COLUMNS: tuple[tuple[type[Model], str], ...] = (
    (HmacSecret, "ciphertext"),
    (Endpoint, "ciphertext"),
    (Endpoint, "former_ciphertext"),
    (SecondFactor, "ciphertext"),
)


class Command(ReportingCommand):
    help = (
        "Encrypt all stored secrets with the first of ENCRYPTION_KEYS, so that the others can be removed. Safe to repeat. "
        "Exits with code 1 if a secret cannot be decrypted with any of them."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="Report how much there is to do, and change nothing."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.total = ReencryptionTotals()
        super().handle(*args, **options)
        if self.total.unreadable:
            raise SystemExit(1)

    def report(self, *, dry_run: bool, **options: Any) -> Mapping[str, Any]:
        number = sum(model._default_manager.exclude(**{column: None}).count() for model, column in COLUMNS)
        with progress_bar(options, total=number) as moved:
            for model, column in COLUMNS:
                reencrypt(model, column, is_dry_run=dry_run, report_progress=moved, total=self.total)
        return {**asdict(self.total), "dry_run": dry_run}
