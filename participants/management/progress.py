"""A progress bar for commands that process many rows."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TimeRemainingColumn


@contextmanager
def progress_bar(options: Mapping[str, Any], *, total: int) -> Iterator[Callable[[int], None]]:
    """Context manager that gives a function to report progress: call it with the number of rows done since the last call.

    The bar is shown on a terminal only, and not with `--json`. `options` are the options of the command.
    """
    stream = options.get("stderr") or sys.stderr
    if not stream.isatty() or options["json"]:
        yield lambda number: None
        return
    columns = (BarColumn(), TaskProgressColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=stream)) as bar:
        task = bar.add_task("", total=total)
        yield lambda number: bar.advance(task, number)
