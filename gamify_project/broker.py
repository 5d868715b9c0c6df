"""A Celery broker that needs no server: one file per message, in folders under `var/`.

kombu's own filesystem transport loses messages and is stopped by one half-written file, because it writes under the
final name and deletes before the work is done. Here a message is written aside and renamed into its queue, claimed by
renaming it out of the queue, and deleted when it is acknowledged: a rename either happened or did not, and of two
workers only one succeeds.

    <root>/queues/<queue>/<time>-<tag>.msg          waiting; names sort by age, so a queue is first in, first out
    <root>/claimed/<owner>/<queue>/<time>-<tag>.msg  handed to a worker that has not acknowledged it yet
    <root>/unreadable/<queue>-<name>                set aside: not a message, and not worth stopping for

A worker that stops returns its claims itself. One that was killed cannot; its lock on `<owner>.lock` ends with it, and
the next worker to look (at its start, and then once in a while) puts the claims back where they were. So a message is
delivered at least once, and twice only if its worker died: messages are wake-ups, the truth is in the database.
Bindings are kept in memory: every producer and worker declares the queues it uses, and there is no fanout.
"""

import contextlib
import fcntl
import logging
import os
import re
import time
import uuid
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import virtual
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)

QUEUE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
LOOK_FOR_DEAD_OWNERS_SECONDS = 30
ABANDONED_SECONDS = 3600
IDLE_SECONDS = 0.1
BUSY_SECONDS = 0.005
LONGEST_WAIT_SECONDS = 0.5


