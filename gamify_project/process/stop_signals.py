"""What stops the supervisor: a signal, or the end of its parent process."""

import contextlib
import os
import select
import signal
from collections.abc import Callable, Iterator

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """The stop signals that have arrived, in order. They are recorded inside `handling` only."""

    def __init__(self) -> None:
        self.received: list[int] = []
        self._reader = -1

    @contextlib.contextmanager
    def handling(self) -> Iterator[None]:
        """Handle stop signals and SIGCHLD. A pipe gets a byte with every signal, so that no polling is needed and none is missed."""
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(writer, False)
        earlier_wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        earlier = {number: signal.signal(number, self._note_stop) for number in _stop_signals()}
        earlier[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            yield
        finally:
            signal.set_wakeup_fd(earlier_wakeup)
            for number, handler in earlier.items():
                signal.signal(number, handler)
            os.close(self._reader)
            os.close(writer)

    def _note_stop(self, number: int, _frame: object) -> None:
        self.received.append(number)

    def wait(self, *, seconds: float) -> None:
        """Sleep for `seconds`, or until a signal arrives. Call it inside `handling`."""
        select.select([self._reader], [], [], max(0.0, seconds))
        with contextlib.suppress(BlockingIOError):
            os.read(self._reader, 4096)

    def has_second_interrupt(self) -> bool:
        """Whether Ctrl-C was pressed twice. A second SIGTERM is usual (one for make, one for its group) and is ignored."""
        return self.received.count(signal.SIGINT) > 1


def _stop_signals() -> list[signal.Signals]:
    """Return the signals that stop the supervisor, without a SIGHUP that `nohup` has disabled."""
    is_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [number for number in STOP_SIGNALS if not (is_nohup and number is signal.SIGHUP)]


def parent_watch() -> Callable[[], bool]:
    """Return a function that tells whether the parent process has ended. An orphan gets another parent id."""
    parent = os.getppid()
    return lambda: os.getppid() != parent
