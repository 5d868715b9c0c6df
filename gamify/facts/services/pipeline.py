"""The pipeline: passes a fact to every consumer, gives what they grant, and repeats this for the changes that follow.

All of it happens inside one unit of work, in memory. A change is a domain event that any code emits meanwhile. The bounds
hold whatever definitions trigger each other: a chain has at most MAX_DEPTH facts, and one run follows at most MAX_OUTCOMES grants and
changes. The log and the trace name what was cut off.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from prometheus_client import Counter

from gamify.facts.engine.outcomes import Grant, GrantReport, Outcome, Source, TraceEntry, TraceRest, UndoNote
from gamify.facts.services.facts import Cause, Fact
from gamify.facts.services.kinds import grant_kinds
from gamify.facts.services.listening import Consumer, consumers, listeners_of
from gamify.facts.services.tracing import NoTracer, Trace, Tracer
from participants.actors import ActorKind
from participants.errors import DomainError
from participants.events import event_types
from participants.measuring import counted
from participants.models import DomainEvent, Participant
from participants.work import UnitOfWork

MAX_DEPTH = 5
MAX_OUTCOMES = 200

grants = Counter(
    "gamify_grants", "What definitions gave, and what they could not give.", ["kind", "outcome"], registry=counted
)

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class PipelineResult:
    """What was given, in order; the decision trace, None if there was nothing to decide; and the undo notes by domain."""

    granted: Sequence[GrantReport]
    trace: Trace | None
    undo_notes: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


def is_change(type_name: str) -> bool:
    """Whether definitions may react to domain events of this type.

    They react to what the product did to a participant. They do not react to what clients reported about events and participants, nor to
    reversals.
    """
    event_type = event_types[type_name]
    return event_type.is_about_participant and not event_type.is_reversal and not event_type.is_report


def process(work: UnitOfWork, fact: Fact, *, now: datetime) -> PipelineResult:
    """Pass `fact` and all changes that follow from it to the consumers. Nothing in here refuses the fact."""
    run = _Run(work, Tracer(work.catalog), now=now)
    run.queue.append(fact)
    return run.to_the_end()


def publish_changes(
    work: UnitOfWork,
    participant: Participant,
    outcomes: Iterable[Outcome] = (),
    *,
    now: datetime,
    at: datetime | None = None,
) -> Sequence[GrantReport]:
    """Apply `outcomes`, and pass the changes of a use case that has no event to the consumers.

    `at` is the time at which it happened; None stands for now. Returns what was given, in order.
    """
    run = _Run(work, NoTracer(work.catalog), now=now)
    cause = Cause(participant=participant, at=at or now, key=f"settled:{work.next_number()}", depth=-1, is_traced=False)
    run.apply(outcomes, cause)
    return run.to_the_end().granted


class _Run:
    """One run of the pipeline. `queue` are the facts that are still to be passed to the consumers."""

    def __init__(self, work: UnitOfWork, tracer: Tracer, *, now: datetime) -> None:
        self.queue: deque[Fact] = deque()
        self._work = work
        self._now = now
        self._tracer = tracer
        self._granted: list[GrantReport] = []
        self._undo_notes: dict[str, list[Mapping[str, Any]]] = {}
        self._followed = 0

    def to_the_end(self) -> PipelineResult:
        while self.queue:
            fact = self.queue.popleft()
            self._tracer.begin_fact(fact)
            self.apply(self._outcomes(fact), fact)
        return PipelineResult(self._granted, self._tracer.trace(self._granted), self._undo_notes)

    def _outcomes(self, fact: Fact) -> Iterable[Outcome]:
        for consumer in listeners_of(self._work.catalog, fact.name) if fact.is_change else consumers():
            yield from self._consume(fact, consumer)

    def _consume(self, fact: Fact, consumer: Consumer) -> Sequence[Outcome]:
        try:
            return tuple(consumer.consume(fact, self._work, now=self._now))
        except (
            DomainError
        ) as error:  # the caller would take it for a refusal of the event, and commit what was changed so far
            raise RuntimeError(f"A consumer refused {fact.name!r}; consumers must not: {error.message}") from error

    def apply(self, outcomes: Iterable[Outcome], cause: Cause) -> None:
        """Apply the outcomes, then append a fact for each change that they emitted."""
        for outcome in outcomes:
            self._apply(outcome, cause)
        for participant, event in self._work.drain_emitted():
            if is_change(event.type) and listeners_of(self._work.catalog, event.type):
                self._queue_change(participant, event, cause)

    def _apply(self, outcome: Outcome, cause: Cause) -> None:
        if isinstance(outcome, GrantReport):
            self._granted.append(outcome)
        elif isinstance(outcome, TraceEntry):
            self._tracer.add_entry(outcome)
        elif isinstance(outcome, TraceRest):
            self._tracer.add_rest(outcome.definitions)
        elif isinstance(outcome, UndoNote):
            self._undo_notes.setdefault(outcome.domain, []).append(outcome.data)
        elif self._is_first(outcome, cause) and self._is_within_bounds(outcome.key, cause.depth):
            self._give(outcome, cause)

    def _is_first(self, grant: Grant, cause: Cause) -> bool:
        return self._work.is_first((cause.participant.pk, grant.key))

    def _is_within_bounds(self, what: str, depth: int) -> bool:
        self._followed += 1
        if depth < MAX_DEPTH and self._followed <= MAX_OUTCOMES:
            return True
        logger.warning("chain_cut", outcome=what, depth=depth, followed=self._followed)
        self._tracer.add_cut(what)
        return False

    def _queue_change(self, participant: Participant, event: DomainEvent, cause: Cause) -> None:
        if not self._is_within_bounds(event.type, cause.depth + 1):
            return
        self.queue.append(
            Fact(
                participant=participant,
                name=event.type,
                properties=event.data,
                at=cause.at,
                key=f"{cause.key}/{event.type}.{self._followed}",
                event_id=cause.event_id,
                depth=cause.depth + 1,
                is_change=True,
                is_traced=cause.is_traced,
            )
        )

    def _give(self, grant: Grant, cause: Cause) -> None:
        about = cause.event_id, cause.properties, cause.at
        grant = Grant(grant.kind, grant.spec, grant.source, grant.key, *about)
        for outcome in self._outcomes_of(grant, cause):
            self._apply(outcome, cause)

    def _outcomes_of(self, grant: Grant, cause: Cause) -> Sequence[Outcome]:
        """Give `grant` and return what follows. A grant that cannot be given leads to nothing; it does not refuse the event."""
        if grant.kind not in grant_kinds:
            return self._refuse(grant, "grant_kind_unknown", "There is no such kind of grant")
        kind = grant_kinds[grant.kind]
        self._work.load(kind.loads(self._work.catalog, [grant.spec]))
        try:
            with self._work.acting_as(ActorKind.DEFINITION, *_name_of(grant.source)):
                outcomes = tuple(kind.give(self._work, cause.participant, grant))
        except DomainError as refusal:
            return self._refuse(grant, "grant_refused", refusal.message, refusal=refusal.code)
        grants.labels(grant.kind, "given").inc()
        return outcomes

    def _refuse(self, grant: Grant, log_event: str, reason: str, **details: str) -> Sequence[Outcome]:
        logger.info(log_event, kind=grant.kind, source=grant.source.type, code=grant.source.code, **details)
        self._tracer.add_refusal(grant, reason)
        grants.labels(grant.kind, "refused").inc()
        return ()


def _name_of(source: Source) -> tuple[str, str]:
    """Return the id and the label of a definition as an actor: its type and its code."""
    return f"{source.type}:{source.code}", f"{source.type} {source.code}"
