"""Reads a file as records, one per line: CSV with a header row, or NDJSON (a JSON object on each line).

Only the current line is in memory. In CSV, too, a record is exactly one line: a missing quote then spoils only its own line, and
every record can be identified by its line number, also to resume after it.
"""

import csv
import hashlib
import json
import os
import stat
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from participants.engine import json_problems, refuse_constant
from participants.errors import DomainError
from participants.management.imports.columns import Columns

STDIN = "-"
FORMATS: Mapping[str, str] = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
MAX_LINE_BYTES = 1024 * 1024
BOM = b"\xef\xbb\xbf"
HASHED_AT_ONCE = 1024 * 1024
BOM_PROBLEM = "begins with a byte order mark (U+FEFF), as the lines where files were joined do; remove the mark"

# Keys that a sorted file adds to the fields of a line. No column can have such a name.
LINE, PROBLEM = "\x00line", "\x00problem"


class FileRefused(DomainError):
    """The file as a whole cannot be read."""

    code = "file_refused"


@dataclass(frozen=True)
class Place:
    """The position after line number `line`, which ends at byte `offset`."""

    line: int = 0
    offset: int = 0


START = Place()


@dataclass(frozen=True)
class Record:
    """One line: its `fields` by column name, or the `problem` with it. `place` is the position after the line.

    `number` is the line number for people; for a sorted file, the number in the original file.
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
    """An open file. `size` (in bytes) and `digest` are None for a stream, which can be read only once."""

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
    """Open the file `name`, or standard input for `-`.

    Raises: FileRefused.
    """
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
        raise FileRefused(f"{name}: its name has no known ending; use --format csv or --format ndjson.")
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
    """Return the records of `source` after the place `after`, without blank lines.

    Raises: FileRefused if the header lacks `columns`.
    """
    if source.format == "ndjson":
        found = _json_records(_lines_after(source, after), columns)
        return map(_with_original_number, found) if source.is_reordered else found
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
    """Yield the lines up to `size` bytes. Lines appended meanwhile are not part of the content that `digest` identifies."""
    number, offset = after.line, after.offset
    while raw := stream.readline(_at_most(size, offset)):
        number, start, offset = number + 1, offset, offset + len(raw)
        skipped = _skip_rest(stream, raw, size=size, offset=offset)
        offset += skipped
        line = _line(Place(number, offset), raw if start else raw.removeprefix(BOM), is_whole=not skipped)
        if line.problem or not (line.text.isspace() or not line.text):
            yield line


def _at_most(size: int | None, offset: int) -> int:
    """Return how many bytes may be read at once."""
    return MAX_LINE_BYTES if size is None else min(MAX_LINE_BYTES, size - offset)


def _skip_rest(stream: BinaryIO, raw: bytes, *, size: int | None, offset: int) -> int:
    """Skip the rest of a line that is too long; return the number of skipped bytes."""
    skipped = 0
    while not raw.endswith(b"\n") and (raw := stream.readline(_at_most(size, offset + skipped))):
        skipped += len(raw)
    return skipped


def _line(place: Place, raw: bytes, *, is_whole: bool) -> _Line:
    if not is_whole:
        return _Line(place, "", f"is longer than {MAX_LINE_BYTES} bytes")
    if raw.startswith(BOM):
        return _Line(place, "", BOM_PROBLEM)  # the mark would become part of an id, which then is a different one
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


def decode_object(text: str) -> tuple[Mapping[str, Any], str | None]:
    """Return (object, None), or ({}, problem) with the problem as the end of a sentence. Nothing is dropped without an error."""
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        return {}, "is JSON nested too deep"
    except ValueError as error:
        return {}, f"is not valid JSON: {error}"
    return (value, None) if isinstance(value, dict) else ({}, "is not a JSON object")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        [(duplicate, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the key {json.dumps(duplicate)} appears more than once")
    return value


# `json.loads` would build a decoder for each line.
_DECODER = json.JSONDecoder(parse_constant=refuse_constant, object_pairs_hook=_without_duplicates)


def document(path: Path) -> Mapping[str, Any]:
    """Return the JSON object in the file `path`, parsed by the rules for a line.

    Raises: FileRefused.
    """
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


def _with_original_number(record: Record) -> Record:
    fields = dict(record.fields)
    number, problem = fields.pop(LINE), fields.pop(PROBLEM, None)
    return Record(record.place, fields, problem, original_number=number)
