"""Sorts the lines of a file on disk, so that files of any size can be sorted.

A file that is sorted already is read directly. From any other file, and from a stream, a sorted temporary file is made, in which
every line has its original number. The same input always gives the same file, so that an interrupted import can resume.
"""

import hashlib
import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from participants.management.imports.columns import Columns
from participants.management.imports.reading import LINE, PROBLEM, Record, Source, records

Key = Callable[[Mapping[str, Any]], float]
Sortable = tuple[float, int, str]
"""Sort key, line number and text of a line."""


@contextmanager
def in_order(source: Source, *, columns: Columns, key: Key) -> Iterator[Source]:
    """Give `source` if it is sorted, else the sorted temporary file. A bad line stays after the line before it."""
    if source.is_file and _is_in_order(source, columns, key):
        source.stream.seek(0)
        yield source
        return
    source.stream.seek(0) if source.is_file else None
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "lines.ndjson").open("w+b") as stream:
        yield _written(stream, _sorted(_sortable(source, columns, key), Path(folder) / "lines.sqlite3"))


def _is_in_order(source: Source, columns: Columns, key: Key) -> bool:
    last = float("-inf")
    for each, _ in _with_sort_keys(source, columns, key):
        if each < last:
            return False
        last = each
    return True


def _with_sort_keys(source: Source, columns: Columns, key: Key) -> Iterator[tuple[float, Record]]:
    last = float("-inf")
    for record in records(source, columns=columns):
        if record.problem is None:
            last = key(record.fields)
        yield last, record


def _sortable(source: Source, columns: Columns, key: Key) -> Iterator[Sortable]:
    for place, record in _with_sort_keys(source, columns, key):
        fields = {name: value for name, value in record.fields.items() if name not in {LINE, PROBLEM}}
        problem = {} if record.problem is None else {PROBLEM: record.problem}
        yield place, record.number, json.dumps({**fields, **problem, LINE: record.number})


def _sorted(lines: Iterator[Sortable], path: Path) -> Iterator[str]:
    """Sort in the SQLite database `path`, which needs little memory for any number of lines."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE lines (sort_key REAL, number INTEGER, text TEXT)")
        database.executemany("INSERT INTO lines VALUES (?, ?, ?)", lines)
        yield from (text for (text,) in database.execute("SELECT text FROM lines ORDER BY sort_key, number"))


def _written(stream: BinaryIO, lines: Iterator[str]) -> Source:
    digest, size = hashlib.sha256(), 0
    for line in lines:
        data = f"{line}\n".encode()
        digest.update(data)
        size += stream.write(data)
    stream.seek(0)
    return Source(stream, "ndjson", size, digest.hexdigest(), is_reordered=True)
