import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.processes import processes_marked, until

GRACE_SECONDS = 1.0

# The supervisor under test, in a separate process. Programs are given as name=source pairs.
SUPERVISE = """
import os, signal, sys
from gamify_project.process import programs, stop_signals, supervisor
programs.SHORT_LIFE_SECONDS = 5
was_parent_gone = stop_signals.parent_watch() if sys.argv[1] == "--stop-with-parent" else lambda: False
def is_parent_gone():  # first called when signals are handled
    open(os.environ["LISTENING"], "w").close()
    return was_parent_gone()
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup make test` ignores it
with supervisor.Supervisor(grace=float(os.environ.get("GRACE", "1"))) as running:
    for name, source in (argument.split("=", 1) for argument in sys.argv[2:]):
        kind = {"is_essential": name == "web", "runs_once": name == "once"}
        running.add(programs.Program(name, [sys.executable, "-c", source], **kind))
    sys.exit(running.run(is_parent_gone=is_parent_gone))
"""
SLEEPER = "import time; print('sleeping'); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('stubborn'); time.sleep(60)"
SPAWNER = (
    "import subprocess, sys, time; "
    "subprocess.Popen([sys.executable, '-c', {grandchild!r}]); print('spawned'); time.sleep(60)"
)


class Supervised:
    """A running supervisor, its output so far, and all its descendants."""

    def __init__(
        self, folder: Path, programs: dict[str, str], *, mode: str = "-", grace: float = GRACE_SECONDS
    ) -> None:
        self.output = folder / "output"
        self._listening = folder / "listening"
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SUPERVISE, mode, *(f"{name}={source}" for name, source in programs.items())],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=os.environ | {"GAMIFY_TEST": str(folder), "LISTENING": str(self._listening), "GRACE": str(grace)},
            )

    def text(self) -> str:
        return self.output.read_text()

    def wait_for(self, *texts: str) -> None:
        until(self._listening.exists, what="the supervisor listens to signals")
        until(lambda: all(text in self.text() for text in texts), what=f"{texts} in {self.text()!r}")

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)

    def survivors(self) -> list[int]:
        return processes_marked(str(self.output.parent))


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., Supervised]]:
    started: list[Supervised] = []

    def start(programs: dict[str, str], **options: Any) -> Supervised:
        started.append(Supervised(tmp_path, programs, **options))
        return started[-1]

    yield start
    for supervised in started:
        for pid in supervised.survivors():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        supervised.process.wait(10)


def test_output_is_printed_by_line_with_names(supervise: Callable[..., Supervised]) -> None:
    talker = "import sys, time; print('to stdout'); print('to stderr', file=sys.stderr); time.sleep(60)"

    supervised = supervise({"web": talker, "worker": SLEEPER})

    supervised.wait_for("web    | to stdout\n", "web    | to stderr\n", "worker | sleeping\n")
    assert "\033" not in supervised.text()


def test_a_program_that_ends_is_restarted_after_growing_pauses(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise({"beat": "print('tick'); raise SystemExit(7)"})

    supervised.wait_for("beat ended (exit code 7)", "restarts in 0.5 s", "restarts in 1.0 s", "restarts in 2.0 s")
    assert supervised.text().count("beat   | tick\n") == 3


@pytest.mark.parametrize("code", [0, 7])
def test_a_program_that_runs_once_is_not_restarted(supervise: Callable[..., Supervised], code: int) -> None:
    supervised = supervise({"once": f"print('worked'); raise SystemExit({code})", "beat": "print('tick')"})

    supervised.wait_for(f"once ended (exit code {code})", "beat restarts in 1.0 s")
    assert supervised.text().count("worked") == 1
    assert "once restarts" not in supervised.text()
    assert supervised.stop() == 0


def test_a_killed_program_does_not_count_as_a_failed_start(supervise: Callable[..., Supervised]) -> None:
    suicidal = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"

    supervised = supervise({"web": suicidal})

    supervised.wait_for("web ended (killed by SIGKILL)", "restarts in 4.0 s")
    assert supervised.process.poll() is None


def test_children_of_an_ended_program_are_killed_before_its_restart(
    supervise: Callable[..., Supervised],
) -> None:
    leaver = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]); print('left')"

    supervised = supervise({"beat": leaver})

    supervised.wait_for("beat ended (exit code 0)")
    until(lambda: len(supervised.survivors()) == 2, what="only supervisor and guard")


