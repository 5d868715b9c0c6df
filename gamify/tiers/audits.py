"""The audit `tiers`: the tier on the participant is the one of their newest tier change (docs/contract.md §7)."""

from collections.abc import Iterator
from typing import Any

from gamify.tiers.models import TierChange
from participants.auditing import (
    Audit,
    Drift,
    ProgressReporter,
    audits,
    count_rows,
    differences,
    group_with_participants,
    orphan_drift,
    stream_rows,
)
from participants.models import Participant, Tenant

COLUMNS = ("external_id", "tier_count", "tier_code")


def _find(tenant: Tenant, report_progress: ProgressReporter) -> Iterator[Drift]:
    changes = TierChange.objects.filter(tenant_id=tenant.pk).order_by("participant_id", "number")
    rows = stream_rows(changes.values_list("participant_id", "number", "code"), report_progress)
    for participant_id, values, own_changes in group_with_participants(
        tenant, COLUMNS, rows, report_progress=report_progress
    ):
        if values is None:
            yield orphan_drift(participant_id, "changes of tier", own_changes)
        else:
            yield from _check_participant(dict(zip(COLUMNS, values, strict=True)), own_changes)


def _check_participant(row: dict[str, Any], changes: Iterator[Any]) -> Iterator[Drift]:
    about, count, code = f"participant {row['external_id']}", 0, None
    for _, (_, number, change_code) in changes:
        if number != count + 1:
            yield Drift(about, "number of a change of tier", count + 1, number)
        count, code = number, change_code
    yield from differences(about, {"tier_count": count, "tier_code": code}, row)


def register() -> None:
    """Called by `AppConfig.ready`."""
    audits.register("tiers", Audit(count_rows(Participant, TierChange), _find))
