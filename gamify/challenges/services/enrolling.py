"""Enrolment on request."""

from datetime import datetime

from gamify.challenges.models import Enrolment
from gamify.challenges.selectors import CompiledChallenge, EnrolmentStatus, challenges_in, enrolment_status
from gamify.challenges.selectors.statuses import is_open
from gamify.challenges.services.advancing import enrol_in, loads_for
from gamify.facts import services as facts
from participants.catalog import Catalog, catalog_of
from participants.errors import DomainError, NotFound
from participants.models import Tenant
from participants.work import UnitOfWork, restartable, unit_of_work


class ChallengeNotFound(NotFound):
    """No challenge has the given code or id (`challenge`)."""

    code = "challenge_not_found"
    noun = "Challenge"


class ChallengeUnavailable(DomainError):
    """The challenge accepts no enrolments, because it is inactive or has ended."""

    code = "challenge_unavailable"

    def __init__(self, code: str) -> None:
        super().__init__(f"Challenge is not available: {code}")


@restartable
def enroll(*, tenant: Tenant, participant_id: str, code: str, now: datetime) -> EnrolmentStatus:
    """Enrol a participant, also in a challenge with automatic enrolment. Returns their status.

    Safe to retry: a participant who is enrolled already stays as they are, even if the challenge accepts no enrolments any more.

    Raises: ChallengeNotFound, ChallengeUnavailable.
    """
    loads = loads_for([_find_challenge(catalog_of(tenant), code)])
    with unit_of_work(tenant, [participant_id], now=now, loads=loads) as work:
        return enroll_in_unit(work, participant_id, _find_challenge(work.catalog, code))


def _find_challenge(catalog: Catalog, code: str) -> CompiledChallenge:
    challenge = challenges_in(catalog).by_code.get(code)
    if challenge is None:
        raise ChallengeNotFound(code)
    return challenge


def enroll_in_unit(work: UnitOfWork, participant_id: str, challenge: CompiledChallenge) -> EnrolmentStatus:
    """Enrol a participant in a unit that has loaded `loads_for` the challenge. Raises: ChallengeUnavailable."""
    participant = work.participant(participant_id)
    row = work.row(Enrolment, participant, challenge.id)
    if row is None:
        if not is_open(challenge, now=work.now):
            raise ChallengeUnavailable(challenge.code)
        work.touch(participant)
        row = enrol_in(work, participant, challenge, at=work.now)
        facts.publish_changes(work, participant, now=work.now)
    return enrolment_status(challenge, row, now=work.now)
