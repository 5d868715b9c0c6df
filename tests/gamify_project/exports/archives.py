"""Helpers of tests of archives: removing a tenant, and reading and changing the files of an archive."""

import hashlib
import json

from django.utils import timezone

from gamify_project.exports.archive.tables import archived_tables
from participants.services.participants import delete_all


def remove(tenant):
    """Remove all rows of a tenant, as if the archive were on another installation."""
    delete_all(tenant=tenant, now=timezone.now())
    for table in reversed(archived_tables()):
        table.rows(tenant.pk).delete()


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def edit_manifest(folder, **change):
    (folder / "manifest.json").write_text(json.dumps(manifest(folder) | change))


def edit_file(folder, name, old, new, **content):
    """Change the first occurrence of `old` in a file of the archive, and the manifest so that it fits."""
    path = folder / name
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    about = manifest(folder)["tables"]
    about[name] |= {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), **content}
    edit_manifest(folder, tables=about)
