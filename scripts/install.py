"""Create `.venv` and install the pinned requirements into it, once.

    python3 scripts/install.py [--dev]

It uses the standard library only. Python 3.6 must be able to run this file: an old Python hands over to a newer one, or says in
one line what is missing. The file must be fast if there is nothing to do, so it compares a stamp with the hash of the lock files.
The installation itself is in `installation.py`, which only a new enough Python imports.
"""

# An old Python must be able to run this file, and importing pathlib would be slow:
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


def main(arguments):
    """Install the requirements; return the exit code. A failure exits with one line for the user."""
    kind = "dev" if "--dev" in arguments else "run"
    try:
        if not is_installed(kind):
            hand_over_to_new_enough_python(arguments)
            install_once(kind)
    except KeyboardInterrupt:
        sys.stderr.write("install: interrupted; the next start continues\n")
        return 130
    return 0


def install_once(kind):
    """Install the lock files of `kind` completely. A second process that starts meanwhile waits."""
    sys.path.insert(0, HERE)
    import installation

    with installation.lock(ROOT):
        if not is_installed(kind):
            installation.install([os.path.join(ROOT, name) for name in LOCKS[kind]], venv=VENV, python=PYTHON)
            write_stamps(kind)


# --- is it installed already? --------------------------------------------------------------------------------------


def is_installed(kind):
    """Whether exactly these lock files were installed completely into this folder. A moved venv does not work."""
    try:
        with open(stamp_path(kind)) as file:
            return file.read() == expected_stamp(kind) and os.path.exists(PYTHON)
    except OSError:
        return False


def stamp_path(kind):
    return os.path.join(VENV, ".installed-" + kind)


def expected_stamp(kind):
    """Return the hash of the lock files and of the path of the venv."""
    digest = hashlib.sha256(VENV.encode())
    for name in LOCKS[kind]:
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def write_stamps(kind):
    """Write the stamps. This is the last step, so that an interrupted installation is repeated. `dev` includes `run`."""
    for included, locks in LOCKS.items():
        if set(locks) <= set(LOCKS[kind]):
            with open(stamp_path(included), "w") as file:
                file.write(expected_stamp(included))


# --- finding a suitable Python ------------------------------------------------------------------------------------------


def hand_over_to_new_enough_python(arguments):
    """Return if this Python is suitable; else replace this process by the first suitable one on PATH.

    Exits with one line if there is none.
    """
    problem = problem_of_this_python()
    if not problem:
        return
    answers = [(name, problem_of_python(name)) for name in NEWER_PYTHONS]
    for name, answer in answers:
        if answer == "":
            sys.stdout.flush()
            os.execvp(name, [name, os.path.abspath(__file__), *arguments])
    new_but_unfit = [answer for _, answer in answers if answer]
    sys.exit("install: " + (new_but_unfit[0] if new_but_unfit else problem))


def problem_of_this_python():
    """Return in one line why this Python cannot create the venv, or an empty text."""
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
    """Return the problem of another Python; None if it does not exist or is only the shim of a version manager."""
    import subprocess

    check = f"import sys; sys.path.insert(0, {HERE!r}); import install; print(install.problem_of_this_python())"
    try:
        answer = subprocess.check_output([name, "-B", "-c", check], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.decode().strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
