"""Compare the pinned requirements with published advisories, where a source of advisories answers.

    .venv/bin/python scripts/audit.py

Exits with 1 if a requirement has a known vulnerability. If no source answers, it says so in one line and exits with 0, so that a
closed network can build; but it never says that nothing was found when nothing was compared.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from scripts.install import LOCKS, ROOT

SOURCES = ("pypi", "osv")
OPTIONS = ["--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "15"]


@dataclass(frozen=True)
class Audit:
    """What one source said: the number of packages that it knows and does not know, and a line for each vulnerability."""

    source: str
    audited: int
    unknown: int
    found: tuple[str, ...] = ()


def main() -> int:
    """Ask the sources in turn until one knows the packages; print the result and return the exit code."""
    for source in SOURCES:
        audit = read(source, _ask(source))
        if audit is not None and audit.audited:
            return _report(audit)
    print(f"audit: NOT DONE: no source of advisories answers (tried {', '.join(SOURCES)}).")
    return 0


def read(source: str, output: str) -> Audit | None:
    """Return what pip-audit printed. None if it printed no result, because the source did not answer.

    Packages that the source does not know are listed as skipped, and pip-audit then still says that it found nothing.
    """
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    known = {(package["name"], package["version"]): package["vulns"] for package in packages if "vulns" in package}
    unknown = {package["name"] for package in packages if "vulns" not in package}
    lines = [_line(name, version, vuln) for (name, version), vulns in known.items() for vuln in vulns]
    return Audit(source, len(known), len(unknown), tuple(sorted(lines)))


def _ask(source: str) -> str:
    files = [argument for lock in LOCKS["dev"] for argument in ("--requirement", lock)]
    command = [sys.executable, "-m", "pip_audit", *files, *OPTIONS, "--vulnerability-service", source]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def _line(name: str, version: str, vuln: dict[str, Any]) -> str:
    fixed = ", ".join(vuln.get("fix_versions", [])) or "no release"
    return f"  {name} {version}: {vuln['id']}, fixed in {fixed}"


def _report(audit: Audit) -> int:
    print(f"audit: {audit.audited} packages compared with {audit.source}: {len(audit.found)} vulnerabilities.")
    if audit.unknown:
        print(f"audit: NOT COMPARED: {audit.unknown} packages that {audit.source} does not know.")
    for line in audit.found:
        print(line)
    return int(bool(audit.found))


if __name__ == "__main__":
    sys.exit(main())
