"""Takes back one badge of one participant, without an event that is reversed."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from gamify.badges.models import BadgeAward
from gamify.badges.services.progress import progress_loads
from gamify.badges.services.reversing import is_earned_by_criteria, is_met, revoke_award, values_without
from gamify.facts import services as facts
from participants.causes import Affected, CannotBeTakenBack, Dependent, Kept, Undoing
from participants.models import Tenant
from participants.selectors import written_between
from participants.work import UnitOfWork, restartable, unit_for_ids, unit_of_work

UNDECIDED = "Its criteria were not met before the undo either, so they do not say whether the cause earned it"


class BadgeNotHeld(CannotBeTakenBack):
    """The participant does not have the badge any more."""

    code = "badge_not_held"

    def __init__(self) -> None:
        super().__init__("The participant does not have this badge any more")


class BadgeStillEarned(CannotBeTakenBack):
    """The criteria of the badge are met by what remains."""

    code = "badge_still_earned"

    def __init__(self) -> None:
        super().__init__("What remains still meets the criteria of the badge")


@restartable
def revoke(*, tenant: Tenant, award_id: UUID, only_if_unmet: bool = False, now: datetime) -> None:
    """Revoke a badge. With `only_if_unmet`, it stays if its own criteria earned it and are still met.

    Raises: BadgeNotHeld, BadgeStillEarned.
    """
    found = BadgeAward.objects.filter(tenant_id=tenant.pk, pk=award_id).first()
    if found is None:
        raise BadgeNotHeld
    loads = progress_loads([found.badge_id])
    with unit_for_ids(tenant, [found.participant_id], now=now, loads=loads, waits=True) as work:
        participant = work.locked_participants.get(found.participant_id)
        award = None if participant is None else work.row(BadgeAward, participant, found.badge_id)
        if participant is None or award is None or award.pk != award_id:
            raise BadgeNotHeld
        values = values_without(participant, None, [award])
        if only_if_unmet and is_met(work, participant, award, values):
            raise BadgeStillEarned
        work.touch(participant, is_seen=False)
        revoke_award(work, participant, award, values.get(award.badge_id))
        facts.publish_changes(work, participant, now=now)


def take_back_badge(undoing: Undoing) -> Sequence[Kept]:
    """Revoke one badge. A badge that is a consequence stays if its criteria are still met. Raises: what `revoke` raises."""
    revoke(tenant=undoing.tenant, award_id=undoing.row_id, only_if_unmet=undoing.is_consequence, now=undoing.now)
    return ()


@restartable
def badges_to_check(affected: Affected) -> Sequence[Dependent]:
    """Return the badges of these participants that criteria earned since then. An undo that leaves too little for the criteria revokes them.

    If the criteria are not met now, before anything is taken back, they were changed, or something was taken back earlier. Then it
    cannot be decided whether the participant earned the badge without the cause.
    """
    rows = BadgeAward.objects.filter(written_between(affected.since, None, None), tenant_id=affected.tenant.pk)
    rows = rows.filter(participant_id__in=affected.participant_ids).select_related("badge", "participant")
    awards = [award for award in rows if is_earned_by_criteria(award)]
    by_name: defaultdict[str, list[BadgeAward]] = defaultdict(list)
    for award in awards:
        by_name[award.participant.external_id].append(award)
    with unit_of_work(affected.tenant, by_name, now=affected.now, is_dry_run=True) as work:
        return [each for name, own in by_name.items() for each in _dependents(work, name, own)]


def _dependents(work: UnitOfWork, external_id: str, awards: Sequence[BadgeAward]) -> Iterator[Dependent]:
    """Yield the badges of one participant. They are all decidable if the participant was deleted meanwhile: nothing is left of them."""
    participant = work.find(external_id)
    values = {} if participant is None else values_without(participant, None, awards)
    for award in awards:
        is_decidable = participant is None or is_met(work, participant, award, values)
        yield Dependent(award.participant_id, award.pk, None if is_decidable else UNDECIDED)
