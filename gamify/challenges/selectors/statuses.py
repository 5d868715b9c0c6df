"""The status of participants in challenges. It results from the row, the definition and an instant alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gamify.challenges.engine import State
from gamify.challenges.models import Enrolment
from gamify.challenges.selectors.catalog import CompiledChallenge, challenges_in
from participants.catalog import Catalog
from participants.database import Query
from participants.models import Participant
from participants.selectors import of_named_participant


class Status(StrEnum):
    """`available`: not enrolled yet. A challenge that was completed before its end stays `completed`."""

    AVAILABLE = "available"
    ACTIVE = "active"
    COMPLETED = "completed"
    EXPIRED = "expired"


@dataclass(frozen=True)
class EnrolmentStatus:
    """The status of one participant in one challenge. `state` is None if they are not enrolled."""

    challenge: CompiledChallenge
    state: State | None
    status: Status

    @property
    def ends_at(self) -> datetime | None:
        """When the enrolment ends, or None. Without an enrolment, the end of a fixed challenge."""
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
    """The active challenges that have not ended, in display order. They accept enrolments, even before their start."""
    return [each for each in challenges_in(catalog).by_id.values() if is_open(each, now=now)]


def is_open(challenge: CompiledChallenge, *, now: datetime) -> bool:
    return challenge.is_active and not challenge.rules.term.has_ended(now, now)


ENROLMENTS: Query[Enrolment] = Query(lambda: of_named_participant(Enrolment.objects.all()))


def enrolment_queries(catalog: Catalog) -> Sequence[Query[Enrolment]]:
    """The query that `enrolment_statuses` needs, if any."""
    return (ENROLMENTS,) if challenges_in(catalog).by_id else ()


def enrolment_statuses(
    participant: Participant | None,
    catalog: Catalog,
    *,
    now: datetime,
    enrolments: Iterable[Enrolment] | None = None,
) -> Sequence[EnrolmentStatus]:
    """The participant's status in each challenge that they are enrolled in or can enrol in, in display order; one query.

    Inactive challenges are listed only if the participant has completed them. `enrolments` are the rows of ENROLMENTS, if read.
    """
    challenges = challenges_in(catalog).by_id
    if not challenges:
        return ()
    if enrolments is None:
        enrolments = () if participant is None else Enrolment.objects.of(participant)
    rows = {row.challenge_id: row for row in enrolments}
    statuses = [enrolment_status(each, rows.get(each.id), now=now) for each in challenges.values()]
    return [status for status in statuses if _is_listed(status, now=now)]


def _is_listed(status: EnrolmentStatus, *, now: datetime) -> bool:
    if status.state is None:
        return is_open(status.challenge, now=now)
    return status.challenge.is_active or status.state.completions > 0
