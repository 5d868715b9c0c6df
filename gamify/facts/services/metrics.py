"""Numbers about one participant that criteria compare (contract §8). The domains register theirs, under the names of the contract."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gamify.facts.services.facts import Fact
from participants.errors import FieldError
from participants.models import Participant, Tenant
from participants.registries import Registry
from participants.work import UnitOfWork

Selector = Mapping[str, Any]
"""What a criterion says besides metric and minimum, such as its `streak_code`."""


@dataclass(frozen=True)
class MetricValue:
    """Where a participant stands, and the most they ever came to, which is what counts."""

    current: int
    best: int


def _no_problem(tenant: Tenant, selector: Selector) -> FieldError | None:
    return None


@dataclass(frozen=True)
class Metric:
    """`after[change](fact, selector)` is the number after a change of that name, None where the change is about something
    else. `numbers(tenant, participants, selector, now)` are those of many, by id, from what is written; who is left out has 0.
    `needs` are the names of what the selector must say; `problem(tenant, selector)` is what is wrong with it, if anything.
    `in_unit(work, participant, selector)` is the best number of one whom a unit has changed; None where that is what `numbers`
    says of them, since it is a number of their own row.
    """

    after: Mapping[str, Callable[[Fact, Selector], int | None]]
    values: Callable[[Tenant, Sequence[Participant], Selector, datetime], Mapping[UUID, MetricValue]]
    needs: Collection[str] = ()
    problem: Callable[[Tenant, Selector], FieldError | None] = _no_problem
    read_in_unit: Callable[[UnitOfWork, Participant, Selector], int] | None = None

    def best_in_unit(self, work: UnitOfWork, participant: Participant, selector: Selector) -> int:
        """The most that a participant of a unit ever came to, with what the unit has changed."""
        if self.read_in_unit is not None:
            return self.read_in_unit(work, participant, selector)
        number = self.values(work.tenant, [participant], selector, work.now).get(participant.pk)
        return 0 if number is None else number.best


metrics: Registry[Metric] = Registry("Metric")


def column_metric(column: str, *, changed_by: Sequence[str]) -> Metric:
    """A metric that is a column of the participant's own row."""

    def after(fact: Fact, selector: Selector) -> int:
        return int(getattr(fact.participant, column))

    def numbers(
        tenant: Tenant, participants: Sequence[Participant], selector: Selector, now: datetime
    ) -> Mapping[UUID, MetricValue]:
        held = {each.pk: int(getattr(each, column)) for each in participants}
        return {participant_id: MetricValue(number, number) for participant_id, number in held.items()}

    return Metric(dict.fromkeys(changed_by, after), numbers)
