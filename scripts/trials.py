"""Run the trials at full size: `make trials`, or some of them: `make trials ARGS="-k spend"`.

    .venv/bin/python scripts/trials.py [pytest arguments]
    .venv/bin/python scripts/trials.py mutants [names of mutants]

They run one after the other, because each uses all cores.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TRIALS = ("-m", "pytest", "tests/trials", "-n", "0", "-v", "-p", "no:randomly")
MUTANTS = ("-m", "tests.trials.mutants")


def main(arguments: list[str]) -> int:
    """Run the trials, or the mutants if the first argument is `mutants`. Return the exit code."""
    if arguments[:1] == ["mutants"]:
        return _run(*MUTANTS, *arguments[1:])
    return _run(*TRIALS, *arguments)


def _run(*arguments: str) -> int:
    environment = os.environ | {"TRIALS": "full"}
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
