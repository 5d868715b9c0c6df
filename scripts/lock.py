"""Compile requirements*.in into the pinned requirements*.txt, with hashes, for every supported Python and platform at once.

    .venv/bin/python scripts/lock.py [--upgrade]

Pins that still satisfy the .in files stay, unless --upgrade is given.
"""

import os
import subprocess
import sys

from install import LOCKS, ROOT
from installation import INSTALLER, pip_settings, uv_environment

COMPILE = ["-m", "uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--python-version", "3.11"]
# A folder or a second index often has the files of one platform only. The lock would then refuse all others.
PARTIAL_SOURCES = ("UV_INDEX", "UV_FIND_LINKS")


def main(arguments: list[str]) -> int:
    """Compile the lock files in order, because the later ones are constrained by the earlier ones."""
    environment = os.environ | uv_environment(pip_settings(sys.executable)) | {"UV_CUSTOM_COMPILE_COMMAND": "make lock"}
    environment = {name: value for name, value in environment.items() if name not in PARTIAL_SOURCES}
    for lock in [*LOCKS["dev"], INSTALLER]:
        source = lock.replace(".txt", ".in")
        command = [sys.executable, *COMPILE, source, "--output-file", lock, *arguments]
        if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode != 0:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
