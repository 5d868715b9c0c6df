"""The two formats of files: CSV and NDJSON. Both are UTF-8."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from gamify_project.exports.models import ExportFormat
from participants.engine import instant_text
from participants.exact_json import exact_json

BOM = "\ufeff"
FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n")
"""A spreadsheet may take a text that begins with one of these for a formula. Four of them are the full-width forms of the first four."""


@dataclass(frozen=True)
class FileFormat:
    """`head(columns)` is the text before the first row. `lines(columns, rows)` is the text of rows."""

    media_type: str
    head: Callable[[Sequence[str]], str]
    lines: Callable[[Sequence[str], Iterable[Sequence[Any]]], str]


def defused(text: str) -> str:
    """Return `text` with an apostrophe before it if a spreadsheet may take it for a formula.

    This holds for spreadsheets that separate at commas, as the file does. One that separates at semicolons splits a text such as
    `a;=1+1`, and the second half begins with `=`. No file with commas can prevent that.
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _csv_lines(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _csv_head(columns: Sequence[str]) -> str:
    return _csv_lines(columns, [columns])


def _cell(value: Any) -> Any:
    """Return a value as it is written to CSV. Only text is defused, so numbers stay numbers."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, str):
        return defused(value)
    return _CELLS[type(value)](value)


_CELLS: Mapping[type, Callable[[Any], Any]] = {
    bool: lambda value: "true" if value else "false",
    float: repr,
    Decimal: lambda value: format(value, "f"),
    UUID: str,
    datetime: instant_text,
    date: date.isoformat,
    dict: exact_json,
    list: exact_json,
}


def _json_lines(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    return "".join(f"{exact_json(dict(zip(columns, row, strict=True)))}\n" for row in rows)


FORMATS: Mapping[str, FileFormat] = {
    ExportFormat.CSV: FileFormat("text/csv; charset=utf-8", _csv_head, _csv_lines),
    ExportFormat.NDJSON: FileFormat("application/x-ndjson", lambda columns: "", _json_lines),
}
