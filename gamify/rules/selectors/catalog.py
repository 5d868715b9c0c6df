"""The catalog's part: a tenant's active rules, compiled, by what they listen to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from gamify.facts.engine.expressions import CompiledExpression, MalformedExpression, compile_expression, compile_filter
from gamify.facts.engine.fields import is_participant_attribute
from gamify.facts.engine.outcomes import Source
from gamify.facts.engine.tree import Comparison, Node, Not
from gamify.rules.engine.expression_index import ExpressionIndex
from gamify.rules.engine.limits import Limits
from gamify.rules.models import Rule
from participants.catalog import Catalog, catalog_parts
from participants.models import Tenant

logger = structlog.get_logger(__name__)

PART = "rules"
ANY_EVENT = "*"


@dataclass(frozen=True)
class CompiledRule:
    """A definition as it is heard. `asks` is None where everything that it listens to matches."""

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
        """Whether it may match for some participant."""
        return self.reads_attributes or self.matches(properties, {})

    def is_open(self, at: datetime) -> bool:
        """Whether `at` is in its schedule."""
        return (self.starts_at is None or self.starts_at <= at) and (self.ends_at is None or at < self.ends_at)

    def is_triggered_by(self, name: str) -> bool:
        return name in self.event_types or ANY_EVENT in self.event_types


class ListeningRules:
    """The rules that listen to the same thing, in the order in which they are heard."""

    def __init__(self, rules: Sequence[CompiledRule]) -> None:
        self.rules = rules
        self._narrowing = ExpressionIndex([None if rule.expression is None else rule.expression.root for rule in rules])

    def candidates(self, properties: Mapping[str, Any]) -> Sequence[CompiledRule]:
        """Those that may match it for some participant."""
        rules = [self.rules[place] for place in self._narrowing.places(properties)]
        return [rule for rule in rules if rule.may_match(properties)]

    def matching(self, properties: Mapping[str, Any], attributes: Mapping[str, Any]) -> Sequence[int]:
        """The places of those that match."""
        places = self._narrowing.places(properties)
        return [place for place in places if self.rules[place].matches(properties, attributes)]


NO_RULES = ListeningRules(())


@dataclass(frozen=True)
class RuleCatalog:
    """The active rules, by what they listen to; `zone` is the one in which days begin."""

    by_event: Mapping[str, ListeningRules]
    by_change: Mapping[str, ListeningRules]
    zone: ZoneInfo

    def rules_for_event(self, name: str) -> ListeningRules:
        return self.by_event.get(name) or self.by_event.get(ANY_EVENT, NO_RULES)

    def rules_for_change(self, name: str) -> ListeningRules:
        return self.by_change.get(name, NO_RULES)

    def day_of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()


def load_catalog(tenant: Tenant) -> RuleCatalog:
    """Compile the tenant's rules."""
    return catalog_of_rules(map(compile_rule, Rule.objects.of(tenant).active().in_order()), tenant)


def catalog_of_rules(rules: Iterable[CompiledRule], tenant: Tenant) -> RuleCatalog:
    """`rules` by what they listen to, in the order given."""
    in_order = list(rules)
    events = {name for rule in in_order for name in rule.event_types}
    changes = {name for rule in in_order for name in rule.changes}
    return RuleCatalog(
        {name: ListeningRules([rule for rule in in_order if rule.is_triggered_by(name)]) for name in events},
        {name: ListeningRules([rule for rule in in_order if name in rule.changes]) for name in changes},
        ZoneInfo(tenant.timezone),
    )


def compile_rule(row: Rule) -> CompiledRule:
    asks, limits = _asks(row), limits_of(row.limits)
    return CompiledRule(
        id=row.pk,
        code=row.code,
        name=row.name,
        event_types=frozenset(row.event_types),
        changes=frozenset(row.changes),
        expression=asks,
        reads_attributes=asks is not None and _asks_of_participant(asks.root),
        grants=tuple(row.grants),
        limits=limits,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        source=Source("rule", row.code),
        is_limited=limits.is_binding,
    )


def _asks(row: Rule) -> CompiledExpression | None:
    """One that cannot be read matches nothing; it must not take all others along."""
    if row.expression is None:
        return None
    try:
        return compile_expression(row.expression)
    except MalformedExpression as malformed:
        logger.warning("rule_expression_malformed", rule=str(row.pk), problem=str(malformed))
        return MATCHES_NOTHING


MATCHES_NOTHING = CompiledExpression(Not(compile_filter({}).root), matches=lambda properties, attributes: False)


def _asks_of_participant(node: Node) -> bool:
    if isinstance(node, Comparison):
        return is_participant_attribute(node.field)
    return any(map(_asks_of_participant, [node.part] if isinstance(node, Not) else node.parts))


def limits_of(stored: Mapping[str, int]) -> Limits:
    """What a rule's row says of limits, as the engine has it."""
    seconds = stored.get("cooldown_seconds")
    counts = {name: stored.get(name) for name in ("per_day", "per_week", "ever")}
    return Limits(**counts, cooldown=timedelta(seconds=seconds) if seconds else None)


def rules_in(catalog: Catalog) -> RuleCatalog:
    """The rules of a catalog."""
    part: RuleCatalog = catalog.part(PART)
    return part


def register() -> None:
    """Called once the apps are loaded."""
    catalog_parts.register(PART, load_catalog)
