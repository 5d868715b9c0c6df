"""Runs several long-lived programs in one foreground process, and leaves none behind.

Every program gets a session of its own, so that Ctrl-C reaches the supervisor alone and a whole program, with what it
started, can be signalled as a group. What they print comes out line by line behind their names. One that ends is
started again, a little later each time. A guard process holds the names of the groups for the case that the supervisor
itself is killed.
"""

import contextlib
import math
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

from gamify_project.guard import Guard, signal_group

GRACE_SECONDS = 10.0
SHORT_LIFE_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 30.0
MOST_FAILED_STARTS = 4
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE_SECONDS = 0.2
WHEN_TOLD_TO = ("/bin/sh", "-c", 'read -r go && exec "$@" </dev/null', "sh")
OWN_NAME = "gamify"
NAME_WIDTH = len(OWN_NAME)
COLOURS = ("36", "35", "33", "32", "34")


@dataclass(frozen=True)
class Program:
    """One program to keep running. Without an essential one the rest is useless: if it cannot start, all ends.

    One that `runs_once` does its work and ends; however it ends, it is not started again.
    """

    name: str
    command: Sequence[str]
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    pass_fds: Sequence[int] = ()
    is_essential: bool = False
    runs_once: bool = False


class Log:
    """Whole lines behind the name of who said them.

    It writes past Python's buffer, and gives a line up rather than wait for ever: a reader that has stopped reading
    blocks the programs, which may well wait, but must not keep the supervisor from stopping them.
    """

    def __init__(self, out: IO[str]) -> None:
        self._descriptor = out.fileno()
        self._is_coloured = out.isatty()
        self._names: list[str] = []
        self._lock = threading.Lock()

    def line(self, name: str, text: str, *, patience: float = -1) -> None:
        self.plain(f"{self._prefix(name)} {text}", patience=patience)

    def _prefix(self, name: str) -> str:
        if not self._is_coloured:
            return f"{name:<{NAME_WIDTH}} |"
        if name not in self._names:
            self._names.append(name)
        colour = COLOURS[self._names.index(name) % len(COLOURS)]
        return f"\033[{colour}m{name:<{NAME_WIDTH}} |\033[0m"

    def plain(self, text: str, *, patience: float = -1) -> None:
        """One locked write; a reader that has gone away (`make run | head`) is no reason to stop serving."""
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
        """Start it in a session of its own; it waits until the guard knows it, so that no instant is unguarded."""
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            [*WHEN_TOLD_TO, *self.program.command],
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.program.environment},
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
        self._tell_to_go_on()

    def _tell_to_go_on(self) -> None:
        assert self.process and self.process.stdin  # noqa: S101, PT018 - just started, with a pipe
        with contextlib.suppress(BrokenPipeError), self.process.stdin as pipe:
            pipe.write("go\n")

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def plan_restart(self, *, now: float) -> float:
        """Note the end; return the pause before the next start: 0.5 s, doubling as long as lives are short."""
        is_short = now - self._started_at < SHORT_LIFE_SECONDS
        self._short_lives = self._short_lives + 1 if is_short else 1
        self.failed_starts = self.failed_starts + 1 if is_short and not self._was_killed() else 0
        self.process = None
        pause = min(2.0 ** (self._short_lives - 2), LONGEST_PAUSE_SECONDS)
        self.start_at = now + pause
        return pause

    def retire(self) -> None:
        """Never start it again."""
        self.process = None
        self.start_at = math.inf

    def _was_killed(self) -> bool:
        return self.process is not None and self.process.returncode < 0

    def finish_output(self) -> None:
        """Let the last lines out; a stray that holds the pipe open must not hold us."""
        if self._relay:
            self._relay.join(PATIENCE_SECONDS)

    def _relay_output(self, output: IO[str], log: Log) -> None:
        with output:
            for line in output:
                log.line(self.name, line.rstrip("\n"))


