"""The command that brings a file in: subclasses say what a line is, and how a batch of them is written."""

import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any, ClassVar, Generic, TextIO, TypeVar

from django.core.management.base import CommandError
from django.utils import timezone

from participants.engine import NOT_AN_INSTANT, instant_of
from participants.errors import InvalidInput
from participants.management.base import ReportingCommand
from participants.management.imports.bad_lines import BadLines, open_bad_lines_file
from participants.management.imports.bookmarks import bookmark, place_of
from participants.management.imports.columns import Columns
from participants.management.imports.ordering import in_order
from participants.management.imports.progress import Display, display
from participants.management.imports.reading import FORMATS, Place, Source, open_source, records
from participants.management.imports.running import Batch, ItemResult, Run
from participants.management.imports.warnings import Warnings
from participants.models import Tenant
from participants.selectors import tenant_by_slug
from participants.services.tenants import TenantNotFound

BATCH = 1_000
MAX_BATCH = 5_000  # SQLite binds 32,766 values to a statement, and lists are padded to a power of two

Item = TypeVar("Item")


class ImportCommand(ReportingCommand, Generic[Item]):
    """Subclasses name the `columns` that a file must and may have, read an item from the fields of a line, and take a batch of items."""

    columns: ClassVar[Columns]
    needs_order: ClassVar[bool] = False
    can_emit: ClassVar[bool] = True  # whether what it writes could be told to webhooks and feed

    def item(self, fields: Mapping[str, Any]) -> Item:
        """What one line says. Raises DomainError."""
        raise NotImplementedError

    def sort_key(self, fields: Mapping[str, Any]) -> float:
        """What lines are put in order by where the command `keeps_order`; it must answer for any."""
        raise NotImplementedError

    def write_batch(self, batch: Batch[Item]) -> Sequence[ItemResult]:
        """Write the batch in one unit of work; an item that is refused stops no other."""
        raise NotImplementedError

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="CSV or NDJSON in UTF-8; - is standard input.")
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--sandbox", action="store_true", help="The sandbox twin instead.")
        parser.add_argument("--format", choices=sorted(set(FORMATS.values())), help="Where the name does not tell.")
        parser.add_argument("--batch", type=_batch_size, default=BATCH, metavar="N", help="Lines per transaction.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and write nothing.")
        if self.can_emit:
            parser.add_argument("--emit", action="store_true", help="Tell webhooks and feed; silent when left out.")
        parser.add_argument("--restart", action="store_true", help="Begin anew a file that is done, or begun.")
        parser.add_argument("--strict", action="store_true", help="Exit with 1 if there are bad lines.")
        parser.add_argument("--bad", metavar="FILE", help="Write number and problem of every bad line to this file.")

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if options["strict"] and self._bad_in_file:
            raise CommandError(f"Bad lines in this file: {self._bad_in_file}")

    def report(self, *, file: str, tenant: str, sandbox: bool, **options: Any) -> Mapping[str, Any]:
        owner = tenant_by_slug(tenant, sandbox=sandbox)
        if owner is None:
            raise TenantNotFound(tenant)
        with open_source(file, format_name=options["format"]) as found, self._sorted_if_needed(found) as source:
            return self._import(source, owner, options)

    def _sorted_if_needed(self, source: Source) -> AbstractContextManager[Source]:
        return in_order(source, columns=self.columns, key=self.sort_key) if self.needs_order else nullcontext(source)

    def _import(self, source: Source, tenant: Tenant, options: Mapping[str, Any]) -> Mapping[str, Any]:
        row = bookmark(tenant, self.bookmark_name, source, now=timezone.now(), **_how(options))
        begin, started, stream = place_of(row), time.monotonic(), options.get("stderr") or sys.stderr
        with (
            open_bad_lines_file(options["bad"], goes_on=begin.offset > 0) as bad_file,
            display(stream, has_bar=_has_bar(stream, options), total=source.size, begin=begin) as shown,
        ):
            _say_where(shown, source, begin)
            warnings = Warnings(self.columns, shown.say)
            run = Run(self, tenant, row=row, bad=BadLines(shown.say, bad_file), warnings=warnings, options=options)
            run.import_all(records(source, columns=self.columns, after=begin), shown)
        self._bad_in_file = run.bad_in_file
        return _report(run, begin, is_dry_run=options["dry_run"], seconds=time.monotonic() - started)

    @property
    def bookmark_name(self) -> str:
        """Under which it is kept how far a file is done, 40 characters at most."""
        return type(self).__module__.rpartition(".")[2]


def _batch_size(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= MAX_BATCH):
        raise ArgumentTypeError(f"must be 1 to {MAX_BATCH}")
    return int(text)


def _how(options: Mapping[str, Any]) -> dict[str, bool]:
    return {"restarts": options["restart"], "is_dry_run": options["dry_run"]}


def _has_bar(stream: TextIO, options: Mapping[str, Any]) -> bool:
    return stream.isatty() and not options["json"]


def _say_where(shown: Display, source: Source, begin: Place) -> None:
    if not source.is_file:
        shown.say("Reading a stream: stopped, it begins anew, and what was recorded is not recorded again.")
    elif begin.offset == source.size:
        shown.say("All of this file was done before; --restart does it again.")
    elif begin.offset:
        shown.say(f"Going on behind line {begin.line}, where an earlier run stopped.")


def _report(run: Run[Any], begin: Place, *, is_dry_run: bool, seconds: float) -> Mapping[str, Any]:
    return {
        "lines": run.tally.lines,
        "recorded": run.tally.recorded,
        "repeated": run.tally.repeated,
        "bad": run.bad.count,
        "suspicious": run.warnings.suspicious,
        "columns_not_read": run.warnings.unread,
        "began_behind_line": begin.line,
        "dry_run": is_dry_run,
        "seconds": round(seconds, 3),
        "per_second": round(run.tally.lines / seconds) if run.tally.lines else 0,
    }


# --- what fields of a line say ----------------------------------------------------------------------------------------


def text_in(fields: Mapping[str, Any], name: str) -> str:
    """The text in field `name`. Raises InvalidInput."""
    value = fields.get(name)
    if value is None or value == "":
        raise InvalidInput(name, "Is missing.")
    if not isinstance(value, str):
        raise InvalidInput(name, "Must be text.")
    return value


def instant_in(fields: Mapping[str, Any], name: str) -> datetime:
    """The instant in field `name`, in UTC, as where no offset is given. Raises InvalidInput."""
    instant = instant_of(text_in(fields, name))
    if instant is None:
        raise InvalidInput(name, NOT_AN_INSTANT)
    return instant
