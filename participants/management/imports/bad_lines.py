"""Lines that were refused: the first ones are shown, all are counted, and written to a file on request."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from participants.management.imports.reading import FileRefused

SHOWN = 100


class BadLines:
    """`say` prints a line for people; `file` gets every one of them."""

    def __init__(self, say: Callable[[str], None], file: TextIO | None = None) -> None:
        self._say = say
        self._file = file
        self.count = 0

    def add(self, number: int, problem: str) -> None:
        """Line `number` was refused because of `problem`."""
        self.count += 1
        told = printable(f"line {number}: {problem}")
        if self._file is not None:
            self._file.write(f"{told}\n")
        if self.count <= SHOWN:
            self._say(told)
        elif self.count == SHOWN + 1:
            self._say("Further bad lines are counted and not shown; --bad FILE writes all of them.")


def printable(text: str) -> str:
    """A line of the file may hold anything; what it says must not move the reader's cursor about."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


@contextmanager
def open_bad_lines_file(name: str | None, *, goes_on: bool) -> Iterator[TextIO | None]:
    """The file for bad lines, anew or, where an earlier run is gone on with, behind what that has written."""
    if name is None:
        yield None
        return
    try:
        file = Path(name).open("a" if goes_on else "w", encoding="utf-8", buffering=1)  # noqa: SIM115 - closed below
    except OSError as error:
        raise FileRefused(f"{name}: {error.strerror}") from error
    with file:
        yield file
