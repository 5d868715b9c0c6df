import ast
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

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


# --- a closed network -------------------------------------------------------------------------------------------------


@pytest.fixture
def wheelhouse(clone: Path) -> Path:
    """A folder with one package, which is all that this clone requires. uv is not there, so pip installs."""
    wheel = clone / "wheelhouse" / "tiny-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with ZipFile(wheel, "w") as files:
        files.writestr("tiny.py", "")
        files.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        files.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        files.writestr("tiny-1.0.dist-info/RECORD", "")
    lock_tiny(clone, hashlib.sha256(wheel.read_bytes()).hexdigest())
    return wheel.parent


def lock_tiny(clone: Path, digest: str) -> None:
    (clone / "requirements.txt").write_text(f"tiny==1.0 --hash=sha256:{digest}\n")


def install_offline(clone: Path, wheelhouse: Path) -> "subprocess.CompletedProcess[str]":
    return install(clone, PIP_CONFIG_FILE=os.devnull, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheelhouse))


def test_a_folder_of_wheels_is_enough(clone: Path, wheelhouse: Path) -> None:
    done = install_offline(clone, wheelhouse)

    assert done.returncode == 0, done.stderr
    assert list(clone.glob(".venv/lib/python3*/site-packages/tiny.py"))


def test_a_package_with_another_content_than_the_locked_one_is_not_installed(clone: Path, wheelhouse: Path) -> None:
    lock_tiny(clone, "0" * 64)

    done = install_offline(clone, wheelhouse)

    assert done.returncode == 1
    assert "HASHES" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(clone.glob(".venv/.installed-*"))
    assert not list(clone.glob(".venv/lib/python3*/site-packages/tiny.py"))


@pytest.mark.parametrize("lock", sorted(path.name for path in ROOT.glob("requirements*.txt")))
def test_every_pin_has_the_hashes_of_more_than_one_file(lock: str) -> None:
    """A wheel and a source archive at least. One hash alone comes from an index with the files of one platform only."""
    pins = re.findall(r"^\S+==.*(?:\n    --hash.*)*", (ROOT / lock).read_text(), re.MULTILINE)

    assert pins
    assert [pin for pin in pins if pin.count("--hash=sha256:") < 2] == []
