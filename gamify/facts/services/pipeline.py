"""What happened goes through every consumer, what they grant is given, and what that changes goes round again.

All of it inside one unit of work, in memory. Whatever definitions say of each other, a chain has at most MAX_DEPTH facts,
and no more than MAX_OUTCOMES grants and changes come of what is put in at once; the log tells where something was cut off.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from gamify.facts.engine.outcomes import Change, Grant, Granted, Outcome
from gamify.facts.services.facts import Cause, Fact
from gamify.facts.services.kinds import grant_kinds
from gamify.facts.services.listening import Consumer, consumers
from participants.errors import DomainError
from participants.models import Participant
from participants.work import UnitOfWork

MAX_DEPTH = 5
MAX_OUTCOMES = 200

logger = structlog.get_logger(__name__)


def process(work: UnitOfWork, facts: Iterable[Fact], *, now: datetime) -> Sequence[Granted]:
    """Let every consumer hear `facts` and whatever comes of them; answers what was given, in order.

    The unit was opened with `loads_for` the events. Nothing in here refuses a fact.
    """
    run = _Run(work, now=now)
    run.queue.extend(facts)
    return run.to_the_end()


def settle(
    work: UnitOfWork, participant: Participant, outcomes: Iterable[Outcome], *, now: datetime
) -> Sequence[Granted]:
    """Give what a use case without an event led to; answers what was given, in order.

    The unit was opened with `loads_for(catalog)` and `loads_of_grants` of what may be granted.
    """
    run = _Run(work, now=now)
    for outcome in outcomes:
        run.take(outcome, Cause(participant=participant))
    return run.to_the_end()


class _Run:
    def __init__(self, work: UnitOfWork, *, now: datetime) -> None:
        self.queue: deque[Fact] = deque()
        self._work = work
        self._now = now
        self._granted: list[Granted] = []
        self._followed = 0

    def to_the_end(self) -> Sequence[Granted]:
        while self.queue:
            fact = self.queue.popleft()
            for consumer in consumers():
                for outcome in self._heard(fact, consumer):
                    self.take(outcome, fact)
        return self._granted

    def _heard(self, fact: Fact, consumer: Consumer) -> Sequence[Outcome]:
        try:
            return tuple(consumer.consume(fact, self._work, now=self._now))
        except DomainError as error:  # taken for a refusal of the event, it would leave half of it behind
            raise RuntimeError(f"A consumer refused {fact.name!r}; consumers must not: {error.message}") from error

    def take(self, outcome: Outcome, cause: Cause) -> None:
        if isinstance(outcome, Granted):
            self._granted.append(outcome)
        elif self._is_first(outcome, cause) and self._is_within_bounds(outcome, cause):
            self._follow(outcome, cause)

    def _is_first(self, outcome: Grant | Change, cause: Cause) -> bool:
        return self._work.is_first((cause.participant.pk, type(outcome), outcome.key))

    def _is_within_bounds(self, outcome: Grant | Change, cause: Cause) -> bool:
        self._followed += 1
        depth = cause.depth + isinstance(outcome, Change)
        if depth < MAX_DEPTH and self._followed <= MAX_OUTCOMES:
            return True
        logger.warning("chain_cut", outcome=outcome.key, depth=depth, followed=self._followed)
        return False

    def _follow(self, outcome: Grant | Change, cause: Cause) -> None:
        if isinstance(outcome, Change):
            self.queue.append(self._fact(outcome, cause))
            return
        grant = replace(outcome, event_id=cause.event_id, properties=cause.properties)
        for further in self._given(grant, cause):
            self.take(further, cause)

    def _fact(self, change: Change, cause: Cause) -> Fact:
        return Fact(
            participant=self._work.participant(change.participant_id),
            name=change.name,
            properties=change.data,
            at=self._now,
            key=change.key,
            event_id=cause.event_id,
            depth=cause.depth + 1,
            is_change=True,
        )

    def _given(self, grant: Grant, cause: Cause) -> Sequence[Outcome]:
        """What giving it leads to; nothing for one that cannot be given, which is no reason to refuse the event."""
        told = logger.bind(kind=grant.kind, source=grant.source.type, code=grant.source.code)
        if grant.kind not in grant_kinds:
            told.warning("grant_kind_unknown")
            return ()
        try:
            return tuple(grant_kinds[grant.kind].give(self._work, cause.participant, grant))
        except DomainError as refusal:
            told.warning("grant_refused", refusal=refusal.code)
            return ()
