"""Run the trials at full size: `make trials`, or some of them: `make trials ARGS="-k spend"`.

    .venv/bin/python scripts/trials.py [pytest arguments]

They run one after the other, because each uses all cores.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TRIALS = ("-m", "pytest", "tests/trials", "-n", "0", "-v", "-p", "no:randomly")


def main(arguments: list[str]) -> int:
    """Run the trials. Return the exit code."""
    environment = os.environ | {"TRIALS": "full"}
    return subprocess.run([sys.executable, *TRIALS, *arguments], cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
