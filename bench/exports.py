"""An export of a million ledger entries: rows in a second, peak memory of the worker, and sums compared with the ledger.

The worker is a process of its own that builds one export, on a durable PostgreSQL. A tenant with a tenth of the entries is the baseline.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from bench import product, verify

BUILD = """
import json
from django.utils import timezone
from gamify_project.exports.building import build_in_parts
from gamify_project.exports.models import Export
from gamify_project.exports.requests import checked_request
from gamify_project.exports.services import create_export
from participants.actors import Actor, acting_as
from participants.selectors import tenant_by_slug

tenant = tenant_by_slug({slug!r})
with acting_as(Actor("command:bench", "bench")):
    export = create_export(tenant=tenant, wanted=checked_request({{"kind": "ledger", "format": {format!r}}}), now=timezone.now())
    for _ in build_in_parts(tenant=tenant, export_id=export.pk):
        pass
export = Export.objects.get(pk=export.pk)
print(json.dumps({{"id": str(export.pk), "rows": export.rows, "size": export.size, "parts": export.parts, "sha256": export.sha256}}))
"""

CHECK = """
import hashlib, json
from django.db.models import Sum
from gamify.points.models import LedgerEntry
from gamify_project.exports.building import chunks_of
from gamify_project.exports.models import Export

export = Export.objects.get(pk={id!r})
digest, rest, total = hashlib.sha256(), b"", 0
for chunk in chunks_of(export):
    digest.update(chunk)
    *lines, rest = (rest + chunk).split(b"\\n")
    total += sum(json.loads(line)["delta"] for line in lines)
ledger = LedgerEntry.objects.filter(tenant_id=export.tenant_id)
print(json.dumps({{
    "same": digest.hexdigest() == export.sha256, "total": total, "rows": ledger.count(),
    "ledger": int(ledger.aggregate(total=Sum("delta"))["total"]),
}}))
"""


@dataclass(frozen=True)
class Built:
    """What a worker built, and what it took: seconds from start to end of its process, and the most memory it had."""

    report: Mapping[str, Any]
    seconds: float
    mebibytes: float


def measure(*, entries: int) -> None:
    with product.installed() as (server, environment), psycopg.connect(server.url, autocommit=True) as connection:
        whole = verify.filled(connection, environment, entries)
        print(f"  {server.description}; {entries:,} entries of {whole['people']:,} participants")
        runs = [(slug, form, _built(environment, slug, form)) for slug in verify.SLUGS for form in ("csv", "ndjson")]
        checked = json.loads(_shell(environment, CHECK.format(id=runs[-1][2].report["id"])))
    for slug, form, run in runs:
        rows, size = run.report["rows"], run.report["size"] / 2**20
        print(
            f"  {slug} {form:<7} {rows:>9,} rows, {size:>6.1f} MiB in {run.report['parts']:>3} parts, {run.seconds:>6.1f} s, "
            f"{rows / run.seconds:>7,.0f} rows/s, {run.mebibytes:>6.1f} MiB of memory at most"
        )
    if not checked["same"] or checked["total"] != checked["ledger"] or checked["rows"] != entries:
        raise RuntimeError(f"The file does not agree with the ledger: {checked}")
    print(f"  the SHA-256 is that of the file, and its sum of {checked['total']:,} points is that of the ledger")


def _built(environment: Mapping[str, str], slug: str, form: str) -> Built:
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        command = _command(BUILD.format(slug=slug, format=form))
        process = subprocess.Popen(command, cwd=product.ROOT, env=os.environ | environment, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        if os.waitstatus_to_exitcode(status):
            raise RuntimeError(f"the export of {slug} failed")
        out.seek(0)
        return Built(json.load(out), seconds, usage.ru_maxrss / 1024)


def _shell(environment: Mapping[str, str], script: str) -> str:
    environment = os.environ | environment
    return subprocess.run(
        _command(script), cwd=product.ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def _command(script: str) -> list[str]:
    return [sys.executable, "manage.py", "shell", "--no-imports", "-c", script]
