"""kombu's side of the broker: writes messages into the folders of queues, and reads them as a worker."""

import contextlib
import logging
import re
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import virtual
from kombu.utils.json import dumps, loads

from gamify_project.process.broker.claims import Claims, return_claims_of_dead_workers

logger = logging.getLogger(__name__)

QUEUE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
CHECK_DEAD_OWNERS_SECONDS = 30
ABANDONED_SECONDS = 3600
IDLE_SECONDS = 0.1
BUSY_SECONDS = 0.005
MAX_WAIT_SECONDS = 0.5


class QoS(virtual.QoS):
    """kombu's QoS; acknowledging deletes the claimed file."""

    def ack(self, delivery_tag: str) -> None:
        self.channel.forget(delivery_tag)
        super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - kombu's signature
        super().reject(delivery_tag, requeue=requeue)
        self.channel.forget(delivery_tag)


class Channel(virtual.Channel):
    """Writes and reads messages in the folders. Consumers must acknowledge, as Celery's consumers do."""

    QoS = QoS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._root = Path(self.connection.client.transport_options["folder"])
        self._queues = self._root / "queues"
        self._backlog: dict[str, deque[Path]] = {}
        self._claimed: dict[str, Path] = {}
        self._claims: Claims | None = None
        self._checked_dead_owners_at = 0.0

    # --- producing --------------------------------------------------------------------------------------------------

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:
        """Write the message under a hidden name, then rename it, so that it is never read half-written."""
        name = f"{time.time_ns():020d}-{message['properties']['delivery_tag']}.msg"
        aside = self._folder(queue) / f".{name}"
        aside.write_text(dumps(message))
        aside.replace(aside.with_name(name))

    def _folder(self, queue: str) -> Path:
        if not QUEUE_NAME.fullmatch(queue):
            raise ChannelError(f"Queue name {queue!r} cannot be a folder name: use letters, digits, '.', '_' and '-'.")
        folder = self._queues / queue
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    # --- consuming --------------------------------------------------------------------------------------------------

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        """Claim and return the oldest readable message. The folder is listed again only when the last listing is used up."""
        self._check_dead_owners()
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
        """Return the message. Move an unreadable file (full disk, power cut, foreign file) out of the way and return None."""
        try:
            message: dict[str, Any] = loads(claimed.read_text())
            if message["properties"]["delivery_tag"] and message["properties"]["delivery_info"]:
                return message
        except (ValueError, KeyError, TypeError, IsADirectoryError, PermissionError):
            pass
        unreadable = self._root / "unreadable" / f"{claimed.parent.name}-{claimed.name}"
        unreadable.parent.mkdir(exist_ok=True)
        claimed.replace(unreadable)
        logger.error("Moved an unreadable message to %s", unreadable)
        return None

    def _own_claims(self) -> Claims:
        """Return the claims of this channel, created on first use: producers need no folder."""
        self._claims = self._claims or Claims(self._root / "claimed")
        return self._claims

    def _check_dead_owners(self) -> None:
        now = time.monotonic()
        if self._checked_dead_owners_at and now < self._checked_dead_owners_at + CHECK_DEAD_OWNERS_SECONDS:
            return
        self._checked_dead_owners_at = now
        return_claims_of_dead_workers(self._root / "claimed", queues=self._queues)
        self._delete_half_written()

    def _delete_half_written(self) -> None:
        """Delete files of producers that died before renaming them: such a message was never sent."""
        for aside in self._queues.glob("*/.*.msg"):
            with contextlib.suppress(FileNotFoundError):
                if aside.stat().st_mtime < time.time() - ABANDONED_SECONDS:
                    aside.unlink()

    # --- acknowledging and returning ------------------------------------------------------------------------------

    def forget(self, delivery_tag: str) -> None:
        """Delete an acknowledged message. Does nothing for a message that was returned to its queue."""
        claimed = self._claimed.pop(delivery_tag, None)
        if claimed:
            claimed.unlink(missing_ok=True)

    def _restore(self, message: Any) -> None:
        """Return a message to its old place, at the front of its queue."""
        claimed = self._claimed.pop(message.delivery_tag, None)
        if claimed:
            claimed.replace(self._queues / claimed.parent.name / claimed.name)
            self._backlog.clear()

    def is_busy(self) -> bool:
        """Whether messages are waiting or being processed by this worker, so that polling again soon is useful."""
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
    """kombu's entry point. The transport option `folder` is the root. A full disk counts as a lost connection, so it is retried."""

    Channel = Channel
    driver_type = "files"
    driver_name = "gamify_project.process.broker.transport"
    default_port = 0  # type: ignore[assignment]
    connection_errors = (*virtual.Transport.connection_errors, OSError)  # type: ignore[assignment]

    @property
    def polling_interval(self) -> float:  # type: ignore[override]
        """Seconds between two polls: long when idle. A fixed pause would limit the speed to prefetch ÷ pause."""
        return BUSY_SECONDS if any(channel.is_busy() for channel in self.channels) else IDLE_SECONDS

    def drain_events(self, connection: Any, timeout: float | None = None, **_: Any) -> None:
        """Wait at most half a second at a time, so that a worker soon notices that it must stop."""
        super().drain_events(connection, timeout=min(timeout or MAX_WAIT_SECONDS, MAX_WAIT_SECONDS))

    def driver_version(self) -> str:
        return "1"
