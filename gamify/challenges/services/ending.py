"""What time alone brings about: who has not completed a challenge by its end is told of, once.

Answers never depend on any of this. Twice, late or in parallel does no harm: every look is taken behind the participant's
lock, and tells what has not been told.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from gamify.challenges.models import Challenge, Enrolment
from gamify.challenges.selectors import CompiledChallenge, Status, challenges_in, enrolment_status
from gamify.challenges.selectors.due import Due, due_rows
from gamify.challenges.services.advancing import challenge_payload
from gamify.facts import services as facts
from participants.catalog import catalog_of
from participants.models import Participant, Tenant
from participants.work import Load, UnitOfWork, bisect_failures, restartable, unit_for_ids

CHUNK = 500
RETRY_DELAY = timedelta(minutes=5)
EXPIRED = "challenge.expired"


def expire(*, challenge: Challenge, now: datetime) -> int:
    """Tell of everyone for whom `challenge` has ended uncompleted; answers how many rows were looked at."""
    return sum(expire_in_chunks(challenge=challenge, now=now))


def expire_in_chunks(*, challenge: Challenge, now: datetime) -> Iterator[int]:
    """As `expire`, a chunk each time it is asked: who runs out of time stops asking, and a later sweep finds the rest."""
    last = None
    while chunk := due_rows(challenge, behind=last, limit=CHUNK, now=now):
        last = chunk[-1]
        yield bisect_failures(
            chunk,
            lambda part: _expire(tenant=challenge.tenant, challenge_id=challenge.pk, chunk=part, now=now),
            on_failure=lambda failed: _postpone(challenge.tenant, failed, now=now),
        )


def _postpone(tenant: Tenant, failed: Due, *, now: datetime) -> None:
    """A row that fails must not be the first of every sweep."""
    Enrolment.objects.filter(tenant_id=tenant.pk, pk=failed.row_id).update(retry_at=now + RETRY_DELAY)


@restartable
def _expire(*, tenant: Tenant, challenge_id: UUID, chunk: Sequence[Due], now: datetime) -> int:
    """Those whom nobody else holds; the others are left to the next sweep."""
    loads = [Load(Enrolment, "challenge_id", (challenge_id,))]
    is_heard = facts.has_listeners(catalog_of(tenant), EXPIRED)
    with unit_for_ids(tenant, [each.participant_id for each in chunk], now=now, loads=loads) as work:
        challenge = challenges_in(work.catalog).by_id.get(challenge_id)
        if challenge is None:
            work.restart_with_new_catalog()
        for participant in work.locked_participants.values():
            end = _expire_one(work, participant, challenge)
            if end is not None and is_heard:
                facts.publish_changes(work, participant, now=now, at=end)
        return len(work.locked_participants)


def _expire_one(work: UnitOfWork, participant: Participant, challenge: CompiledChallenge) -> datetime | None:
    """When it ended for them, if that is to be told; None where it was told, or is not so any more."""
    row = work.row(Enrolment, participant, challenge.id)
    if row is None or row.expired_at is not None or not challenge.is_active:
        return None
    standing = enrolment_status(challenge, row, now=work.now)
    if standing.status is not Status.EXPIRED:
        return None
    work.emit(EXPIRED, participant, challenge_payload(challenge))
    row.expired_at = work.now
    work.change(row, "expired_at")
    return standing.ends_at
