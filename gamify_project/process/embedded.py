"""The secret key of the embedded product, stored under `var/`, so that no configuration is needed."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path


def embedded_secret(var_dir: Path) -> str:
    """Return the secret key of this machine. It is created at the first start, and only its owner can read the file."""
    path = var_dir / "secret_key"
    if not path.exists():
        _publish(path, text=secrets.token_urlsafe(64))
    return path.read_text()


def _publish(path: Path, *, text: str) -> None:
    """Write a temporary file, then link it to `path`. Two processes that start together both get the same complete file."""
    descriptor, aside = tempfile.mkstemp(dir=path.parent)  # created with mode 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    with contextlib.suppress(FileExistsError):
        os.link(aside, path)
    Path(aside).unlink()
