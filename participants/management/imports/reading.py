"""What a file says, a record per line: CSV with a header row, or a JSON object on each line (NDJSON).

Nothing of the file is kept but the line at hand. One record is one line in CSV too, so that a forgotten quote spoils its own
line and not the rest of the file, and every line can be named, and gone on from, by its number.
"""

import csv
import hashlib
import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from participants.engine import json_problems
from participants.errors import DomainError
from participants.management.imports.columns import Columns
from participants.management.imports.objects import decode_object

STDIN = "-"
FORMATS: Mapping[str, str] = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
MAX_LINE_BYTES = 1024 * 1024
BOM = b"\xef\xbb\xbf"
HASHED_AT_ONCE = 1024 * 1024
BOM_PROBLEM = "begins with a byte order mark (U+FEFF), as the lines where files were joined do; remove the mark"

# What a reordered file says of a line besides its fields: no column can be called so.
LINE, PROBLEM = "\x00line", "\x00problem"


class FileRefused(DomainError):
    """The file as a whole cannot be read."""

    code = "file_refused"


@dataclass(frozen=True)
class Place:
    """Behind line number `line`, which ends at byte `offset`."""

    line: int = 0
    offset: int = 0


START = Place()


@dataclass(frozen=True)
class Record:
    """One line: what it says by name of column, or the `problem` for which it says nothing. `place` is behind it, `number`
    is what people know the line by: of a file that was put in order, where it stood before.
    """

    place: Place
    fields: Mapping[str, Any]
    problem: str | None = None
    original_number: int | None = None

    @property
    def number(self) -> int:
        return self.place.line if self.original_number is None else self.original_number


@dataclass(frozen=True)
class Source:
    """An open file. `size` in bytes and `digest` are None for a stream, which passes by only once."""

    stream: BinaryIO
    format: str
    size: int | None = None
    digest: str | None = None
    is_reordered: bool = False

    @property
    def is_file(self) -> bool:
        return self.digest is not None


@contextmanager
def open_source(name: str, *, format_name: str | None) -> Iterator[Source]:
    """The file called `name`, or standard input. Raises FileRefused."""
    kind = format_name or _format_of(name)
    if name == STDIN:
        yield Source(sys.stdin.buffer, kind)
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115 - closed below; only the opening may fail here
    except OSError as error:
        raise FileRefused(f"{name}: {error.strerror}") from error
    with stream:
        yield _source(stream, kind)


def _format_of(name: str) -> str:
    found = FORMATS.get(Path(name).suffix.lower())
    if found is None:
        raise FileRefused(f"{name}: give --format csv or --format ndjson; the name does not say which it is.")
    return found


def _source(stream: BinaryIO, kind: str) -> Source:
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        return Source(stream, kind)
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(HASHED_AT_ONCE):
        digest.update(chunk)
        size += len(chunk)
    stream.seek(0)
    return Source(stream, kind, size, digest.hexdigest())


def records(source: Source, *, columns: Columns, after: Place = START) -> Iterator[Record]:
    """The records of `source` behind `after`; blank lines are passed over. Raises FileRefused for a header without `columns`."""
    if source.format == "ndjson":
        found = _json_records(_lines_after(source, after), columns)
        return map(_as_it_stood, found) if source.is_reordered else found
    lines = _lines(source.stream, START, source.size)
    header, behind = _header(lines, columns)
    if after.offset > behind.offset:
        lines = _lines_after(source, after)
    return _csv_records(lines, header)


# --- lines ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Line:
    place: Place
    text: str
    problem: str | None = None


def _lines_after(source: Source, after: Place) -> Iterator[_Line]:
    if after.offset:
        source.stream.seek(after.offset)
    return _lines(source.stream, after, source.size)


def _lines(stream: BinaryIO, after: Place, size: int | None) -> Iterator[_Line]:
    """Up to `size`: what is written to the file while it is read belongs to another content than was looked up."""
    number, offset = after.line, after.offset
    while raw := stream.readline(_at_most(size, offset)):
        number, start, offset = number + 1, offset, offset + len(raw)
        passed = _pass_rest(stream, raw, size=size, offset=offset)
        offset += passed
        line = _line(Place(number, offset), raw if start else raw.removeprefix(BOM), is_whole=not passed)
        if line.problem or not (line.text.isspace() or not line.text):
            yield line


def _at_most(size: int | None, offset: int) -> int:
    """How many bytes may be read at once."""
    return MAX_LINE_BYTES if size is None else min(MAX_LINE_BYTES, size - offset)


def _pass_rest(stream: BinaryIO, raw: bytes, *, size: int | None, offset: int) -> int:
    """Pass over the rest of a line that is longer than a line may be; answers how much that was."""
    passed = 0
    while not raw.endswith(b"\n") and (raw := stream.readline(_at_most(size, offset + passed))):
        passed += len(raw)
    return passed


def _line(place: Place, raw: bytes, *, is_whole: bool) -> _Line:
    if not is_whole:
        return _Line(place, "", f"is longer than {MAX_LINE_BYTES} bytes")
    if raw.startswith(BOM):
        return _Line(place, "", BOM_PROBLEM)  # or it would become part of an id, and name somebody else
    try:
        return _Line(place, raw.decode().rstrip("\r\n"))
    except UnicodeDecodeError:
        return _Line(place, "", "is not UTF-8")


# --- CSV --------------------------------------------------------------------------------------------------------------


def _header(lines: Iterator[_Line], columns: Columns) -> tuple[list[str], Place]:
    first = next(lines, None)
    if first is None:
        raise FileRefused(f"The file is empty; its first line must name the columns {', '.join(columns.required)}.")
    names, problem = ([], first.problem) if first.problem else _cells(first.text)
    header = [name.strip() for name in names]
    problem = problem or columns.header_problem(header)
    if problem is not None:
        raise FileRefused(f"The first line {problem}; it must name the columns {', '.join(columns.required)}.")
    return header, first.place


def _csv_records(lines: Iterator[_Line], header: Sequence[str]) -> Iterator[Record]:
    for line in lines:
        cells, problem = ([], line.problem) if line.problem else _cells(line.text)
        if problem is None and len(cells) != len(header):
            problem = f"has {len(cells)} fields, and the header {len(header)}"
        yield Record(line.place, {} if problem else dict(zip(header, cells, strict=True)), problem)


def _cells(text: str) -> tuple[list[str], str | None]:
    try:
        return next(csv.reader([text], strict=True)), None
    except csv.Error as error:
        return [], f"is not CSV: {error}"


# --- NDJSON -----------------------------------------------------------------------------------------------------------


def _json_records(lines: Iterator[_Line], columns: Columns) -> Iterator[Record]:
    for line in lines:
        fields, problem = ({}, line.problem) if line.problem else decode_object(line.text)
        problem = problem or columns.key_problem(fields)
        yield Record(line.place, {} if problem else fields, problem)


def document(path: Path) -> Mapping[str, Any]:
    """Return the JSON object that a whole file holds, read by the rules for a line. Raises FileRefused."""
    try:
        value, problem = decode_object(path.read_text(encoding="utf-8-sig"))
        found = None if problem else next(json_problems(value), None)
    except OSError as error:
        raise FileRefused(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise FileRefused(f"{path} is not UTF-8, or is nested too deep: {error}") from error
    if problem or found:
        raise FileRefused(f"{path} {problem}" if found is None else f"{path}: {found.field}: {found.message}")
    return value


def _as_it_stood(record: Record) -> Record:
    fields = dict(record.fields)
    number, problem = fields.pop(LINE), fields.pop(PROBLEM, None)
    return Record(record.place, fields, problem, original_number=number)
