"""Make `.venv` and install the pinned requirements into it, once.

    python3 scripts/install.py [--dev]

Standard library only. This file must be readable to a Python as old as 3.6, which hands over to a newer one or says in
one line what is missing, and must be quick when there is nothing to do: a stamp of the lock's hash makes every later
call immediate. The installing itself is in `installation.py`, which only a new enough Python reads.
"""

# An old Python must read this file, and a quick one must not wait for pathlib or for imports that it does not need:
# ruff: noqa: PTH100, PTH110, PTH120, PLC0415

import hashlib
import os
import sys

MINIMUM = (3, 11)
NEWER_PYTHONS = ("python3.13", "python3.12", "python3.11")
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin", "python")
LOCKS = {"run": ["requirements.txt"], "dev": ["requirements.txt", "requirements-dev.txt"]}


class Failed(Exception):
    """What stops the installation, as the one line that the user reads."""


def main(arguments):
    """Install what is asked for; return the exit code."""
    kind = "dev" if "--dev" in arguments else "run"
    try:
        if not is_installed(kind):
            hand_over_to_new_enough_python(arguments)
            install(kind)
    except Failed as problem:
        sys.stderr.write(f"install: {problem}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("install: interrupted; the next start does the rest\n")
        return 130
    return 0


def install(kind):
    sys.path.insert(0, HERE)
    import installation

    installation.install_once(kind)


# --- what is installed already --------------------------------------------------------------------------------------


def is_installed(kind):
    """Whether this very lock was installed completely, and into this very folder: a moved venv does not run."""
    try:
        with open(stamp_path(kind)) as file:
            return file.read() == expected_stamp(kind) and os.path.exists(PYTHON)
    except OSError:
        return False


def stamp_path(kind):
    return os.path.join(VENV, ".installed-" + kind)


def expected_stamp(kind):
    """The hash of the lock files and of the place they are installed to."""
    digest = hashlib.sha256(VENV.encode())
    for name in LOCKS[kind]:
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


# --- a Python that will do ------------------------------------------------------------------------------------------


def hand_over_to_new_enough_python(arguments):
    """Return if this Python will do; else become the first one on PATH that does; else say what is missing."""
    problem = problem_of_this_python()
    if not problem:
        return
    answers = [(name, problem_of_python(name)) for name in NEWER_PYTHONS]
    for name, answer in answers:
        if answer == "":
            sys.stdout.flush()
            os.execvp(name, [name, os.path.abspath(__file__), *arguments])
    new_but_unfit = [answer for _, answer in answers if answer]
    raise Failed(new_but_unfit[0] if new_but_unfit else problem)


def problem_of_this_python():
    """Why this Python cannot make the venv, in one line, or nothing."""
    found = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < MINIMUM:
        return f"Python 3.11 or newer is needed; found only Python {found} ({sys.executable})."
    try:
        import ensurepip  # noqa: F401 - Debian and Ubuntu keep it, and with it a working venv, in another package
        import venv  # noqa: F401
    except ImportError:
        return "Python {} ({}) lacks the venv module; on Debian and Ubuntu: apt install python{}.{}-venv".format(
            found, sys.executable, *sys.version_info[:2]
        )
    return ""


def problem_of_python(name):
    """The same question put to another Python; None if there is none (or only a version manager's empty shim)."""
    import subprocess

    check = f"import sys; sys.path.insert(0, {HERE!r}); import install; print(install.problem_of_this_python())"
    try:
        answer = subprocess.check_output([name, "-B", "-c", check], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.decode().strip()


if __name__ == "__main__":
    sys.modules["install"] = sys.modules["__main__"]  # installation.py raises this very module's Failed
    sys.exit(main(sys.argv[1:]))