class Claims:
    """The folder of one consumer's claims, locked as long as its process lives."""

    def __init__(self, root: Path) -> None:
        name = uuid.uuid4().hex
        self.folder = root / name
        self._lock_path = root / f"{name}.lock"
        self.folder.mkdir(parents=True)
        self._lock = self._locked()

    def _locked(self) -> int:
        """The lock appears under its name when it is held already; else it could be taken for a dead owner's."""
        aside = self._lock_path.with_suffix(".new")
        descriptor = os.open(aside, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        aside.replace(self._lock_path)
        return descriptor

    def take(self, waiting: Path) -> Path | None:
        """Move a waiting message here; None if somebody else was first."""
        claimed = self.folder / waiting.parent.name / waiting.name
        claimed.parent.mkdir(exist_ok=True)
        try:
            waiting.replace(claimed)
        except FileNotFoundError:
            return None
        return claimed

    def close(self, *, queues: Path) -> None:
        """Return what is left, then let go: only an empty folder may be without its lock."""
        _return_claims(self.folder, queues=queues)
        self._lock_path.unlink(missing_ok=True)
        os.close(self._lock)


def return_claims_of_the_dead(root: Path, *, queues: Path) -> None:
    """Put the claims of killed workers back into their queues; a living worker's lock cannot be had."""
    for lock_path in root.glob("*.lock"):
        with contextlib.suppress(OSError), lock_path.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _return_claims(lock_path.with_suffix(""), queues=queues)
            lock_path.unlink()


def _return_claims(folder: Path, *, queues: Path) -> None:
    for claimed in sorted(folder.glob("*/*.msg")):
        claimed.replace(queues / claimed.parent.name / claimed.name)
    for emptied in folder.glob("*"):
        emptied.rmdir()
    with contextlib.suppress(FileNotFoundError):
        folder.rmdir()


class QoS(virtual.QoS):
    """Acknowledging deletes the claimed file; everything else is kombu's."""

    def ack(self, delivery_tag: str) -> None:
        self.channel.forget(delivery_tag)
        super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - kombu's signature
        super().reject(delivery_tag, requeue=requeue)
        self.channel.forget(delivery_tag)


class Channel(virtual.Channel):
    """Puts into and takes out of the folders. Consumers must acknowledge, as Celery's do."""

    QoS = QoS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._root = Path(self.connection.client.transport_options["folder"])
        self._queues = self._root / "queues"
        self._backlog: dict[str, deque[Path]] = {}
        self._claimed: dict[str, Path] = {}
        self._claims: Claims | None = None
        self._looked_for_the_dead_at = 0.0

    # --- producing --------------------------------------------------------------------------------------------------

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:
        """Write aside, then rename: nobody ever sees half a message. Hidden names are not messages yet."""
        name = f"{time.time_ns():020d}-{message['properties']['delivery_tag']}.msg"
        aside = self._folder(queue) / f".{name}"
        aside.write_text(dumps(message))
        aside.replace(aside.with_name(name))

    def _folder(self, queue: str) -> Path:
        if not QUEUE_NAME.fullmatch(queue):
            raise ChannelError(f"A queue named {queue!r} cannot be a folder: use letters, digits, '.', '_' and '-'.")
        folder = self._queues / queue
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    # --- consuming --------------------------------------------------------------------------------------------------

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        """Claim the oldest message that can be read; a listing is worked off before the folder is read again."""
        self._look_for_the_dead()
        for waiting in self._oldest_first(queue):
            claimed = self._own_claims().take(waiting)
            message = self._read(claimed) if claimed else None
            if claimed and message:
                self._claimed[message["properties"]["delivery_tag"]] = claimed
                return message
        raise Empty

    def _oldest_first(self, queue: str) -> Iterator[Path]:
        backlog = self._backlog.setdefault(queue, deque())
        if not backlog:
            backlog.extend(sorted(self._folder(queue).glob("[!.]*.msg")))
        while backlog:
            yield backlog.popleft()

    def _read(self, claimed: Path) -> dict[str, Any] | None:
        """The message, or None after setting aside what is none (a disk that was full, a power cut, a stray file)."""
        try:
            message: dict[str, Any] = loads(claimed.read_text())
            if message["properties"]["delivery_tag"] and message["properties"]["delivery_info"]:
                return message
        except (ValueError, KeyError, TypeError, IsADirectoryError, PermissionError):
            pass
        unreadable = self._root / "unreadable" / f"{claimed.parent.name}-{claimed.name}"
        unreadable.parent.mkdir(exist_ok=True)
        claimed.replace(unreadable)
        logger.error("Set an unreadable message aside: %s", unreadable)
        return None

    def _own_claims(self) -> Claims:
        """Made on first use: those who only produce need no folder."""
        self._claims = self._claims or Claims(self._root / "claimed")
        return self._claims

    def _look_for_the_dead(self) -> None:
        now = time.monotonic()
        if self._looked_for_the_dead_at and now < self._looked_for_the_dead_at + LOOK_FOR_DEAD_OWNERS_SECONDS:
            return
        self._looked_for_the_dead_at = now
        return_claims_of_the_dead(self._root / "claimed", queues=self._queues)
        self._forget_half_written()

    def _forget_half_written(self) -> None:
        """A producer that died between writing and renaming never told anybody that its message was sent."""
        for aside in self._queues.glob("*/.*.msg"):
            with contextlib.suppress(FileNotFoundError):
                if aside.stat().st_mtime < time.time() - ABANDONED_SECONDS:
                    aside.unlink()

    # --- acknowledging and giving back ------------------------------------------------------------------------------

    def forget(self, delivery_tag: str) -> None:
        """The message is done with. (Given back, it is no longer claimed, and this does nothing.)"""
        claimed = self._claimed.pop(delivery_tag, None)
        if claimed:
            claimed.unlink(missing_ok=True)

    def _restore(self, message: Any) -> None:
        """Back to its old place, at the front of its queue."""
        claimed = self._claimed.pop(message.delivery_tag, None)
        if claimed:
            claimed.replace(self._queues / claimed.parent.name / claimed.name)
            self._backlog.clear()

    def is_busy(self) -> bool:
        """Whether a message is waiting or at work here, so that looking again soon pays."""
        return bool(self._claimed) or any(self._backlog.values())

    def close(self) -> None:
        super().close()
        if self._claims:
            self._claims.close(queues=self._queues)
            self._claims = None

    # --- management -------------------------------------------------------------------------------------------------

    def _size(self, queue: str) -> int:
        return sum(1 for _ in self._folder(queue).glob("[!.]*.msg"))

    def _has_queue(self, queue: str, **_: Any) -> bool:
        return (self._queues / queue).is_dir()

    def _new_queue(self, queue: str, **_: Any) -> None:
        self._folder(queue)

    def _purge(self, queue: str) -> int:
        purged = 0
        for waiting in self._folder(queue).glob("[!.]*.msg"):
            with contextlib.suppress(FileNotFoundError):
                waiting.unlink()
                purged += 1
        return purged


class Transport(virtual.Transport):
    """kombu's entry point; the transport option `folder` names the root. A full disk is a lost connection: tried again."""

    Channel = Channel
    driver_type = "files"
    driver_name = "gamify_project.broker"
    default_port = 0  # type: ignore[assignment]
    connection_errors = (*virtual.Transport.connection_errors, OSError)  # type: ignore[assignment]

    @property
    def polling_interval(self) -> float:  # type: ignore[override]
        """Seconds between looks at the folders: lazy when idle; with a fixed pause prefetch ÷ pause was the top speed."""
        return BUSY_SECONDS if any(channel.is_busy() for channel in self.channels) else IDLE_SECONDS

    def drain_events(self, connection: Any, timeout: float | None = None, **_: Any) -> None:
        """Wait no longer than half a second at a time, so that a worker soon notices that it is to stop."""
        super().drain_events(connection, timeout=min(timeout or LONGEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS))

    def driver_version(self) -> str:
        return "1"
