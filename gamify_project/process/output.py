"""The output of several programs in one terminal, or in one stream of JSON lines."""

import contextlib
import os
import threading
from typing import IO

from gamify_project.logs import as_json_line

OWN_NAME = "gamify"
NAME_WIDTH = len(OWN_NAME)
COLOURS = ("36", "35", "33", "32", "34")


class Log:
    """Prints whole lines, with the name of the program in front.

    It writes without Python's buffer. With `patience` it drops a line instead of waiting for ever: if the reader of the output
    stops reading, the programs may wait, but the supervisor must still be able to stop them.

    With `is_json` every line is a JSON object: lines of programs that are objects already are printed as they are.
    """

    is_json = False

    def __init__(self, out: IO[str]) -> None:
        self._descriptor = out.fileno()
        self._is_coloured = out.isatty()
        self._names: list[str] = []
        self._lock = threading.Lock()

    def line(self, name: str, text: str, *, patience: float = -1) -> None:
        if self.is_json:
            self._print(text if text.startswith("{") else as_json_line(name, text).rstrip("\n"), patience=patience)
        else:
            self._print(f"{self._prefix(name)} {text}", patience=patience)

    def _prefix(self, name: str) -> str:
        if not self._is_coloured:
            return f"{name:<{NAME_WIDTH}} |"
        if name not in self._names:
            self._names.append(name)
        colour = COLOURS[self._names.index(name) % len(COLOURS)]
        return f"\033[{colour}m{name:<{NAME_WIDTH}} |\033[0m"

    def plain(self, text: str) -> None:
        """Print text without a name."""
        self._print(as_json_line(OWN_NAME, text).rstrip("\n") if self.is_json else text)

    def _print(self, text: str, *, patience: float = -1) -> None:
        """Write a line under the lock. A closed output (`make run | head`) is ignored.

        `patience` is how many seconds to wait for the lock; -1 waits for ever.
        """
        if not self._lock.acquire(timeout=patience):
            return
        try:
            with contextlib.suppress(OSError):
                self._write(f"{text}\n".encode(errors="replace"))
        finally:
            self._lock.release()

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]
