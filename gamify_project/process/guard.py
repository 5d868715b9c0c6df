"""A small process that cleans up after its parent, even if the parent is killed with SIGKILL.

The guard reads commands, one per line, from a pipe whose write end only the parent has. When the pipe ends, for whatever reason,
the guard stops the process groups that are left. After a clean end there are none.

    watch <process group> <signal>   stop this group with this signal when the parent has ended
    forget <process group>           this group has been stopped
    remove <folder>                  delete this folder after everything was stopped

`Guard` starts it as a separate script in its own session. It imports only the standard library.
"""

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable

POLL_SECONDS = 0.05


class Guard:
    """The parent's side: starts the guard process and sends it commands. A guard that died is replaced by a new one."""

    def __init__(self, *, grace_seconds: float) -> None:
        self._grace_seconds = grace_seconds
        self._watched: dict[int, int] = {}
        self._folders: list[str] = []
        self._process = self._start()

    def watch(self, group: int, *, stop_signal: int = signal.SIGTERM) -> None:
        self._watched[group] = stop_signal
        self._send(f"watch {group} {int(stop_signal)}")

    def forget(self, group: int) -> None:
        self._watched.pop(group, None)
        self._send(f"forget {group}")

    def remove(self, folder: str) -> None:
        self._folders.append(folder)
        self._send(f"remove {folder}")

    def ensure_alive(self) -> None:
        if self._process.poll() is None:
            return
        self._close_pipe()
        self._process = self._start()

    def close(self) -> None:
        """Close the pipe, and wait until the guard has stopped all process groups that it still watches."""
        self._close_pipe()
        self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        """Start the guard with all commands as arguments, so that it also cleans up if the parent is killed right now."""
        return subprocess.Popen(  # noqa: S603 - runs this file
            [sys.executable, "-I", "-S", "-B", __file__, str(self._grace_seconds), *self._commands()],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )

    def _commands(self) -> Iterable[str]:
        yield from (f"watch {group} {number}" for group, number in self._watched.items())
        yield from (f"remove {folder}" for folder in self._folders)

    def _send(self, line: str) -> None:
        self.ensure_alive()
        self._write(line)

    def _write(self, line: str) -> None:
        assert self._process.stdin  # noqa: S101 - it is a pipe
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()

    def _close_pipe(self) -> None:
        assert self._process.stdin  # noqa: S101 - it is a pipe
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()


# --- stopping process groups, which the supervisor does as well -----------------------------------------------------


def signal_group(group: int, number: int) -> bool:
    """Send signal `number` to a process group. Return False if the group no longer exists."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS raises this for a group of zombies
        return False
    return True


def stop_groups(groups: dict[int, int], *, grace_seconds: float) -> None:
    """Send each group its signal. After `grace_seconds`, kill the remaining ones."""
    left = [group for group, number in groups.items() if signal_group(group, number)]
    deadline = time.monotonic() + grace_seconds
    while left and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        left = [group for group in left if signal_group(group, 0)]
    for group in left:
        signal_group(group, signal.SIGKILL)


# --- the guard's side -----------------------------------------------------------------------------------------------


def main(grace_seconds: float, *, known: Iterable[str]) -> None:
    """Read commands until the parent has ended, then clean up. Other signals than SIGKILL are ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    groups: dict[int, int] = {}
    folders: list[str] = []
    for line in itertools.chain(known, sys.stdin):
        command, _, rest = line.rstrip("\n").partition(" ")
        _execute(command, rest, groups=groups, folders=folders)
    stop_groups(groups, grace_seconds=grace_seconds)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _execute(command: str, rest: str, *, groups: dict[int, int], folders: list[str]) -> None:
    if command == "watch":
        group, number = rest.split()
        groups[int(group)] = int(number)
    elif command == "forget":
        groups.pop(int(rest), None)
    elif command == "remove":
        folders.append(rest)


if __name__ == "__main__":
    main(float(sys.argv[1]), known=sys.argv[2:])
