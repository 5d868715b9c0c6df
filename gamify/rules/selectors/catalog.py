"""The rules' part of the catalog: the active rules of a tenant, compiled and indexed by what they listen to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from gamify.facts.engine.expressions import CompiledExpression, compile_expression
from gamify.facts.engine.fields import is_participant_attribute
from gamify.facts.engine.listeners import ANY_EVENT, ListenerIndex, index_listeners
from gamify.facts.engine.outcomes import Source
from gamify.facts.engine.tree import Comparison, Node, Not
from gamify.facts.selectors import compile_or_match_nothing
from gamify.rules.engine.expression_index import ExpressionIndex
from gamify.rules.engine.limits import Limits
from gamify.rules.models import Rule
from participants.catalog import CatalogPart
from participants.engine import is_in_period
from participants.models import Tenant


@dataclass(frozen=True)
class CompiledRule:
    """A compiled rule. `expression` is None if everything that the rule listens to matches."""

    id: UUID
    code: str
    name: str
    event_types: frozenset[str]
    changes: frozenset[str]
    expression: CompiledExpression | None
    reads_attributes: bool
    grants: Sequence[Mapping[str, Any]]
    limits: Limits
    is_limited: bool
    starts_at: datetime | None
    ends_at: datetime | None
    source: Source

    def matches(self, properties: Mapping[str, Any], attributes: Mapping[str, Any]) -> bool:
        return self.expression is None or self.expression.matches(properties, attributes)

    def may_match(self, properties: Mapping[str, Any]) -> bool:
        """Whether the rule may match an event with these properties: it does for at least some participants."""
        return self.reads_attributes or self.matches(properties, {})

    def is_open(self, at: datetime) -> bool:
        """Whether `at` is within its schedule."""
        return is_in_period(at, self.starts_at, self.ends_at)

    def is_triggered_by(self, event_name: str) -> bool:
        return event_name in self.event_types or ANY_EVENT in self.event_types


class ListeningRules:
    """The rules that listen to the same event or change, in the order in which they are evaluated."""

    def __init__(self, rules: Sequence[CompiledRule]) -> None:
        self.rules = rules
        self._index = ExpressionIndex([None if rule.expression is None else rule.expression.root for rule in rules])

    def candidates(self, properties: Mapping[str, Any]) -> Sequence[CompiledRule]:
        """Return the rules that may match these properties for some participant."""
        rules = [self.rules[place] for place in self._index.places(properties)]
        return [rule for rule in rules if rule.may_match(properties)]

    def matching(self, properties: Mapping[str, Any], attributes: Mapping[str, Any]) -> Sequence[int]:
        """Return the places in `rules` of the rules that match."""
        places = self._index.places(properties)
        return [place for place in places if self.rules[place].matches(properties, attributes)]


@dataclass(frozen=True)
class RuleCatalog:
    """The active rules by what they listen to. Days begin in `zone`."""

    by_event: ListenerIndex[ListeningRules]
    by_change: ListenerIndex[ListeningRules]
    zone: ZoneInfo

    def day_of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()


def load_catalog(tenant: Tenant) -> RuleCatalog:
    """Compile the tenant's active rules."""
    return catalog_of_rules(map(compile_rule, Rule.objects.of(tenant).active().in_order()), tenant)


def catalog_of_rules(rules: Iterable[CompiledRule], tenant: Tenant) -> RuleCatalog:
    """Index `rules`, which are evaluated in the order given."""
    in_order = list(rules)
    return RuleCatalog(
        index_listeners(in_order, names_of=lambda rule: rule.event_types, group=ListeningRules),
        index_listeners(in_order, names_of=lambda rule: rule.changes, group=ListeningRules),
        ZoneInfo(tenant.timezone),
    )


def compile_rule(row: Rule) -> CompiledRule:
    expression, limits = _expression(row), limits_of(row.limits)
    return CompiledRule(
        id=row.pk,
        code=row.code,
        name=row.name,
        event_types=frozenset(row.event_types),
        changes=frozenset(row.changes),
        expression=expression,
        reads_attributes=expression is not None and _reads_attributes(expression.root),
        grants=tuple(row.grants),
        limits=limits,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        source=Source("rule", row.code),
        is_limited=limits.is_binding,
    )


def _expression(row: Rule) -> CompiledExpression | None:
    if row.expression is None:
        return None
    return compile_or_match_nothing(
        compile_expression, row.expression, log_event="rule_expression_malformed", rule=str(row.pk)
    )


def _reads_attributes(node: Node) -> bool:
    if isinstance(node, Comparison):
        return is_participant_attribute(node.field)
    return any(map(_reads_attributes, [node.part] if isinstance(node, Not) else node.parts))


def limits_of(stored: Mapping[str, int]) -> Limits:
    """Convert the stored limits of a rule to those of the engine."""
    seconds = stored.get("cooldown_seconds")
    counts = {name: stored.get(name) for name in ("per_day", "per_week", "ever")}
    return Limits(**counts, cooldown=timedelta(seconds=seconds) if seconds else None)


rules_in = CatalogPart("rules", load_catalog)
