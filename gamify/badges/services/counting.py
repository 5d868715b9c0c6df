"""Events that badges count, one by one, in the unit of the event."""

from collections.abc import Iterable
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


def advanced(work: UnitOfWork, fact: Fact, badge_id: UUID, criterion: Criterion) -> Decimal:
    """Count one more event of a badge that is not earned, in a unit that has loaded its rows; answers how far that is."""
    row = work.row(BadgeProgress, fact.participant, badge_id) or _new_row(work, fact.participant, badge_id)
    if row.revision > criterion.revision:
        work.find_stale()
    if row.revision < criterion.revision:
        row.value, row.revision = _from_history(fact.participant, badge_id, criterion), criterion.revision
    row.value = criterion.after(row.value, fact.properties)
    work.change(row)
    return row.value


def _new_row(work: UnitOfWork, participant: Participant, badge_id: UUID) -> BadgeProgress:
    row = BadgeProgress(
        tenant_id=work.tenant.pk, participant_id=participant.pk, badge_id=badge_id, revision=0, value=Decimal(0)
    )
    work.add(row)
    return row


def _from_history(participant: Participant, badge_id: UUID, criterion: Criterion) -> Decimal:
    """What was recorded before this unit; a participant made in it has no history."""
    if participant.is_new:
        return Decimal(0)
    return counted(participant, {badge_id: criterion}).get(badge_id, Decimal(0))
