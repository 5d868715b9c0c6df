"""Undoes an event: takes back the rewards that it granted, where possible."""

from collections.abc import Iterator, Sequence

from gamify.facts import services as facts
from gamify.facts.models import Event
from gamify.facts.services import Undone
from participants.causes import CannotBeTakenBack, Kept, Undoing
from participants.models import Participant
from participants.work import UnitOfWork, restartable
from rewards.models import Claim, ClaimStatus
from rewards.services.closing import cancel_claim, claim_unit
from rewards.services.issuing import tally_load

CODE_WAS_DELIVERED = "Its code was handed out, and may have been used"
WAS_FULFILLED = "It was fulfilled"
IS_CANCELLED = "The claim was cancelled already"


class ClaimStays(CannotBeTakenBack):
    code = "claim_stays"


def undo(work: UnitOfWork, participant: Participant, event: Event) -> Iterator[Undone]:
    """Cancel the claims of the event. Fulfilled claims, and claims whose code was handed out, are not cancelled."""
    found = Claim.objects.of(participant).filter(event_id=event.pk).exclude(status=ClaimStatus.CANCELLED)
    for row in found.order_by("reward_id", "pk"):  # rewards are locked by id
        work.load([tally_load(row.reward_id)])
        claim = work.lock(Claim, row.pk)
        if claim is not None:
            yield _take_back(work, participant, event, claim)


def _take_back(work: UnitOfWork, participant: Participant, event: Event, claim: Claim) -> Undone:
    obstacle = _obstacle(claim)
    if obstacle is None:
        cancel_claim(work, participant, claim, event.reversal["reason"])
    return Undone(type="reward", name=claim.reward_name, id=claim.reward_id, obstacle=obstacle)


@restartable
def take_back_claim(undoing: Undoing) -> Sequence[Kept]:
    """Cancel one claim, unless it was fulfilled or its code was handed out. Definitions do not react.

    Raises: ClaimStays.
    """
    with claim_unit(undoing.tenant, str(undoing.row_id), now=undoing.now) as (work, participant, claim):
        obstacle = IS_CANCELLED if claim.status == ClaimStatus.CANCELLED else _obstacle(claim)
        if obstacle is not None:
            raise ClaimStays(obstacle)
        facts.publish_changes(work, participant, now=undoing.now)  # of points that expired; not of the cancellation
        cancel_claim(work, participant, claim, undoing.reason)
        return ()


def _obstacle(claim: Claim) -> str | None:
    if claim.code_value is not None:
        return CODE_WAS_DELIVERED
    return WAS_FULFILLED if claim.status == ClaimStatus.FULFILLED else None
