"""Where a participant stands: the row, the definition and an instant, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from gamify.challenges.engine import State
from gamify.challenges.models import Enrolment
from gamify.challenges.selectors.catalog import CompiledChallenge, challenges_in
from participants.catalog import Catalog
from participants.models import Participant


class Status(StrEnum):
    """`available` is for those who are not enrolled. One that was completed before it ended stays completed."""

    AVAILABLE = "available"
    ACTIVE = "active"
    COMPLETED = "completed"
    EXPIRED = "expired"


@dataclass(frozen=True)
class EnrolmentStatus:
    """One participant in one challenge; `state` is None for who is not enrolled."""

    challenge: CompiledChallenge
    state: State | None
    status: Status

    @property
    def ends_at(self) -> datetime | None:
        """When the enrolment ends; of one that may yet be begun, what is known already."""
        term = self.challenge.rules.term
        return term.ends_at if self.state is None else term.end_of(self.state.enrolled_at)


def enrolment_status(challenge: CompiledChallenge, row: Enrolment | None, *, now: datetime) -> EnrolmentStatus:
    state = None if row is None else row.state
    return EnrolmentStatus(challenge, state, _status(challenge, state, now))


def _status(challenge: CompiledChallenge, state: State | None, now: datetime) -> Status:
    if state is None:
        return Status.AVAILABLE
    has_ended = challenge.rules.term.has_ended(state.enrolled_at, now)
    if state.is_completed or (has_ended and state.completions):
        return Status.COMPLETED
    return Status.EXPIRED if has_ended else Status.ACTIVE


def open_challenges(catalog: Catalog, *, now: datetime) -> list[CompiledChallenge]:
    """Those that can be begun, or will be: active, and not past their end; in display order."""
    return [each for each in challenges_in(catalog).by_id.values() if is_open(each, now=now)]


def is_open(challenge: CompiledChallenge, *, now: datetime) -> bool:
    return challenge.is_active and not challenge.rules.term.has_ended(now, now)


def enrolment_statuses(
    participant: Participant | None, catalog: Catalog, *, now: datetime
) -> Sequence[EnrolmentStatus]:
    """Every challenge that they take part in or may begin, in display order; one query. Of those that are inactive, what they
    have completed.
    """
    challenges = challenges_in(catalog).by_id
    if not challenges:
        return ()
    rows = {} if participant is None else _rows_of(participant)
    standings = [enrolment_status(each, rows.get(each.id), now=now) for each in challenges.values()]
    return [standing for standing in standings if _is_listed(standing, now=now)]


def _is_listed(standing: EnrolmentStatus, *, now: datetime) -> bool:
    if standing.state is None:
        return is_open(standing.challenge, now=now)
    return standing.challenge.is_active or standing.state.completions > 0


def _rows_of(participant: Participant) -> dict[UUID, Enrolment]:
    return {row.challenge_id: row for row in Enrolment.objects.of(participant)}
