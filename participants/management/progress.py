"""A progress bar for commands that process many rows."""

import sys
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
    if not has_bar(stream, options):
        yield lambda number: None
        return
    with bar_on(stream, MofNCompleteColumn()) as bar:
        task = bar.add_task("", total=total)
        yield lambda number: bar.advance(task, number)
