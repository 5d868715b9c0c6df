"""Boards say what the history says (contract §9)."""

from collections.abc import Iterator

from django.utils import timezone

from gamify.leaderboards.services import drifts, rows_to_verify
from participants.auditing import Audit, Drift, Seen, audits
from participants.models import Tenant


def _find(tenant: Tenant, seen: Seen) -> Iterator[Drift]:
    for drift in drifts(tenant=tenant, now=timezone.now(), seen=seen):
        yield Drift(f"leaderboard {drift.board}", drift.what, drift.expected, drift.stored)


def register() -> None:
    """Called once the apps are loaded."""
    audits.register("leaderboards", Audit(rows_to_verify, _find))