def test_an_essential_program_that_cannot_start_ends_everything(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise({"web": "raise SystemExit('no such module')", "worker": SLEEPER})

    assert supervised.process.wait(20) == 1
    assert "web    | no such module" in supervised.text()
    assert "web does not start; see its lines above for the reason" in supervised.text()
    assert supervised.survivors() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_everything(supervise: Callable[..., Supervised], number: int) -> None:
    supervised = supervise({"web": SLEEPER, "worker": SPAWNER.format(grandchild=SLEEPER)})
    supervised.wait_for("web    | sleeping", "worker | spawned", "worker | sleeping")

    assert supervised.stop(number) == 0
    assert supervised.survivors() == []
    assert supervised.text().endswith("gamify | stopped\n")


def test_programs_that_do_not_stop_are_killed_after_the_grace_period(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise({"web": STUBBORN, "worker": SPAWNER.format(grandchild=STUBBORN)})
    supervised.wait_for("web    | stubborn", "worker | stubborn")
    started = time.monotonic()

    supervised.stop()

    assert time.monotonic() - started >= GRACE_SECONDS
    assert supervised.survivors() == []


def test_a_second_ctrl_c_kills_at_once(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise({"web": STUBBORN}, grace=3600)
    supervised.wait_for("web    | stubborn")
    supervised.process.send_signal(signal.SIGINT)
    supervised.wait_for("stopping (SIGINT)")

    supervised.stop(signal.SIGINT)  # waits 60 s at most

    assert supervised.survivors() == []


def test_a_second_sigterm_changes_nothing(supervise: Callable[..., Supervised]) -> None:
    slow = (
        "import signal, sys, time; "
        "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.5), print('done in peace'), sys.exit())); "
        "print('ready'); time.sleep(60)"
    )
    supervised = supervise({"web": slow})
    supervised.wait_for("ready")
    supervised.process.send_signal(signal.SIGTERM)

    supervised.stop()

    assert "done in peace" in supervised.text()


def test_killing_the_supervisor_leaves_nothing(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise({"web": STUBBORN, "worker": SPAWNER.format(grandchild=STUBBORN), "beat": SLEEPER})
    supervised.wait_for("web    | stubborn", "worker | stubborn", "beat   | sleeping")

    supervised.stop(signal.SIGKILL)

    until(lambda: supervised.survivors() == [], what="no process is left", seconds=GRACE_SECONDS + 5)


def test_a_guard_that_was_killed_is_replaced(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise({"web": SLEEPER})
    supervised.wait_for("sleeping")
    guard = next(pid for pid in supervised.survivors() if "guard.py" in " ".join(psutil.Process(pid).cmdline()))
    os.kill(guard, signal.SIGKILL)
    until(lambda: len(set(supervised.survivors()) - {guard}) == 3, what="supervisor, web and a new guard")

    supervised.stop(signal.SIGKILL)

    until(lambda: supervised.survivors() == [], what="no process is left", seconds=GRACE_SECONDS + 5)


def test_a_reader_that_stopped_reading_does_not_keep_it_from_stopping(tmp_path: Path) -> None:
    listening = tmp_path / "listening"
    chatty = "web=while True: print('x' * 1000)"
    command = [sys.executable, "-c", SUPERVISE, "-", chatty]
    environment = os.environ | {"LISTENING": str(listening)}
    supervisor = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environment)
    with supervisor:
        until(listening.exists, what="the supervisor listens to signals")
        time.sleep(1)
        supervisor.terminate()

        assert supervisor.wait(GRACE_SECONDS + 5) == 0


def test_with_its_parent_gone_it_stops_when_asked_to(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    program = f"web=import os, time; open({str(ready)!r}, 'w').write(str(os.getppid())); time.sleep(60)"
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys; subprocess.run(sys.argv[1:])",
            *(sys.executable, "-c", SUPERVISE, "--stop-with-parent", program),
        ],
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"LISTENING": str(tmp_path / "listening")},
    )
    with parent:
        until(lambda: ready.exists() and ready.read_text() != "", what="the program runs")
        supervisor = int(ready.read_text())
        parent.kill()

    until(lambda: not psutil.pid_exists(supervisor), what="the supervisor ends")
