"""The progress bar of an import: share of the file, lines per second, and remaining time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.progress import Progress, Task, TextColumn
from rich.text import Text

from participants.management.imports.reading import Place
from participants.management.progress import bar_on


class _Rate(TextColumn):
    """A column with the lines per second since this run began."""

    def render(self, task: Task) -> Text:
        rate = task.fields["lines"] / task.elapsed if task.elapsed else 0
        return Text(f"{rate:,.0f} lines/s")


class Display:
    """Output on the terminal. Without a progress bar, `say` writes plain lines."""

    def __init__(self, stream: TextIO, *, progress: Progress | None, total: int | None, begin: Place) -> None:
        self._stream = stream
        self._progress = progress
        self._begin = begin
        if progress is not None:
            self._task = progress.add_task("", total=total, completed=begin.offset, lines=0)

    def say(self, text: str) -> None:
        """Print a line, above the bar if there is one."""
        if self._progress is None:
            self._stream.write(f"{text}\n")
        else:
            self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def advance(self, place: Place) -> None:
        """Report that everything up to `place` is done."""
        if self._progress is not None:
            self._progress.update(self._task, completed=place.offset, lines=place.line - self._begin.line)


@contextmanager
def display(stream: TextIO, *, has_bar: bool, total: int | None, begin: Place) -> Iterator[Display]:
    """Give a display on `stream`. `total` is the size of the file in bytes, or None if it is unknown."""
    if not has_bar:
        yield Display(stream, progress=None, total=total, begin=begin)
        return
    with bar_on(stream, _Rate("")) as progress:
        yield Display(stream, progress=progress, total=total, begin=begin)
