"""The progress of commands that process many rows: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskProgressColumn,
    TimeRemainingColumn,
)

LINE_SECONDS = 10.0


def has_bar(stream: TextIO, options: Mapping[str, Any]) -> bool:
    """Whether a command with these options shows a bar: on a terminal only, and not with `--json`."""
    return stream.isatty() and not options["json"]


def bar_on(stream: TextIO, number: ProgressColumn) -> Progress:
    """Return a bar with the column `number`, which says how much is done."""
    return Progress(BarColumn(), TaskProgressColumn(), number, TimeRemainingColumn(), console=Console(file=stream))


@contextmanager
def progress_bar(options: Mapping[str, Any], *, total: int) -> Iterator[Callable[[int], None]]:
    """Context manager that gives a function to report progress: call it with the number of rows done since the last call.

    `options` are the options of the command.
    """
    stream = options.get("stderr") or sys.stderr
    if options["json"]:
        yield lambda number: None
        return
    if not stream.isatty():
        yield _Lines(stream, total=total).advance
        return
    with bar_on(stream, MofNCompleteColumn()) as bar:
        task = bar.add_task("", total=total)
        yield lambda number: bar.advance(task, number)


class _Lines:
    """Prints a line when LINE_SECONDS have passed since the last one, so that a log shows that the command goes on."""

    def __init__(self, stream: TextIO, *, total: int) -> None:
        self._stream = stream
        self._total = total
        self._done = 0
        self._next_at = time.monotonic() + LINE_SECONDS

    def advance(self, number: int) -> None:
        self._done += number
        if time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + LINE_SECONDS
            self._stream.write(f"{self._done} of {self._total}\n")
            self._stream.flush()
