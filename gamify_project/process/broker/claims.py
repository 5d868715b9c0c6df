"""Claims of messages: each consumer has a folder of its own, and a lock that ends with its process."""

import contextlib
import fcntl
import os
import uuid
from pathlib import Path


class Claims:
    """The claimed messages of one consumer: a folder, with a lock that its process holds while it lives."""

    def __init__(self, root: Path) -> None:
        name = uuid.uuid4().hex
        self.folder = root / name
        self._lock_path = root / f"{name}.lock"
        self.folder.mkdir(parents=True)
        self._lock = self._create_lock()

    def _create_lock(self) -> int:
        """Create and lock the file under a temporary name, then rename it. An unlocked file would look like a dead owner's."""
        aside = self._lock_path.with_suffix(".new")
        descriptor = os.open(aside, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        aside.replace(self._lock_path)
        return descriptor

    def take(self, waiting: Path) -> Path | None:
        """Claim a waiting message; return None if another worker was first."""
        claimed = self.folder / waiting.parent.name / waiting.name
        claimed.parent.mkdir(exist_ok=True)
        try:
            waiting.replace(claimed)
        except FileNotFoundError:
            return None
        return claimed

    def close(self, *, queues: Path) -> None:
        """Return all claims to `queues`, then release the lock. The order matters: a folder with claims must be locked."""
        _return_claims(self.folder, queues=queues)
        self._lock_path.unlink(missing_ok=True)
        os.close(self._lock)


def return_claims_of_dead_workers(root: Path, *, queues: Path) -> None:
    """Return the claims of killed workers to their queues. The lock of a living worker cannot be acquired."""
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
