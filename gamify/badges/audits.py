"""Audit: a participant's `badge_count` is the number of their badges (docs/contract.md §8)."""

from collections.abc import Iterator

from gamify.badges.models import BadgeAward
from participants.auditing import (
    Audit,
    Drift,
    ProgressReporter,
    audits,
    count_rows,
    group_with_participants,
    orphan_drift,
    stream_rows,
)
from participants.models import Participant, Tenant


def _find(tenant: Tenant, report_progress: ProgressReporter) -> Iterator[Drift]:
    awards = BadgeAward.objects.filter(tenant_id=tenant.pk).order_by("participant_id")
    rows = stream_rows(awards.values_list("participant_id"), report_progress)
    for participant_id, columns, badges in group_with_participants(
        tenant, ["external_id", "badge_count"], rows, report_progress=report_progress
    ):
        if columns is None:
            yield orphan_drift(participant_id, "badges", badges)
            continue
        (external_id, stored), count = columns, sum(1 for _ in badges)
        if stored != count:
            yield Drift(f"participant {external_id}", "badge_count", count, stored)


def register() -> None:
    """Called when the apps are loaded."""
    audits.register("badges", Audit(count_rows(Participant, BadgeAward), _find))
