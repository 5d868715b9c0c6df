"""The part of the catalog with the tenant's challenges: compiled definitions, and an index by event name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from gamify.challenges.engine import Duration, Milestone, Objective, Rules, Term
from gamify.challenges.models import ALL, Challenge, EnrolmentChoice
from gamify.facts.engine.conditions import Condition, ConditionKind
from gamify.facts.engine.expressions import CompiledExpression, compile_expression
from gamify.facts.engine.fields import MISSING, ReadField, Values, compile_path
from gamify.facts.engine.listeners import ListenerIndex, index_listeners
from gamify.facts.selectors import compile_or_match_nothing
from participants.catalog import CatalogPart
from participants.models import Tenant


@dataclass(frozen=True)
class Listener:
    """The events that one objective counts.

    `listens_to` is the compiled expression, None if all events of its types count. `read` finds the value of the condition's
    field, None if the condition has no field.
    """

    objective: Objective
    event_types: frozenset[str]
    listens_to: CompiledExpression | None
    read: ReadField | None

    def matches(self, properties: Values, attributes: Values) -> bool:
        return self.listens_to is None or self.listens_to.matches(properties, attributes)

    def value(self, properties: Values, attributes: Values) -> Any:
        """The value of the condition's field in the event, or None."""
        value = MISSING if self.read is None else self.read(properties, attributes)
        return None if value is MISSING else value


@dataclass(frozen=True)
class CompiledChallenge:
    """A compiled definition: the rules for the engine, and a listener for each objective."""

    id: UUID
    code: str
    name: str
    is_active: bool
    is_automatic: bool
    rules: Rules
    listeners: Sequence[Listener]
    grants: Sequence[Mapping[str, Any]]
    row: Challenge


ChallengeListeners = tuple[CompiledChallenge, Sequence[Listener]]
"""A challenge, and the listeners of its objectives that count events of one name."""


@dataclass(frozen=True)
class ChallengeCatalog:
    """All challenges of a tenant, inactive ones included, in display order. `by_event` contains active ones only."""

    by_code: Mapping[str, CompiledChallenge]
    by_id: Mapping[UUID, CompiledChallenge]
    by_event: ListenerIndex[Sequence[ChallengeListeners]]


def load_catalog(tenant: Tenant) -> ChallengeCatalog:
    """Compile the tenant's definitions."""
    compiled = [_compile(row) for row in Challenge.objects.of(tenant).in_order()]
    return ChallengeCatalog(
        {each.code: each for each in compiled}, {each.id: each for each in compiled}, _by_event(compiled)
    )


def _compile(row: Challenge) -> CompiledChallenge:
    listeners = [_compile_listener(row, stored) for stored in row.objectives]
    return CompiledChallenge(
        id=row.pk,
        code=row.code,
        name=row.name,
        is_active=row.is_active,
        is_automatic=row.enrolment == EnrolmentChoice.AUTOMATIC,
        rules=_rules_of(row, [listener.objective for listener in listeners]),
        listeners=listeners,
        grants=row.completion_grants,
        row=row,
    )


def _compile_listener(row: Challenge, stored: Mapping[str, Any]) -> Listener:
    condition = stored["condition"]
    return Listener(
        objective=Objective(
            code=stored["code"],
            label=stored["label"],
            condition=Condition(
                ConditionKind(condition["type"]), Decimal(str(condition["min"])), condition.get("field")
            ),
            prerequisites=tuple(stored.get("prerequisites", ())),
        ),
        event_types=frozenset(stored["event_types"]),
        listens_to=_compile_expression(row, stored.get("expression")),
        read=compile_path(condition["field"]) if condition.get("field") else None,
    )


def _compile_expression(row: Challenge, expression: Mapping[str, Any] | None) -> CompiledExpression | None:
    if expression is None:
        return None
    return compile_or_match_nothing(
        compile_expression, expression, log_event="challenge_expression_malformed", challenge=str(row.pk)
    )


def _rules_of(row: Challenge, objectives: Sequence[Objective]) -> Rules:
    milestones = [Milestone(each["objectives"], each["grants"]) for each in row.milestones]
    return Rules(
        objectives=objectives,
        needed=len(objectives) if row.completion == ALL else int(row.completion),
        milestones=sorted(milestones, key=lambda milestone: milestone.objectives),
        is_repeatable=row.is_repeatable,
        term=term_of(row),
    )


def term_of(row: Challenge) -> Term:
    """The period in which events of the challenge count."""
    lasts = None if row.duration_days is None else timedelta(days=row.duration_days)
    return Term(Duration(row.duration_type), row.starts_at, row.ends_at, lasts)


def _by_event(challenges: Iterable[CompiledChallenge]) -> ListenerIndex[Sequence[ChallengeListeners]]:
    """Index the objectives of the active challenges by event name."""
    pairs = [
        (challenge, listener) for challenge in challenges if challenge.is_active for listener in challenge.listeners
    ]
    return index_listeners(pairs, names_of=lambda pair: pair[1].event_types, group=_group_by_challenge)


def _group_by_challenge(pairs: Sequence[tuple[CompiledChallenge, Listener]]) -> Sequence[ChallengeListeners]:
    groups = [list(group) for _, group in groupby(pairs, key=lambda pair: pair[0].id)]
    return [(group[0][0], [listener for _, listener in group]) for group in groups]


challenges_in = CatalogPart("challenges", load_catalog)
