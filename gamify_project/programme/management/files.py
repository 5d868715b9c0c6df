"""Reads the programme file of a command."""

import sys

from django.conf import settings
from django.core.management.base import CommandError

from gamify_project.programme.faults import InvalidProgramme
from gamify_project.programme.files import read_programme
from gamify_project.programme.planning import Plan, plan_import
from participants.models import Tenant

STDIN = "-"


def plan_of_file(tenant: Tenant, file: str, *, prunes: bool) -> Plan:
    """Return the plan of importing `file`. Raises: CommandError with one line for each fault."""
    try:
        return plan_import(tenant, read_programme(_content(file)), prunes=prunes)
    except InvalidProgramme as error:
        lines = [f"{file}: {each.field}: {each.message}" for each in error.errors]
        raise CommandError("\n".join(lines)) from error


def _content(file: str) -> bytes:
    """Return the content of `file`, at most one byte more than an import may have. Raises: CommandError."""
    limit = settings.MAX_BODY_BYTES + 1
    if file == STDIN:
        return sys.stdin.buffer.read(limit)
    try:
        with open(file, "rb") as stream:
            return stream.read(limit)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
