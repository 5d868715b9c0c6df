"""One run through one file: batch by batch, each in one unit of work together with the note of how far it came."""

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
    """What became of an item: it was refused, or it was nothing new, or neither."""

    @property
    def refusal(self) -> DomainError | None: ...
    @property
    def is_repeat(self) -> bool: ...


BeforeEnd = Callable[[UnitOfWork, Sequence[ItemResult]], None]


@dataclass(frozen=True)
class Batch(Generic[Item]):
    """Items for one unit of work, which calls `then` with what became of them, in their order, before it ends."""

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
    """What a run needs to know of the items: what a line says, and how a batch is written."""

    def item(self, fields: Mapping[str, Any]) -> Item: ...
    def write_batch(self, batch: Batch[Item]) -> Sequence[ItemResult]: ...


@dataclass
class Tally:
    """What a run has done; the lines that are left were bad."""

    lines: int = 0
    recorded: int = 0
    repeated: int = 0

    def add(self, told: ItemResult) -> None:
        if told.refusal is None:
            self.recorded += not told.is_repeat
            self.repeated += told.is_repeat


@dataclass(frozen=True)
class _Read(Generic[Item]):
    """A line that has an item, or a problem."""

    number: int
    item: Item | None = None
    problem: str | None = None


class Run(Generic[Item]):
    """Takes the lines of one file into one tenant. `row` is None where nothing keeps how far it came."""

    def __init__(
        self,
        taker: ItemImporter[Item],
        tenant: Tenant,
        *,
        row: FileImport | None,
        bad: BadLines,
        warnings: Warnings,
        options: Mapping[str, Any],
    ) -> None:
        self.tally = Tally()
        self.bad = bad
        self.warnings = warnings
        self._taker = taker
        self._tenant = tenant
        self._options = options
        self._row = row
        self._next_row = row

    @property
    def bad_in_file(self) -> int:
        """Bad lines up to here, those among them that an earlier run found."""
        return self.bad.count if self._row is None else self._row.bad

    def import_all(self, found: Iterator[Record], shown: Display) -> None:
        """Batch by batch. Raises CommandError where somebody presses Ctrl-C."""
        line = None
        try:
            while lines := list(islice(found, self._options["batch"])):
                self._take(lines)
                line = lines[-1].place.line
                shown.moved(lines[-1].place)
        except KeyboardInterrupt:
            done = "No line of this run" if line is None else f"All up to line {line}"
            raise CommandError(f"Stopped. {done} is done.", returncode=INTERRUPTED) from None

    def _take(self, lines: Sequence[Record]) -> None:
        now = timezone.now()
        self._tenant.refresh_from_db()  # with the number of its definitions: one may be paused while a long import runs
        read = [self._read(each) for each in lines]
        items = [each.item for each in read if each.item is not None]
        unread = len(read) - len(items)
        note = partial(self._note, place=lines[-1].place, unread=unread, now=now)
        told = self._taker.write_batch(Batch(self._tenant, items, now, self._options, note))
        self._row = self._next_row
        self._report_lines(read, told)

    def _read(self, record: Record) -> _Read[Item]:
        number = record.number
        if record.problem is not None:
            return _Read(number, problem=record.problem)
        self.warnings.look_at_columns(record.fields)
        try:
            item = self._taker.item(record.fields)
        except DomainError as refusal:
            return _Read(number, problem=refusal.message)
        self.warnings.look_at_ids(number, record.fields)
        return _Read(number, item=item)

    def _note(self, work: UnitOfWork, told: Sequence[ItemResult], *, place: Place, unread: int, now: datetime) -> None:
        if self._row is None:
            return
        bad = unread + sum(each.refusal is not None for each in told)
        self._next_row = self._row.with_progress(line=place.line, offset=place.offset, bad=self._row.bad + bad, now=now)
        work.change(self._next_row)

    def _report_lines(self, read: Sequence[_Read[Item]], told: Sequence[ItemResult]) -> None:
        self.tally.lines += len(read)
        remaining = iter(told)
        for each in read:
            problem = each.problem if each.problem is not None else self._problem_of(next(remaining))
            if problem is not None:
                self.bad.add(each.number, problem)

    def _problem_of(self, told: ItemResult) -> str | None:
        self.tally.add(told)
        return None if told.refusal is None else told.refusal.message
