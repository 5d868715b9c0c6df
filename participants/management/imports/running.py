"""One run through one file, in batches. The bookmark moves in the same unit of work as the batch is written."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

from django.core.management.base import CommandError
from django.utils import timezone

from participants.errors import DomainError
from participants.management.imports.bad_lines import BadLines
from participants.management.imports.progress import Display
from participants.management.imports.reading import Place, Record
from participants.management.imports.warnings import Warnings
from participants.models import FileImport, Tenant
from participants.work import UnitOfWork

INTERRUPTED = 130

Item = TypeVar("Item")


class ItemResult(Protocol):
    """The result of an item: it was refused (`refusal`), it was recorded before (`is_repeat`), or neither: it was recorded."""

    @property
    def refusal(self) -> DomainError | None: ...
    @property
    def is_repeat(self) -> bool: ...


BeforeEnd = Callable[[UnitOfWork, Sequence[ItemResult]], None]


@dataclass(frozen=True)
class Batch(Generic[Item]):
    """Items for one unit of work. Before the unit ends, it calls `before_end(work, results)`, results in the order of items."""

    tenant: Tenant
    items: Sequence[Item]
    now: datetime
    options: Mapping[str, Any]
    before_end: BeforeEnd

    @property
    def is_silent(self) -> bool:
        return not self.options["emit"]

    @property
    def is_dry_run(self) -> bool:
        return bool(self.options["dry_run"])


class ItemImporter(Protocol[Item]):
    """The part of ImportCommand that a run uses: parsing a line, and writing a batch."""

    def item(self, fields: Mapping[str, Any]) -> Item: ...
    def write_batch(self, batch: Batch[Item]) -> Sequence[ItemResult]: ...


@dataclass(frozen=True)
class _Read(Generic[Item]):
    """A line that was read: it has either an `item` or a `problem`."""

    number: int
    item: Item | None = None
    problem: str | None = None


class Run(Generic[Item]):
    """Imports the lines of one file into one tenant. `row` is the bookmark, or None for a stream."""

    def __init__(
        self,
        importer: ItemImporter[Item],
        tenant: Tenant,
        *,
        row: FileImport | None,
        bad: BadLines,
        warnings: Warnings,
        options: Mapping[str, Any],
    ) -> None:
        self.lines = self.recorded = self.repeated = 0  # the remaining lines were bad
        self.bad = bad
        self.warnings = warnings
        self._importer = importer
        self._tenant = tenant
        self._options = options
        self._row = row
        self._next_row = row

    @property
    def bad_in_file(self) -> int:
        """Number of bad lines up to here, including those of earlier runs."""
        return self.bad.count if self._row is None else self._row.bad

    def import_all(self, found: Iterator[Record], screen: Display) -> None:
        """Import all records in batches.

        Raises: CommandError if it is interrupted with Ctrl-C.
        """
        line = None
        try:
            while lines := list(islice(found, self._options["batch"])):
                self._import_batch(lines)
                line = lines[-1].place.line
                screen.advance(lines[-1].place)
        except KeyboardInterrupt:
            done = "No line of this run was imported" if line is None else f"Everything up to line {line} was imported"
            raise CommandError(f"Stopped. {done}.", returncode=INTERRUPTED) from None

    def _import_batch(self, lines: Sequence[Record]) -> None:
        now = timezone.now()
        self._tenant.refresh_from_db()  # its catalog version may change during a long import
        read = [self._read(each) for each in lines]
        items = [each.item for each in read if each.item is not None]
        unread = len(read) - len(items)
        note = partial(self._note, place=lines[-1].place, unread=unread, now=now)
        results = self._importer.write_batch(Batch(self._tenant, items, now, self._options, note))
        self._row = self._next_row
        self._report_lines(read, results)

    def _read(self, record: Record) -> _Read[Item]:
        number = record.number
        if record.problem is not None:
            return _Read(number, problem=record.problem)
        self.warnings.look_at_columns(record.fields)
        try:
            item = self._importer.item(record.fields)
        except DomainError as refusal:
            return _Read(number, problem=refusal.message)
        self.warnings.look_at_ids(number, record.fields)
        return _Read(number, item=item)

    def _note(
        self, work: UnitOfWork, results: Sequence[ItemResult], *, place: Place, unread: int, now: datetime
    ) -> None:
        if self._row is None:
            return
        bad = unread + sum(each.refusal is not None for each in results)
        self._next_row = self._row.with_progress(line=place.line, offset=place.offset, bad=self._row.bad + bad, now=now)
        work.change(self._next_row)

    def _report_lines(self, read: Sequence[_Read[Item]], results: Sequence[ItemResult]) -> None:
        self.lines += len(read)
        remaining = iter(results)
        for each in read:
            problem = each.problem if each.problem is not None else self._problem_of(next(remaining))
            if problem is not None:
                self.bad.add(each.number, problem)

    def _problem_of(self, result: ItemResult) -> str | None:
        if result.refusal is not None:
            return result.refusal.message
        self.recorded += not result.is_repeat
        self.repeated += result.is_repeat
        return None
