"""Events that badges count, one by one, in the unit of the event."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from uuid import UUID

from gamify.badges.engine import Criterion
from gamify.badges.models import BadgeAward, BadgeProgress
from gamify.badges.selectors.history import counted
from gamify.facts.services import Fact
from participants.models import Participant
from participants.work import Load, UnitOfWork


def loads_of(badge_ids: Iterable[UUID]) -> list[Load]:
    """The rows that say who has these badges, and how far the others are."""
    wanted = tuple(dict.fromkeys(badge_ids))
    return [Load(BadgeAward, "badge_id", wanted), Load(BadgeProgress, "badge_id", wanted)] if wanted else []


def bring_up(work: UnitOfWork, participant: Participant, criteria: Mapping[UUID, Criterion]) -> None:
    """See to it that `participant` has a row of each of these badges that counts by today's criteria, in a unit that has loaded
    theirs. What was recorded before the unit is read once, for all that it lacks; of a participant made in it there is nothing.
    """
    rows = {badge_id: work.row(BadgeProgress, participant, badge_id) for badge_id in criteria}
    if any(row and row.revision > criteria[badge_id].revision for badge_id, row in rows.items()):
        work.find_stale()
    lacking = {
        badge_id: criterion
        for badge_id, criterion in criteria.items()
        if (row := rows[badge_id]) is None or row.revision < criterion.revision
    }
    history = {} if participant.is_new else counted(participant, lacking)
    for badge_id, criterion in lacking.items():
        row = rows[badge_id] or _new_row(work, participant, badge_id)
        row.value, row.revision = history.get(badge_id, Decimal(0)), criterion.revision


def _new_row(work: UnitOfWork, participant: Participant, badge_id: UUID) -> BadgeProgress:
    row = BadgeProgress(tenant_id=work.tenant.pk, participant_id=participant.pk, badge_id=badge_id)
    work.add(row)
    return row


def advanced(work: UnitOfWork, fact: Fact, badge_id: UUID, criterion: Criterion) -> Decimal:
    """Count one more event of a badge that is not earned and was brought up; answers how far that is."""
    row = work.row(BadgeProgress, fact.participant, badge_id)
    assert row is not None, "it was brought up"  # noqa: S101
    row.value = criterion.after(row.value, fact.properties)
    work.change(row)
    return row.value
