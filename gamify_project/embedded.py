"""What the embedded product keeps under `var/` so that it needs no configuration."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path


def embedded_secret(var_dir: Path) -> str:
    """This machine's own secret key: made at the first start, readable by its owner only, kept for later ones."""
    path = var_dir / "secret_key"
    if not path.exists():
        _publish(path, text=secrets.token_urlsafe(64))
    return path.read_text()


def _publish(path: Path, *, text: str) -> None:
    """Write aside, then link: of two processes that start at once both read the same, whole file."""
    descriptor, aside = tempfile.mkstemp(dir=path.parent)  # created with mode 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    with contextlib.suppress(FileExistsError):
        os.link(aside, path)
    Path(aside).unlink()
