"""Runs several long-lived programs under one foreground process, and stops all of them when it ends.

- Every program gets its own session. So Ctrl-C reaches the supervisor only, and a program can be signalled together with its
  children, as a process group.
- The output of the programs is printed line by line, with the name of the program in front.
- A program that ends is restarted, after a pause that grows with each short life.
- A guard process knows the process groups and stops them if the supervisor itself is killed.
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
MAX_PAUSE_SECONDS = 30.0
MAX_FAILED_STARTS = 4
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE_SECONDS = 0.2
START_ON_SIGNAL = ("/bin/sh", "-c", 'read -r go && exec "$@" </dev/null', "sh")
OWN_NAME = "gamify"
NAME_WIDTH = len(OWN_NAME)
COLOURS = ("36", "35", "33", "32", "34")


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


class Log:
    """Prints whole lines, with the name of the program in front.

    It writes without Python's buffer. With `patience` it drops a line instead of waiting for ever: if the reader of the output
    stops reading, the programs may wait, but the supervisor must still be able to stop them.
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
        """Write a line under the lock, without a name. A closed output (`make run | head`) is ignored.

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
            self._relay.join(PATIENCE_SECONDS)

    def _relay_output(self, output: IO[str], log: Log) -> None:
        with output:
            for line in output:
                log.line(self.name, line.rstrip("\n"))


class Supervisor:
    """Starts programs, restarts those that end, and stops all of them on a signal."""

    def __init__(self, *, out: IO[str] | None = None, grace: float = GRACE_SECONDS) -> None:
        self.log = Log(out or sys.stdout)
        self._children: list[Child] = []
        self._grace = grace
        self._guard = Guard(grace_seconds=grace)
        self._stop_signals_received: list[int] = []
        self._stop_reason = ""
        self._exit_code = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Kill the programs that still run: none after `run`, but all if an error happened before it."""
        self._kill_remaining()
        self._guard.close()

    def add(self, program: Program) -> None:
        """Start a program. `run` restarts it when it ends."""
        child = Child(program)
        self._children.append(child)
        self._start(child, now=time.monotonic())

    def run(self, *, is_parent_gone: Callable[[], bool] = lambda: False) -> int:
        """Keep the programs running until a stop signal; return the exit code.

        `is_parent_gone` is called about once a second; when it returns true, everything stops.
        """
        with self._signal_pipe() as wake:
            while not self._is_stopping(is_parent_gone):
                self._restart_ended_children()
                _wait(wake, seconds=self._seconds_to_next_start())
            self._stop(wake)
        return self._exit_code

    # --- signals ----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _signal_pipe(self) -> Iterator[int]:
        """Give a pipe that gets a byte with every signal, so that no polling is needed and no signal is missed."""
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
        self._stop_signals_received.append(number)

    def _is_stopping(self, is_parent_gone: Callable[[], bool]) -> bool:
        if self._stop_signals_received:
            self._stop_reason = signal.Signals(self._stop_signals_received[0]).name
        elif is_parent_gone():
            self._stop_reason = "the parent process is gone"
        return bool(self._stop_reason)

    # --- running ----------------------------------------------------------------------------------------------------

    def _restart_ended_children(self) -> None:
        self._guard.ensure_alive()
        now = time.monotonic()
        for child in self._children:
            if child.has_ended():
                self._handle_end(child, now=now)
            if child.process is None and child.start_at <= now and not self._stop_reason:
                self._start(child, now=now)

    def _start(self, child: Child, *, now: float) -> None:
        try:
            child.start(log=self.log, guard=self._guard, now=now)
        except OSError as error:
            self._say(f"{child.name} cannot be started: {error}")
            self._plan_start(child, now=now)

    def _handle_end(self, child: Child, *, now: float) -> None:
        """Kill the children of an ended process, and plan its restart."""
        assert child.process  # noqa: S101 - it has ended, so there was one
        signal_group(child.process.pid, signal.SIGKILL)
        self._guard.forget(child.process.pid)
        child.finish_output()
        self._say(f"{child.name} ended ({_how_it_ended(child.process.returncode)})")
        self._plan_start(child, now=now)

    def _plan_start(self, child: Child, *, now: float) -> None:
        if child.program.runs_once:
            child.retire()
            return
        pause = child.plan_restart(now=now)
        if child.program.is_essential and child.failed_starts >= MAX_FAILED_STARTS:
            self._exit_code = 1
            self._stop_reason = f"{child.name} does not start; see its lines above for the reason"
            return
        self._say(f"{child.name} restarts in {pause:.1f} s")

    def _seconds_to_next_start(self) -> float:
        now = time.monotonic()
        pauses = [child.start_at - now for child in self._children if child.process is None]
        return max(0.0, min([1.0, *pauses]))

    # --- stopping ---------------------------------------------------------------------------------------------------

    def _stop(self, wake: int) -> None:
        """Send SIGTERM to the programs, which stop their children. After the grace period, send SIGKILL to their groups."""
        for process in self._running():
            process.terminate()
        self._say(f"stopping ({self._stop_reason})")
        deadline = time.monotonic() + self._grace
        while self._running() and time.monotonic() < deadline and not self._is_impatient():
            _wait(wake, seconds=min(1.0, deadline - time.monotonic()))
        self._kill_remaining()
        self._say("stopped")

    def _running(self) -> list["subprocess.Popen[str]"]:
        return [child.process for child in self._children if child.process and child.process.poll() is None]

    def _is_impatient(self) -> bool:
        """Whether Ctrl-C was pressed twice. A second SIGTERM is usual (one for make, one for its group) and is ignored."""
        return self._stop_signals_received.count(signal.SIGINT) > 1

    def _kill_remaining(self) -> None:
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
    """Return the signals that stop the supervisor, without a SIGHUP that `nohup` has disabled."""
    is_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [number for number in STOP_SIGNALS if not (is_nohup and number is signal.SIGHUP)]


def _wait(wake: int, *, seconds: float) -> None:
    """Sleep for `seconds`, or until a signal arrives."""
    select.select([wake], [], [], max(0.0, seconds))
    with contextlib.suppress(BlockingIOError):
        os.read(wake, 4096)


def _how_it_ended(returncode: int) -> str:
    if returncode >= 0:
        return f"exit code {returncode}"
    return f"killed by {signal.Signals(-returncode).name}"


def parent_watch() -> Callable[[], bool]:
    """Return a function that tells whether the parent process has ended. An orphan gets another parent id."""
    parent = os.getppid()
    return lambda: os.getppid() != parent
