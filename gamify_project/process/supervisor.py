"""Runs several long-lived programs under one foreground process, and stops all of them when it ends.

- Every program gets its own session. So Ctrl-C reaches the supervisor only, and a program can be signalled together with its
  children, as a process group.
- The output of the programs is printed line by line, with the name of the program in front.
- A program that ends is restarted, after a pause that grows with each short life.
- A guard process knows the process groups and stops them if the supervisor itself is killed.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import IO, Self

from gamify_project.process.guard import Guard, signal_group
from gamify_project.process.output import OWN_NAME, Log
from gamify_project.process.programs import Child, Program
from gamify_project.process.stop_signals import StopSignals

GRACE_SECONDS = 10.0
MAX_FAILED_STARTS = 4
PATIENCE_SECONDS = 0.2


class Supervisor:
    """Starts programs, restarts those that end, and stops all of them on a signal."""

    def __init__(self, *, out: IO[str] | None = None, grace: float = GRACE_SECONDS) -> None:
        self.log = Log(out or sys.stdout)
        self._children: list[Child] = []
        self._grace = grace
        self._guard = Guard(grace_seconds=grace)
        self._signals = StopSignals()
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
        with self._signals.handling():
            while not self._is_stopping(is_parent_gone):
                self._restart_ended_children()
                self._signals.wait(seconds=self._seconds_to_next_start())
            self._stop()
        return self._exit_code

    def _is_stopping(self, is_parent_gone: Callable[[], bool]) -> bool:
        if self._signals.received:
            self._stop_reason = signal.Signals(self._signals.received[0]).name
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

    def _stop(self) -> None:
        """Send SIGTERM to the programs, which stop their children. After the grace period, send SIGKILL to their groups."""
        for process in self._running():
            process.terminate()
        self._say(f"stopping ({self._stop_reason})")
        deadline = time.monotonic() + self._grace
        while self._running() and time.monotonic() < deadline and not self._signals.has_second_interrupt():
            self._signals.wait(seconds=min(1.0, deadline - time.monotonic()))
        self._kill_remaining()
        self._say("stopped")

    def _running(self) -> list["subprocess.Popen[str]"]:
        return [child.process for child in self._children if child.process and child.process.poll() is None]

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


def _how_it_ended(returncode: int) -> str:
    if returncode >= 0:
        return f"exit code {returncode}"
    return f"killed by {signal.Signals(-returncode).name}"
