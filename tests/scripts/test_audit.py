"""What `make audit` concludes from the output of pip-audit."""

import json
from typing import Any

import pytest

from scripts.audit import Audit, read

pytestmark = pytest.mark.engine

SOUND: dict[str, Any] = {"name": "amqp", "version": "5.4.2", "vulns": []}
UNKNOWN = {"name": "celery", "skip_reason": "Dependency not found on PyPI and could not be audited"}
WEAK = {"name": "h11", "version": "0.9.0", "vulns": [{"id": "PYSEC-2025-1", "fix_versions": ["0.16.0"]}]}
HOPELESS = {"name": "vine", "version": "5.1.0", "vulns": [{"id": "PYSEC-2025-2", "fix_versions": []}]}


def output(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_a_vulnerability_is_named_with_the_release_that_fixes_it() -> None:
    audit = read("pypi", output(SOUND, WEAK, WEAK, HOPELESS))

    lines = ("  h11 0.9.0: PYSEC-2025-1, fixed in 0.16.0", "  vine 5.1.0: PYSEC-2025-2, fixed in no release")
    assert audit == Audit("pypi", audited=3, unknown=0, found=lines)


def test_packages_that_the_source_does_not_know_do_not_count_as_compared() -> None:
    assert read("pypi", output(UNKNOWN, UNKNOWN)) == Audit("pypi", audited=0, unknown=1)
    assert read("pypi", output(UNKNOWN, SOUND)) == Audit("pypi", audited=1, unknown=1)


@pytest.mark.parametrize("text", ["", "Traceback (most recent call last):", "[]", "{}"])
def test_a_source_that_does_not_answer_gives_no_result(text: str) -> None:
    assert read("osv", text) is None
