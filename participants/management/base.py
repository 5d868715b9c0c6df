"""Base of the product's commands: `--json` prints one JSON object; an error is one line on stderr and exit code 1."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Model

from participants.database import all_tenants
from participants.errors import DomainError
from participants.models import Tenant
from participants.selectors import tenant_by_slug
from participants.services.tenants import TenantNotFound


class ReportingCommand(BaseCommand):
    """Subclasses declare `arguments` and return the output as a mapping from `report`."""

    can_roll_back = False
    """Whether the command has `--dry-run`, which does everything in one transaction and rolls it back."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON object instead of text.")
        if self.can_roll_back:
            parser.add_argument("--dry-run", action="store_true", help="Report what would be done, and change nothing.")
        self.arguments(parser)

    def arguments(self, parser: ArgumentParser) -> None:
        """Declare this command's own arguments."""

    report: Callable[..., Mapping[str, Any]]
    """Does the work and returns the output. Gets the options as keyword arguments."""

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with all_tenants(), self._transaction(options):
                report = self.report(**options)
        except DomainError as error:
            raise CommandError(error.message) from error
        self._print(report, as_json=options["json"])

    def _transaction(self, options: Mapping[str, Any]) -> AbstractContextManager[None]:
        return _rolled_back() if self.can_roll_back and options["dry_run"] else nullcontext()

    def _print(self, report: Mapping[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(report, cls=DjangoJSONEncoder))
            return
        width = max(map(len, report), default=0)
        for name, value in report.items():
            self.stdout.write(f"{name:<{width}}  {_readable(value, indent=width + 2)}")


@contextmanager
def _rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def add_tenant(parser: ArgumentParser) -> None:
    """Declare the options of a command about one tenant: `--tenant` and `--sandbox`."""
    parser.add_argument("--tenant", required=True, metavar="SLUG", help="The tenant.")
    parser.add_argument("--sandbox", action="store_true", help="Use the sandbox of the tenant.")


def existing_tenant(slug: str, *, sandbox: bool) -> Tenant:
    """Return the live tenant with this slug, or its sandbox.

    Raises: TenantNotFound.
    """
    tenant = tenant_by_slug(slug, sandbox=sandbox)
    if tenant is None:
        raise TenantNotFound(slug)
    return tenant


def columns_of(row: Model, *names: str) -> dict[str, Any]:
    """Return the values of these columns of `row`, as a part of a report."""
    return {name: getattr(row, name) for name in names}


def whole_number(text: str) -> int:
    """argparse type for ASCII digits. `int` would also accept `1_0` and digits of other scripts."""
    if not (text.isascii() and text.isdecimal()):
        raise ArgumentTypeError(f"must be a whole number, such as 30; got '{text}'")
    return int(text)


def _readable(value: Any, *, indent: int) -> str:
    """Return the text of a value. A list of words is one line, a list of sentences has a line for each."""
    if isinstance(value, list):
        texts = list(map(str, value))
        separator = f"\n{' ' * indent}" if any(" " in text for text in texts) else ", "
        return separator.join(texts) or "-"
    return "-" if value is None else str(value)
