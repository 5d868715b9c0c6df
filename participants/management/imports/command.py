"""Base of import commands. Subclasses parse a line into an item, and write a batch of items."""

import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from django.core.management.base import CommandError
from django.utils import timezone

from participants.actors import ActorKind, acting_as, actor_of
from participants.engine import NOT_AN_INSTANT, instant_of
from participants.errors import InvalidInput
from participants.ids import new_id
from participants.management.base import ReportingCommand, add_tenant, existing_tenant, whole_number
from participants.management.imports.bad_lines import BadLines, open_bad_lines_file
from participants.management.imports.bookmarks import bookmark
from participants.management.imports.columns import Columns
from participants.management.imports.ordering import in_order
from participants.management.imports.progress import Display, display
from participants.management.imports.reading import FORMATS, START, Place, Source, open_source, records
from participants.management.imports.running import Batch, ItemResult, Run
from participants.management.imports.warnings import Warnings
from participants.management.progress import has_bar
from participants.models import Tenant

BATCH = 1_000
MAX_BATCH = 5_000  # SQLite binds 32,766 values to a statement, and lists are padded to a power of two

Item = TypeVar("Item")


class ImportCommand(ReportingCommand, Generic[Item]):
    """Subclasses set `columns`, parse the fields of a line (`item`), and write a batch of items (`write_batch`)."""

    columns: ClassVar[Columns]
    needs_order: ClassVar[bool] = False
    can_emit: ClassVar[bool] = True  # whether the import can emit domain events (option --emit)

    def item(self, fields: Mapping[str, Any]) -> Item:
        """Parse the fields of one line.

        Raises: DomainError, which makes it a bad line.
        """
        raise NotImplementedError

    def sort_key(self, fields: Mapping[str, Any]) -> float:
        """Return the sort key of a line, if the command `needs_order`. It must not raise, whatever the line contains."""
        raise NotImplementedError

    def write_batch(self, batch: Batch[Item]) -> Sequence[ItemResult]:
        """Write the batch in one unit of work. A refused item must not prevent the others."""
        raise NotImplementedError

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="CSV or NDJSON in UTF-8; - means standard input.")
        add_tenant(parser)
        parser.add_argument(
            "--format", choices=sorted(set(FORMATS.values())), help="Format of the file. Default: by its name."
        )
        parser.add_argument("--batch", type=_batch_size, default=BATCH, metavar="N", help="Lines per transaction.")
        parser.add_argument("--dry-run", action="store_true", help="Report what would be done, and write nothing.")
        if self.can_emit:
            parser.add_argument(
                "--emit", action="store_true", help="Emit domain events to webhooks and the feed. Default: none."
            )
        parser.add_argument(
            "--restart",
            action="store_true",
            help="Start from the beginning, even if an earlier run finished or began the file.",
        )
        parser.add_argument("--strict", action="store_true", help="Exit with code 1 if there are bad lines.")
        parser.add_argument(
            "--bad", metavar="FILE", help="Write the number and the problem of every bad line to this file."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if options["strict"] and self._bad_in_file:
            raise CommandError(f"Bad lines in this file: {self._bad_in_file}")

    def report(self, *, file: str, tenant: str, sandbox: bool, **options: Any) -> Mapping[str, Any]:
        owner = existing_tenant(tenant, sandbox=sandbox)
        with open_source(file, format_name=options["format"]) as opened, self._sorted_if_needed(opened) as source:
            return self._import(source, owner, options)

    def _sorted_if_needed(self, source: Source) -> AbstractContextManager[Source]:
        return in_order(source, columns=self.columns, key=self.sort_key) if self.needs_order else nullcontext(source)

    def _import(self, source: Source, tenant: Tenant, options: Mapping[str, Any]) -> Mapping[str, Any]:
        how = {"restarts": options["restart"], "is_dry_run": options["dry_run"]}
        row = bookmark(tenant, self.bookmark_name, source, now=timezone.now(), **how)
        begin, started, stream = (
            START if row is None else Place(row.line, row.offset),
            time.monotonic(),
            options.get("stderr") or sys.stderr,
        )
        with (
            open_bad_lines_file(options["bad"], is_resumed=begin.offset > 0) as bad_file,
            display(stream, has_bar=has_bar(stream, options), total=source.size, begin=begin) as screen,
        ):
            _report_start(screen, source, begin)
            warnings = Warnings(self.columns, screen.say)
            run = Run(self, tenant, row=row, bad=BadLines(screen.say, bad_file), warnings=warnings, options=options)
            with acting_as(actor_of(ActorKind.IMPORT, row.pk if row else new_id(), self._label(source))):
                run.import_all(records(source, columns=self.columns, after=begin), screen)
        self._bad_in_file = run.bad_in_file
        return _report(run, begin, is_dry_run=options["dry_run"], seconds=time.monotonic() - started)

    def _label(self, source: Source) -> str:
        """Name the import as an actor, without the name of the file: it may contain the name of a person."""
        return f"{self.bookmark_name} {(source.digest or 'stream')[:12]}"

    @property
    def bookmark_name(self) -> str:
        """Name of the command in bookmarks, at most 40 characters."""
        return type(self).__module__.rpartition(".")[2]


def _batch_size(text: str) -> int:
    number = whole_number(text)
    if not 1 <= number <= MAX_BATCH:
        raise ArgumentTypeError(f"must be 1 to {MAX_BATCH}")
    return number


def _report_start(screen: Display, source: Source, begin: Place) -> None:
    if not source.is_file:
        screen.say(
            "Reading a stream. If it is interrupted, start it again: items that were recorded are not recorded twice."
        )
    elif begin.offset == source.size:
        screen.say("This file was imported completely before. Use --restart to import it again.")
    elif begin.offset:
        screen.say(f"Continuing after line {begin.line}, where an earlier run stopped.")


def _report(run: Run[Any], begin: Place, *, is_dry_run: bool, seconds: float) -> Mapping[str, Any]:
    return {
        "lines": run.lines,
        "recorded": run.recorded,
        "repeated": run.repeated,
        "bad": run.bad.count,
        "suspicious": run.warnings.suspicious,
        "columns_not_read": run.warnings.unread,
        "began_behind_line": begin.line,
        "dry_run": is_dry_run,
        "seconds": round(seconds, 3),
        "per_second": round(run.lines / seconds) if run.lines else 0,
    }


# --- reading fields of a line -----------------------------------------------------------------------------------------


def text_in(fields: Mapping[str, Any], name: str) -> str:
    """Return the text in field `name`.

    Raises: InvalidInput if it is missing, empty or no text.
    """
    value = fields.get(name)
    if value is None or value == "":
        raise InvalidInput(name, "Is missing.")
    if not isinstance(value, str):
        raise InvalidInput(name, "Must be text.")
    return value


def instant_in(fields: Mapping[str, Any], name: str) -> datetime:
    """Return the instant in field `name`. Without an offset it is UTC.

    Raises: InvalidInput.
    """
    instant = instant_of(text_in(fields, name))
    if instant is None:
        raise InvalidInput(name, NOT_AN_INSTANT)
    return instant
