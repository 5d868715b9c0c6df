"""Participants have as many badges as their row says (contract §8)."""

from collections.abc import Iterator

from gamify.badges.models import BadgeAward
from participants.auditing import (
    Audit,
    Drift,
    ProgressReporter,
    audits,
    group_with_participants,
    orphan_drift,
    stream_rows,
)
from participants.models import Participant, Tenant


def _size(tenant: Tenant) -> int:
    return Participant.objects.of(tenant).count() + BadgeAward.objects.filter(tenant_id=tenant.pk).count()


def _find(tenant: Tenant, report_progress: ProgressReporter) -> Iterator[Drift]:
    awards = BadgeAward.objects.filter(tenant_id=tenant.pk).order_by("participant_id")
    rows = stream_rows(awards.values_list("participant_id"), report_progress)
    for participant_id, standing, theirs in group_with_participants(
        tenant, ["external_id", "badge_count"], rows, report_progress=report_progress
    ):
        if standing is None:
            yield orphan_drift(participant_id, "badges", theirs)
            continue
        (external_id, said), count = standing, sum(1 for _ in theirs)
        if said != count:
            yield Drift(f"participant {external_id}", "badge_count", count, said)


def register() -> None:
    """Called once the apps are loaded."""
    audits.register("badges", Audit(_size, _find))
