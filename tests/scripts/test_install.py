import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NO_INDEX = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_FIND_LINKS": ""}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh clone, as far as installing is concerned."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for lock in ROOT.glob("requirements*.txt"):
        shutil.copy(lock, tmp_path)
    return tmp_path


def install(clone: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-I", "-S", "scripts/install.py"]
    return subprocess.run(
        command, cwd=clone, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=100
    )


def pretend(clone: Path, line: str) -> None:
    """Change what install.py finds, at its very start."""
    script = clone / "scripts" / "install.py"
    script.write_text(script.read_text().replace("import sys\n", f"import sys\n{line}\n", 1))


def test_an_old_python_can_read_what_tells_it_that_it_is_old() -> None:
    source = (ROOT / "scripts" / "install.py").read_text()

    assert ast.parse(source, feature_version=(3, 6))


def test_an_old_python_and_no_newer_one_is_one_clear_line(clone: Path) -> None:
    pretend(clone, "sys.version_info = (3, 8, 1)")

    done = install(clone, PATH="")

    assert done.returncode == 1
    assert done.stderr == f"install: Python 3.11 or newer is needed; found only Python 3.8.1 ({sys.executable}).\n"


def test_a_python_without_venv_is_one_clear_line(clone: Path) -> None:
    pretend(clone, "sys.modules['ensurepip'] = None")

    done = install(clone, PATH="")

    assert done.returncode == 1
    assert "lacks the venv module; on Debian and Ubuntu: apt install python3." in done.stderr
    assert done.stderr.count("\n") == 1


def test_no_index_to_install_from_is_one_clear_line_and_no_stamp(clone: Path) -> None:
    done = install(clone, **NO_INDEX)

    assert done.returncode == 1
    assert done.stderr.startswith("install: could not install the requirements (network? package index?): ")
    assert done.stderr.count("\n") == 1
    assert not list(clone.glob(".venv/.installed-*"))
