"""A PostgreSQL whose disk is small: a tmpfs in a mount namespace of its own, which needs no root where user namespaces are allowed."""

import shutil
import subprocess
from collections.abc import Sequence

import pytest

from tests.booting import OwnPostgres, unprivileged

IN_NAMESPACE = (
    'mkdir "$1/small" && mount -t tmpfs -o size="$2",mode=755 none "$1/small" && cp -a "$1/data" "$1/small/data" && '
    'chmod 700 "$1/small/data" && shift 2 && exec unshare --user --map-user="$0" --map-group="$0" "$@"'
)
ID = 65534  # `nobody`, inside of the namespace; PostgreSQL does not run as root


def on_small_disk(prepared: OwnPostgres, *, mebibytes: int) -> Sequence[str]:
    """The command that runs `prepared` on a copy of its data on a disk of this size."""
    if not _can_mount():
        pytest.skip("this machine allows no user namespaces, so there is no small disk without root")
    command = [part.replace(f"{prepared.folder}/data", f"{prepared.folder}/small/data") for part in prepared.command]
    inside = ["/bin/sh", "-c", IN_NAMESPACE, str(ID), str(prepared.folder), f"{mebibytes}m", *command]
    return ["unshare", "--user", "--map-root-user", "--mount", *inside]


def _can_mount() -> bool:
    if not shutil.which("unshare"):
        return False
    tried = "mount -t tmpfs none /mnt && exec unshare --user --map-user=65534 --map-group=65534 true"
    command = ["unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c", tried]
    return subprocess.run(command, cwd="/", check=False, capture_output=True, **unprivileged()).returncode == 0
