"""Count events towards badges, one by one, in the unit of work of the event."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from uuid import UUID

from gamify.badges.engine import Criterion
from gamify.badges.models import BadgeAward, BadgeProgress
from gamify.badges.selectors.history import values_from_histories
from gamify.facts.services import Fact
from participants.models import Participant
from participants.work import Load, UnitOfWork


def progress_loads(badge_ids: Iterable[UUID]) -> list[Load]:
    """The rows that say who has these badges, and the progress of those who do not."""
    wanted = tuple(dict.fromkeys(badge_ids))
    return [Load(BadgeAward, "badge_id", wanted), Load(BadgeProgress, "badge_id", wanted)] if wanted else []


def ensure_progress_rows(work: UnitOfWork, participant: Participant, criteria: Mapping[UUID, Criterion]) -> None:
    """Make sure that `participant` has a progress row under the current criteria of each of these badges.

    The unit must have loaded the rows. Missing rows are counted from the history: one query for all participants of the unit who
    lack one. A participant who was created in this unit has no history.
    """
    missing_rows = _criteria_to_count(work, participant, criteria)
    if not missing_rows:
        return
    due = {participant: missing_rows}
    if not participant.is_new:
        due |= {
            each: missing
            for each in work.locked_participants.values()
            if (missing := _criteria_to_count(work, each, missing_rows))
        }
    history = values_from_histories([each for each in due if not each.is_new], missing_rows)
    for each, missing in due.items():
        for badge_id, criterion in missing.items():
            row = work.row(BadgeProgress, each, badge_id) or _new_row(work, each, badge_id)
            row.value, row.revision = history.get(each.pk, {}).get(badge_id, Decimal(0)), criterion.revision
            work.change(row)


def _criteria_to_count(
    work: UnitOfWork, participant: Participant, criteria: Mapping[UUID, Criterion]
) -> Mapping[UUID, Criterion]:
    """The criteria without a current progress row, of badges that the participant does not have.

    Restarts the unit if a row has a newer revision than the catalog of the unit.
    """
    found = {}
    for badge_id, criterion in criteria.items():
        row = work.row(BadgeProgress, participant, badge_id)
        if row is not None and row.revision > criterion.revision:
            work.restart_with_new_catalog()
        is_current = row is not None and row.revision == criterion.revision
        if not is_current and work.row(BadgeAward, participant, badge_id) is None:
            found[badge_id] = criterion
    return found


def _new_row(work: UnitOfWork, participant: Participant, badge_id: UUID) -> BadgeProgress:
    row = BadgeProgress(tenant_id=work.tenant.pk, participant_id=participant.pk, badge_id=badge_id)
    work.add(row)
    return row


def count_event(work: UnitOfWork, fact: Fact, badge_id: UUID, criterion: Criterion) -> Decimal:
    """Count one more event towards an unearned badge whose progress row exists. Return the new progress."""
    row = work.row(BadgeProgress, fact.participant, badge_id)
    assert row is not None, "ensure_progress_rows was called"  # noqa: S101
    row.value = criterion.value_after(row.value, fact.properties)
    work.change(row)
    return row.value
