"""A tiny process that outlives its maker, only to clean up after it.

Whoever starts long-lived processes may be killed in a way that leaves no time for goodbyes. The guard holds the read end
of a pipe whose write end is in its maker alone; it is told what exists, one command a line, and when the pipe ends,
for whatever reason, it stops what is left. On a clean end nothing is left, and it just goes.

    watch <process group> <signal>   stop this group by this signal when the maker is gone
    forget <process group>           it is stopped already
    remove <folder>                  delete this folder once everything is stopped

It runs as a script of its own (`Guard` starts it), in a session of its own, and imports next to nothing.
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
    """The maker's side: starts the guard and tells it things. A guard that died is replaced, and told all again."""

    def __init__(self, *, grace_seconds: float) -> None:
        self._grace_seconds = grace_seconds
        self._watched: dict[int, int] = {}
        self._folders: list[str] = []
        self._process = self._start()

    def watch(self, group: int, *, stop_signal: int = signal.SIGTERM) -> None:
        self._watched[group] = stop_signal
        self._tell(f"watch {group} {int(stop_signal)}")

    def forget(self, group: int) -> None:
        self._watched.pop(group, None)
        self._tell(f"forget {group}")

    def remove(self, folder: str) -> None:
        self._folders.append(folder)
        self._tell(f"remove {folder}")

    def ensure_alive(self) -> None:
        if self._process.poll() is None:
            return
        self._close_pipe()
        self._process = self._start()

    def close(self) -> None:
        """End the pipe, and wait until the guard has stopped what was not forgotten."""
        self._close_pipe()
        self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        """It is born knowing all there is, so that a maker killed in this very moment leaves nothing behind."""
        return subprocess.Popen(  # noqa: S603 - this very file
            [sys.executable, "-I", "-S", "-B", __file__, str(self._grace_seconds), *self._everything()],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )

    def _everything(self) -> Iterable[str]:
        yield from (f"watch {group} {number}" for group, number in self._watched.items())
        yield from (f"remove {folder}" for folder in self._folders)

    def _tell(self, line: str) -> None:
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
    """Signal every process of a group; False if there is none any more."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says this of a group of zombies
        return False
    return True


def stop_groups(groups: dict[int, int], *, grace_seconds: float) -> None:
    """Ask every group to stop, each by its signal; kill what is left after the grace."""
    left = [group for group, number in groups.items() if signal_group(group, number)]
    deadline = time.monotonic() + grace_seconds
    while left and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        left = [group for group in left if signal_group(group, 0)]
    for group in left:
        signal_group(group, signal.SIGKILL)


# --- the guard's side -----------------------------------------------------------------------------------------------


def main(grace_seconds: float, *, known: Iterable[str]) -> None:
    """Listen until the maker is gone, then clean up. Only SIGKILL keeps a guard from its duty."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    groups: dict[int, int] = {}
    folders: list[str] = []
    for line in itertools.chain(known, sys.stdin):
        command, _, rest = line.rstrip("\n").partition(" ")
        _obey(command, rest, groups=groups, folders=folders)
    stop_groups(groups, grace_seconds=grace_seconds)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _obey(command: str, rest: str, *, groups: dict[int, int], folders: list[str]) -> None:
    if command == "watch":
        group, number = rest.split()
        groups[int(group)] = int(number)
    elif command == "forget":
        groups.pop(int(rest), None)
    elif command == "remove":
        folders.append(rest)


if __name__ == "__main__":
    main(float(sys.argv[1]), known=sys.argv[2:])
