"""The catalog's part: a tenant's active rules, compiled, by what they listen to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from gamify.facts.engine.expressions import Compiled, MalformedExpression, compile_expression, compile_filter
from gamify.facts.engine.fields import is_of_participant
from gamify.facts.engine.outcomes import Source
from gamify.facts.engine.tree import Condition, Node, Not
from gamify.rules.engine.limits import Limits
from gamify.rules.engine.narrowing import Narrowing
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
    asks: Compiled | None
    asks_of_participant: bool
    grants: Sequence[Mapping[str, Any]]
    limits: Limits
    is_limited: bool
    starts_at: datetime | None
    ends_at: datetime | None
    source: Source

    def matches(self, properties: Mapping[str, Any], attributes: Mapping[str, Any]) -> bool:
        return self.asks is None or self.asks.matches(properties, attributes)

    def may_match(self, properties: Mapping[str, Any]) -> bool:
        """Whether it may match for some participant."""
        return self.asks_of_participant or self.matches(properties, {})

    def is_open(self, at: datetime) -> bool:
        """Whether `at` is in its schedule."""
        return (self.starts_at is None or self.starts_at <= at) and (self.ends_at is None or at < self.ends_at)

    def hears_event(self, name: str) -> bool:
        return name in self.event_types or ANY_EVENT in self.event_types


class Listening:
    """The rules that listen to the same thing, in the order in which they are heard."""

    def __init__(self, rules: Sequence[CompiledRule]) -> None:
        self.rules = rules
        self._narrowing = Narrowing([None if rule.asks is None else rule.asks.root for rule in rules])

    def candidates(self, properties: Mapping[str, Any]) -> Sequence[CompiledRule]:
        """Those that may match it for some participant."""
        rules = [self.rules[place] for place in self._narrowing.places(properties)]
        return [rule for rule in rules if rule.may_match(properties)]

    def matching(self, properties: Mapping[str, Any], attributes: Mapping[str, Any]) -> Sequence[int]:
        """The places of those that match."""
        places = self._narrowing.places(properties)
        return [place for place in places if self.rules[place].matches(properties, attributes)]


NOBODY = Listening(())


@dataclass(frozen=True)
class RuleCatalog:
    """The active rules, by what they listen to; `zone` is the one in which days begin."""

    by_event: Mapping[str, Listening]
    by_change: Mapping[str, Listening]
    zone: ZoneInfo

    def hearing_event(self, name: str) -> Listening:
        return self.by_event.get(name) or self.by_event.get(ANY_EVENT, NOBODY)

    def hearing_change(self, name: str) -> Listening:
        return self.by_change.get(name, NOBODY)

    def day_of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()


def load_catalog(tenant: Tenant) -> RuleCatalog:
    """Compile the tenant's rules."""
    return catalog_of_rules(map(compiled, Rule.objects.of(tenant).active().in_order()), tenant)


def catalog_of_rules(rules: Iterable[CompiledRule], tenant: Tenant) -> RuleCatalog:
    """`rules` by what they listen to, in the order given."""
    in_order = list(rules)
    events = {name for rule in in_order for name in rule.event_types}
    changes = {name for rule in in_order for name in rule.changes}
    return RuleCatalog(
        {name: Listening([rule for rule in in_order if rule.hears_event(name)]) for name in events},
        {name: Listening([rule for rule in in_order if name in rule.changes]) for name in changes},
        ZoneInfo(tenant.timezone),
    )


def compiled(row: Rule) -> CompiledRule:
    asks, limits = _asks(row), limits_of(row.limits)
    return CompiledRule(
        id=row.pk,
        code=row.code,
        name=row.name,
        event_types=frozenset(row.event_types),
        changes=frozenset(row.changes),
        asks=asks,
        asks_of_participant=asks is not None and _asks_of_participant(asks.root),
        grants=tuple(row.grants),
        limits=limits,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        source=Source("rule", row.code),
        is_limited=limits.is_binding,
    )


def _asks(row: Rule) -> Compiled | None:
    """One that cannot be read matches nothing; it must not take all others along."""
    if row.expression is None:
        return None
    try:
        return compile_expression(row.expression)
    except MalformedExpression as malformed:
        logger.warning("rule_expression_malformed", rule=str(row.pk), problem=str(malformed))
        return NOTHING


NOTHING = Compiled(Not(compile_filter({}).root), matches=lambda properties, attributes: False)


def _asks_of_participant(node: Node) -> bool:
    if isinstance(node, Condition):
        return is_of_participant(node.field)
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
