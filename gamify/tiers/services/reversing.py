"""Takes tiers back: not with an event that is reversed, but when all that an actor wrote is undone."""

from collections.abc import Iterator, Sequence

from gamify.facts import services as facts
from gamify.facts.engine.outcomes import UndoNote
from gamify.facts.models import Event
from gamify.facts.services import Undone
from gamify.tiers.engine import Tier
from gamify.tiers.models import AwardType, TierChange
from gamify.tiers.selectors import current_tier, ladder_of
from gamify.tiers.services.changes import change_tier, tier_payload
from participants.causes import CannotBeTakenBack, Kept, Undoing
from participants.models import Participant
from participants.work import UnitOfWork, restartable, unit_for_ids

DOMAIN = "tiers"
TIER_STAYS = "A reversal does not lower the tier; assign another tier by hand if needed"
REACHED_BY_POINTS = (
    "Points led to this tier, and losing points never lowers a tier. Assign another tier by hand if needed"
)
IS_REVERSAL = "This change took a tier back itself, and that is not undone"
IS_TAKEN_BACK = "This change of the tier was taken back already"
CHANGED_SINCE = "The tier was changed again later, and that later change stays"
NO_TIER_BEFORE = "The participant had no tier before, and cannot be moved out of all tiers"


class TierStays(CannotBeTakenBack):
    code = "tier_stays"


def undo_note_for(code: str, name: str) -> UndoNote:
    """The undo note of an event that led to a tier."""
    return UndoNote(DOMAIN, {"code": code, "name": name})


def undo(work: UnitOfWork, participant: Participant, event: Event) -> Iterator[Undone]:
    """Report the tiers that the event led to, and change nothing: losing points never demotes (docs/contract.md §7)."""
    for note in event.undo_notes_of(DOMAIN):
        yield Undone(type="tier", name=note["name"], code=note["code"], obstacle=TIER_STAYS)


# --- undo for a cause -------------------------------------------------------------------------------------------------


@restartable
def take_back_change(undoing: Undoing) -> Sequence[Kept]:
    """Take back one tier that was assigned by hand or granted, if it is in force: return to the tier before it.

    Nothing new happens: `last_seen_at` does not move, and definitions do not react (docs/contract.md §6). Raises: TierStays.
    """
    change = TierChange.objects.get(tenant_id=undoing.tenant.pk, pk=undoing.row_id)
    if change.reverses_id is not None:
        raise TierStays(IS_REVERSAL)
    if change.how != AwardType.MANUAL:
        raise TierStays(REACHED_BY_POINTS)
    with unit_for_ids(undoing.tenant, [change.participant_id], now=undoing.now, waits=True) as work:
        participant = work.locked_participants[change.participant_id]
        before = _tier_before(work, participant, change)
        _return_to(work, participant, before, change, reason=undoing.reason)
        facts.publish_changes(work, participant, now=undoing.now)  # of points that expired; not of the reversal
    return ()


def _tier_before(work: UnitOfWork, participant: Participant, change: TierChange) -> Tier:
    """Return the tier before `change`, active or not. Raises: TierStays if the participant cannot return to it."""
    changes = TierChange.objects.of(participant)
    if changes.filter(reverses_id=change.pk).exists():
        raise TierStays(IS_TAKEN_BACK)
    if changes.in_force().filter(number__gt=change.number).exists():
        raise TierStays(CHANGED_SINCE)
    before = ladder_of(work.catalog).find(change.previous_code)
    if before is None:
        raise TierStays(NO_TIER_BEFORE)
    return before


def _return_to(
    work: UnitOfWork, participant: Participant, before: Tier, change: TierChange, *, reason: str | None
) -> None:
    work.touch(participant, is_seen=False)
    current = current_tier(ladder_of(work.catalog), participant)
    how = _how_before(participant, change)
    change_tier(work, participant, before, current, how=how, reason=reason, reverses_id=change.pk)
    data = {"tier": tier_payload(before), "previous_tier": tier_payload(current), "reason": reason}
    work.emit("tier.reverted", participant, data)


def _how_before(participant: Participant, change: TierChange) -> AwardType:
    """Return how the participant had reached the tier before `change`. An earlier release did not store it with the change."""
    if change.previous_is_manual is not None:
        return AwardType.MANUAL if change.previous_is_manual else AwardType.AUTOMATIC
    earlier = TierChange.objects.of(participant).in_force().filter(number__lt=change.number)
    return AwardType(earlier.order_by("-number").values_list("how", flat=True)[0])
