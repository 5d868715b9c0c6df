"""Refused lines: all are counted, the first ones are printed, and `--bad FILE` writes all to a file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from participants.management.imports.reading import FileRefused

SHOWN = 100


class BadLines:
    """Counts refused lines. `say` prints a line on the terminal; `file` gets all refused lines."""

    def __init__(self, say: Callable[[str], None], file: TextIO | None = None) -> None:
        self._say = say
        self._file = file
        self.count = 0

    def add(self, number: int, problem: str) -> None:
        """Report that line `number` was refused because of `problem`."""
        self.count += 1
        text = printable(f"line {number}: {problem}")
        if self._file is not None:
            self._file.write(f"{text}\n")
        if self.count <= SHOWN:
            self._say(text)
        elif self.count == SHOWN + 1:
            self._say("Further bad lines are counted and not shown; --bad FILE writes all of them.")


def printable(text: str) -> str:
    """Escape control characters, which could move the cursor of the terminal."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


@contextmanager
def open_bad_lines_file(name: str | None, *, is_resumed: bool) -> Iterator[TextIO | None]:
    """Open the file for bad lines, or give None without a `name`. A resumed run appends to it.

    Raises: FileRefused.
    """
    if name is None:
        yield None
        return
    try:
        file = Path(name).open("a" if is_resumed else "w", encoding="utf-8", buffering=1)  # noqa: SIM115 - closed below
    except OSError as error:
        raise FileRefused(f"{name}: {error.strerror}") from error
    with file:
        yield file
