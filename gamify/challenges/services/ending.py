"""The sweep that announces enrolments whose challenge has ended uncompleted, once each.

Answers never depend on it. Running it twice, late or in parallel does no harm: each row is checked under the participant's
lock, and announced only if it was not announced before.
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


def expire_in_chunks(*, challenge: Challenge, now: datetime) -> Iterator[int]:
    """Generator: announces the enrolments for which `challenge` has ended uncompleted, and yields the number of rows in each chunk.

    A caller that runs out of time stops iterating. The next sweep finds the remaining rows.
    """
    last = None
    while chunk := due_rows(challenge, behind=last, limit=CHUNK, now=now):
        last = chunk[-1]
        yield bisect_failures(
            chunk,
            lambda part: _expire(tenant=challenge.tenant, challenge_id=challenge.pk, chunk=part, now=now),
            on_failure=lambda failed: _postpone(challenge.tenant, failed, now=now),
        )


def _postpone(tenant: Tenant, failed: Due, *, now: datetime) -> None:
    """Set `retry_at`, so that a failing row is not the first row of every sweep."""
    Enrolment.objects.filter(tenant_id=tenant.pk, pk=failed.row_id).update(retry_at=now + RETRY_DELAY)


@restartable
def _expire(*, tenant: Tenant, challenge_id: UUID, chunk: Sequence[Due], now: datetime) -> int:
    """Announce the rows of `chunk`, except those of participants that another transaction has locked. The next sweep
    finds these.
    """
    loads = [Load(Enrolment, "challenge_id", (challenge_id,))]
    has_listeners = facts.has_listeners(catalog_of(tenant), EXPIRED)
    with unit_for_ids(tenant, [each.participant_id for each in chunk], now=now, loads=loads) as work:
        challenge = challenges_in(work.catalog).by_id.get(challenge_id)
        if challenge is None:
            work.restart_with_new_catalog()
        for participant in work.locked_participants.values():
            end = _expire_one(work, participant, challenge)
            if end is not None and has_listeners:
                facts.publish_changes(work, participant, now=now, at=end)
        return len(work.locked_participants)


def _expire_one(work: UnitOfWork, participant: Participant, challenge: CompiledChallenge) -> datetime | None:
    """Announce the enrolment if it has ended. Returns when it ended, or None if there is nothing to announce (any more)."""
    row = work.row(Enrolment, participant, challenge.id)
    if row is None or row.expired_at is not None or not challenge.is_active:
        return None
    status = enrolment_status(challenge, row, now=work.now)
    if status.status is not Status.EXPIRED:
        return None
    work.emit(EXPIRED, participant, challenge_payload(challenge))
    row.expired_at = work.now
    work.change(row, "expired_at")
    return status.ends_at
