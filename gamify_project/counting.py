"""The folder in which the processes of one program count together (`participants.measuring`).

prometheus_client reads the variable when it is imported. So `share_counts` is called before anything that counts is imported.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is created there


def share_counts() -> None:
    """Let this process and its children count in one folder, which is deleted at the end. Does nothing if they have one."""
    if os.environ.get(VARIABLE):
        return
    parent = str(MEMORY) if os.access(MEMORY, os.W_OK) else None
    folder, owner = tempfile.mkdtemp(prefix="gamify-counts-", dir=parent), os.getpid()
    os.environ[VARIABLE] = folder
    atexit.register(lambda: _delete(folder, owner))


def _delete(folder: str, owner: int) -> None:
    """Children inherit this call, and must not delete the folder of their parent."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