class Supervisor:
    """Starts the programs, restarts those that end, stops all on a signal."""

    def __init__(self, *, out: IO[str] | None = None, grace: float = GRACE_SECONDS) -> None:
        self.log = Log(out or sys.stdout)
        self._children: list[Child] = []
        self._grace = grace
        self._guard = Guard(grace_seconds=grace)
        self._stopping_by: list[int] = []
        self._stop_reason = ""
        self._exit_code = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """After `run` there is nothing left; if something went wrong before it, what was added goes at once."""
        self._kill_what_is_left()
        self._guard.close()

    def add(self, program: Program) -> None:
        """Start a program; `run` then looks after it."""
        child = Child(program)
        self._children.append(child)
        self._start(child, now=time.monotonic())

    def run(self, *, is_parent_gone: Callable[[], bool] = lambda: False) -> int:
        """Serve until told to stop; return the exit code. `is_parent_gone` is asked about once a second."""
        with self._woken_by_signals() as wake:
            while not self._is_stopping(is_parent_gone):
                self._look_after_children()
                _wait(wake, seconds=self._seconds_to_next_start())
            self._stop(wake)
        return self._exit_code

    # --- signals ----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _woken_by_signals(self) -> Iterator[int]:
        """A pipe that gets a byte with every signal: no polling, and no signal is missed between two waits."""
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        earlier_wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        earlier = {number: signal.signal(number, self._note_stop) for number in _stop_signals()}
        earlier[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(earlier_wakeup)
            for number, handler in earlier.items():
                signal.signal(number, handler)
            os.close(reader)
            os.close(writer)

    def _note_stop(self, number: int, _frame: object) -> None:
        self._stopping_by.append(number)

    def _is_stopping(self, is_parent_gone: Callable[[], bool]) -> bool:
        if self._stopping_by:
            self._stop_reason = signal.Signals(self._stopping_by[0]).name
        elif is_parent_gone():
            self._stop_reason = "the parent process is gone"
        return bool(self._stop_reason)

    # --- running ----------------------------------------------------------------------------------------------------

    def _look_after_children(self) -> None:
        self._guard.ensure_alive()
        now = time.monotonic()
        for child in self._children:
            if child.has_ended():
                self._bury(child, now=now)
            if child.process is None and child.start_at <= now and not self._stop_reason:
                self._start(child, now=now)

    def _start(self, child: Child, *, now: float) -> None:
        try:
            child.start(log=self.log, guard=self._guard, now=now)
        except OSError as error:
            self._say(f"{child.name} cannot be started: {error}")
            self._plan(child, now=now)

    def _bury(self, child: Child, *, now: float) -> None:
        """Remove what an ended process left running, and start it again soon."""
        assert child.process  # noqa: S101 - it has ended, so there was one
        signal_group(child.process.pid, signal.SIGKILL)
        self._guard.forget(child.process.pid)
        child.finish_output()
        self._say(f"{child.name} ended ({_how_it_ended(child.process.returncode)})")
        self._plan(child, now=now)

    def _plan(self, child: Child, *, now: float) -> None:
        if child.program.runs_once:
            child.retire()
            return
        pause = child.plan_restart(now=now)
        if child.program.is_essential and child.failed_starts >= MOST_FAILED_STARTS:
            self._exit_code = 1
            self._stop_reason = f"{child.name} does not start; its lines above say why"
            return
        self._say(f"{child.name} starts again in {pause:.1f} s")

    def _seconds_to_next_start(self) -> float:
        now = time.monotonic()
        pauses = [child.start_at - now for child in self._children if child.process is None]
        return max(0.0, min([1.0, *pauses]))

    # --- stopping ---------------------------------------------------------------------------------------------------

    def _stop(self, wake: int) -> None:
        """SIGTERM to the programs, which stop what they started; SIGKILL to the groups after the grace, or at once."""
        for process in self._running():
            process.terminate()
        self._say(f"stopping ({self._stop_reason})")
        deadline = time.monotonic() + self._grace
        while self._running() and time.monotonic() < deadline and not self._is_impatient():
            _wait(wake, seconds=min(1.0, deadline - time.monotonic()))
        self._kill_what_is_left()
        self._say("stopped")

    def _running(self) -> list["subprocess.Popen[str]"]:
        return [child.process for child in self._children if child.process and child.process.poll() is None]

    def _is_impatient(self) -> bool:
        """A second Ctrl-C; a second SIGTERM is usual (one for make, one for its group) and means nothing."""
        return self._stopping_by.count(signal.SIGINT) > 1

    def _kill_what_is_left(self) -> None:
        for child in self._children:
            if child.process:
                signal_group(child.process.pid, signal.SIGKILL)
                child.process.wait()
                self._guard.forget(child.process.pid)
                child.finish_output()
                child.process = None

    def _say(self, text: str) -> None:
        self.log.line(OWN_NAME, text, patience=PATIENCE_SECONDS)


def _stop_signals() -> list[signal.Signals]:
    """All but a SIGHUP that `nohup` has switched off: whoever types that wants it to outlive the terminal."""
    is_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [number for number in STOP_SIGNALS if not (is_nohup and number is signal.SIGHUP)]


def _wait(wake: int, *, seconds: float) -> None:
    """Sleep, or wake with a signal."""
    select.select([wake], [], [], max(0.0, seconds))
    with contextlib.suppress(BlockingIOError):
        os.read(wake, 4096)


def _how_it_ended(returncode: int) -> str:
    if returncode >= 0:
        return f"exit code {returncode}"
    return f"killed by {signal.Signals(-returncode).name}"


def parent_watch() -> Callable[[], bool]:
    """Whether the process that started this one has ended since: an orphan's parent is another one."""
    parent = os.getppid()
    return lambda: os.getppid() != parent
