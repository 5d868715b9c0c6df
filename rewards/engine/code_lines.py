"""Texts with one code per line, as a spreadsheet or a shop exports them (CSV with one column).

Each line is parsed separately, so that a forgotten quote makes one line invalid and not the rest. Line numbers start with 1.
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
_SEPARATOR_LINE_PATTERN = re.compile(rb'"?sep=\W?"?', re.IGNORECASE)
_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True)
class BadLine:
    """An invalid line: its number and why."""

    number: int
    problem: str


@dataclass(frozen=True)
class CodeLines:
    """The codes of a text in order, possibly with duplicates, and its invalid lines. Blank lines are ignored."""

    codes: Sequence[str]
    bad: Sequence[BadLine]


def code_problem(code: str) -> str | None:
    """Return why `code` is invalid, or None. A code has 1–255 visible characters on one line."""
    if not 1 <= len(code) <= MAX_CODE:
        return f"Must be 1 to {MAX_CODE} characters long."
    return invisible_character_problem(code)


def mask(code: str) -> str:
    """Mask a code for people who must not use it. Long codes show their last characters, to tell them apart."""
    shown = code[-SHOWN_AT_END:] if len(code) >= SHOWN_FROM else ""
    return "•" * (len(code) - len(shown)) + shown


def parse_code_lines(text: bytes) -> CodeLines:
    """Parse `text`: UTF-8, with or without a byte order mark. A first line `code` is a header.

    A text with columns has no codes, and all its lines are invalid (see `_column_problem`). The same holds for a text with a line that
    names a separator.
    """
    lines = list(_lines(text))
    if bad := [
        BadLine(number, SEPARATOR_LINE) for number, line in lines if _SEPARATOR_LINE_PATTERN.fullmatch(line.strip())
    ]:
        return CodeLines((), bad)
    parsed = [(number, *_code_in(line)) for number, line in lines]
    if problem := _column_problem([line for _, line in lines]):
        return CodeLines((), [BadLine(number, own or problem) for number, _, own in parsed])
    if parsed and parsed[0][1].casefold() == HEADER:
        del parsed[0]
    good = [code for _, code, problem in parsed if problem is None and code]
    return CodeLines(good, [BadLine(number, problem) for number, _, problem in parsed if problem is not None])


def _column_problem(lines: Sequence[bytes]) -> str | None:
    """Return what is wrong if all lines contain the same separator outside quotes, or None.

    Such a text is a table, and a code would end before the separator. Lines that contain only separators are ignored.
    """
    relevant = [line for line in lines if line.strip(b' ,;\t"')]
    for separator, name in SEPARATORS.items():
        if relevant and all(_has_columns(line, separator) for line in relevant):
            return (
                f"Contains {name}, as all lines do. Give one code in each line and no other columns; "
                "put codes that contain a separator in double quotes."
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
    """Return a text that `parse_code_lines` parses to these codes."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([[HEADER], *([code] for code in codes)])
    return written.getvalue()


def _lines(text: bytes) -> Iterator[tuple[int, bytes]]:
    lines = enumerate(_LINE_END.split(text.removeprefix(BOM)), start=1)
    return ((number, line) for number, line in lines if line.strip())


def _code_in(line: bytes) -> tuple[str, str | None]:
    """Return the code without surrounding white space, and what is wrong with it. Both are empty if all cells are empty."""
    try:
        cells = [trim_code(cell) for cell in next(csv.reader([line.decode()], strict=True))]
    except UnicodeDecodeError:
        return "", "Is not UTF-8."
    except csv.Error as error:
        return "", f"Is not CSV: {error}."
    if any(cells[1:]):
        return "", f"Has {len(cells)} fields; give one code in each line."
    return cells[0], code_problem(cells[0]) if cells[0] else None
