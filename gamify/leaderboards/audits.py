"""The audit of leaderboards: stored scores and ranges must agree with the history (docs/contract.md §9)."""

from collections.abc import Iterator

from django.utils import timezone

from gamify.leaderboards.services import drifts, rows_to_verify
from participants.auditing import Audit, Drift, ProgressReporter, audits
from participants.models import Tenant


def _find(tenant: Tenant, report_progress: ProgressReporter) -> Iterator[Drift]:
    for drift in drifts(tenant=tenant, now=timezone.now(), report_progress=report_progress):
        yield Drift(f"leaderboard {drift.board}", drift.what, drift.expected, drift.stored)


def register() -> None:
    """Called once the apps are loaded."""
    audits.register("leaderboards", Audit(rows_to_verify, _find))
