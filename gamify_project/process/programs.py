"""Programs that run under the supervisor: how one is started, and when it is started again."""

import contextlib
import math
import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from gamify_project.process.guard import Guard
from gamify_project.process.output import Log

SHORT_LIFE_SECONDS = 10.0
MAX_PAUSE_SECONDS = 30.0
OUTPUT_SECONDS = 0.2
START_ON_SIGNAL = ("/bin/sh", "-c", 'read -r go && exec "$@" </dev/null', "sh")


@dataclass(frozen=True)
class Program:
    """A program to run. It is restarted when it ends, unless it `runs_once`.

    If an `is_essential` program repeatedly fails to start, the supervisor stops everything.
    """

    name: str
    command: Sequence[str]
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    pass_fds: Sequence[int] = ()
    is_essential: bool = False
    runs_once: bool = False


class Child:
    """A program, its current process, and when to start it next."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[str] | None = None
        self.start_at = 0.0
        self.failed_starts = 0
        self._started_at = 0.0
        self._short_lives = 0
        self._relay: threading.Thread | None = None

    @property
    def name(self) -> str:
        return self.program.name

    def start(self, *, log: Log, guard: Guard, now: float) -> None:
        """Start the program in its own session. It waits for `_release` until the guard watches it, so that it is never unguarded."""
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            [*START_ON_SIGNAL, *self.program.command],
            # Only `serve` itself migrates. The programs must not know the owner of the tables.
            env={**os.environ, "DATABASE_OWNER_URL": "", "PYTHONUNBUFFERED": "1", **self.program.environment},
            cwd=self.program.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=self.program.pass_fds,
            start_new_session=True,
        )
        self._started_at = now
        self._relay = threading.Thread(target=self._relay_output, args=(self.process.stdout, log), daemon=True)
        self._relay.start()
        guard.watch(self.process.pid)
        self._release()

    def _release(self) -> None:
        assert self.process and self.process.stdin  # noqa: S101, PT018 - just started, with a pipe
        with contextlib.suppress(BrokenPipeError), self.process.stdin as pipe:
            pipe.write("go\n")

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def plan_restart(self, *, now: float) -> float:
        """Plan the next start after the program ended.

        Returns: the pause in seconds: 0.5, doubled after each short life, at most 30.
        """
        is_short = now - self._started_at < SHORT_LIFE_SECONDS
        self._short_lives = self._short_lives + 1 if is_short else 1
        self.failed_starts = self.failed_starts + 1 if is_short and not self._was_killed() else 0
        self.process = None
        pause = min(2.0 ** (self._short_lives - 2), MAX_PAUSE_SECONDS)
        self.start_at = now + pause
        return pause

    def retire(self) -> None:
        """Do not start the program again."""
        self.process = None
        self.start_at = math.inf

    def _was_killed(self) -> bool:
        return self.process is not None and self.process.returncode < 0

    def finish_output(self) -> None:
        """Wait shortly until the last lines are printed. A leftover child may hold the pipe open, so do not wait for ever."""
        if self._relay:
            self._relay.join(OUTPUT_SECONDS)

    def _relay_output(self, output: IO[str], log: Log) -> None:
        with output:
            for line in output:
                log.line(self.name, line.rstrip("\n"))
