"""Codes as people keep them: a text with one on each line, as a spreadsheet or a shop exports it (CSV of one column).

A line is read on its own, so that a forgotten quote spoils its own line and not the rest; each is known by its number, from 1 on.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from participants.engine import control_character_problem

MAX_CODE = 255  # characters
HEADER = "code"
SHOWN_FROM = 10  # characters
SHOWN_AT_END = 3
BOM = b"\xef\xbb\xbf"
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
    """Why `code` cannot be one, or None if it can (1–255 characters of one line)."""
    if not 1 <= len(code) <= MAX_CODE:
        return f"Must be 1 to {MAX_CODE} characters long."
    return control_character_problem(code)


def masked(code: str) -> str:
    """`code` for those who are not to use it: its end tells it from others, unless it is short."""
    shown = code[-SHOWN_AT_END:] if len(code) >= SHOWN_FROM else ""
    return "•" * (len(code) - len(shown)) + shown


def code_lines(text: bytes) -> CodeLines:
    """What `text` says, in UTF-8 with or without a byte order mark. A first line `code` is its header, and no code."""
    said = [(number, *_code_in(line)) for number, line in _lines(text)]
    if said and said[0][1].casefold() == HEADER:
        del said[0]
    good = [code for _, code, problem in said if problem is None and code]
    return CodeLines(good, [BadLine(number, problem) for number, _, problem in said if problem is not None])


def text_of(codes: Iterable[str]) -> str:
    """What `code_lines` reads as these codes."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([[HEADER], *([code] for code in codes)])
    return written.getvalue()


def _lines(text: bytes) -> Iterator[tuple[int, bytes]]:
    lines = enumerate(_LINE_END.split(text.removeprefix(BOM)), start=1)
    return ((number, line) for number, line in lines if line.strip())


def _code_in(line: bytes) -> tuple[str, str | None]:
    """The code without white space around it, and what is wrong; both nothing where all cells are empty."""
    try:
        cells = [cell.strip() for cell in next(csv.reader([line.decode()], strict=True))]
    except UnicodeDecodeError:
        return "", "Is not UTF-8."
    except csv.Error as error:
        return "", f"Is not CSV: {error}."
    if any(cells[1:]):
        return "", f"Has {len(cells)} fields; give one code in each line."
    return cells[0], code_problem(cells[0]) if cells[0] else None
