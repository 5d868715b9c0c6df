"""Codes as people keep them: a text with one on each line, as a spreadsheet or a shop exports it (CSV of one column).

A line is read on its own, so that a forgotten quote spoils its own line and not the rest; each is known by its number, from 1 on.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from participants.engine import invisible_character_problem, trim_code

MAX_CODE = 255  # characters
HEADER = "code"
SHOWN_FROM = 10  # characters
SHOWN_AT_END = 3
BOM = b"\xef\xbb\xbf"
SEPARATORS: Mapping[str, str] = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
SEPARATOR_LINE = (
    "Names a separator for Excel, so the file has columns. Export only the column with the codes, without this line."
)
_NAMES_SEPARATOR = re.compile(rb'"?sep=\W?"?', re.IGNORECASE)
_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True)
class BadLine:
    """Why line `number` says no code."""

    number: int
    problem: str


@dataclass(frozen=True)
class CodeLines:
    """The codes of a text in order, some perhaps twice, and the lines that say none; blank ones are passed over."""

    codes: Sequence[str]
    bad: Sequence[BadLine]


def code_problem(code: str) -> str | None:
    """Why `code` cannot be one, or None if it can (1–255 characters of one line, all of them visible)."""
    if not 1 <= len(code) <= MAX_CODE:
        return f"Must be 1 to {MAX_CODE} characters long."
    return invisible_character_problem(code)


def mask(code: str) -> str:
    """`code` for those who are not to use it: its end tells it from others, unless it is short."""
    shown = code[-SHOWN_AT_END:] if len(code) >= SHOWN_FROM else ""
    return "•" * (len(code) - len(shown)) + shown


def parse_code_lines(text: bytes) -> CodeLines:
    """What `text` says, in UTF-8 with or without a byte order mark. A first line `code` is its header, and no code.

    A text with columns has no codes and all its lines are bad: see `_column_problem`. So is each line that names a separator.
    """
    lines = list(_lines(text))
    if bad := [BadLine(number, SEPARATOR_LINE) for number, line in lines if _NAMES_SEPARATOR.fullmatch(line.strip())]:
        return CodeLines((), bad)
    said = [(number, *_code_in(line)) for number, line in lines]
    if problem := _column_problem([line for _, line in lines]):
        return CodeLines((), [BadLine(number, own or problem) for number, _, own in said])
    if said and said[0][1].casefold() == HEADER:
        del said[0]
    good = [code for _, code, problem in said if problem is None and code]
    return CodeLines(good, [BadLine(number, problem) for number, _, problem in said if problem is not None])


def _column_problem(lines: Sequence[bytes]) -> str | None:
    """Return what is wrong with lines that all hold the same separator outside quotes, or None.

    Such a text is a table in which a code ends before the separator. Lines of nothing but separators are not looked at.
    """
    told = [line for line in lines if line.strip(b' ,;\t"')]
    for separator, name in SEPARATORS.items():
        if told and all(_has_columns(line, separator) for line in told):
            return (
                f"Holds {name}, as all lines do. Give one code in each line and no other columns; "
                "put codes that hold a separator in double quotes."
            )
    return None


def _has_columns(line: bytes, separator: str) -> bool:
    if separator.encode() not in line:
        return False
    try:
        return len(next(csv.reader([line.decode(errors="replace")], delimiter=separator))) > 1
    except csv.Error:
        return False


def text_from_codes(codes: Iterable[str]) -> str:
    """What `parse_code_lines` reads as these codes."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([[HEADER], *([code] for code in codes)])
    return written.getvalue()


def _lines(text: bytes) -> Iterator[tuple[int, bytes]]:
    lines = enumerate(_LINE_END.split(text.removeprefix(BOM)), start=1)
    return ((number, line) for number, line in lines if line.strip())


def _code_in(line: bytes) -> tuple[str, str | None]:
    """The code without white space around it, and what is wrong; both nothing where all cells are empty."""
    try:
        cells = [trim_code(cell) for cell in next(csv.reader([line.decode()], strict=True))]
    except UnicodeDecodeError:
        return "", "Is not UTF-8."
    except csv.Error as error:
        return "", f"Is not CSV: {error}."
    if any(cells[1:]):
        return "", f"Has {len(cells)} fields; give one code in each line."
    return cells[0], code_problem(cells[0]) if cells[0] else None
