"""The linter of rules: reports what is wrong with a rule, or will be, before it silently does nothing.

Only the check of grants reads the database (`static_findings` leaves it out). Everything else follows from the rules themselves.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from gamify.facts.engine.expressions import MalformedExpression, compile_expression
from gamify.facts.services import grant_problem
from gamify.rules.engine.contradictions import is_impossible
from gamify.rules.models import Rule
from gamify.rules.selectors.loops import Loop, loop_problem, loops_among
from participants.errors import FieldError
from participants.models import Tenant

COUNTED = ("per_day", "per_week", "ever")


class Level(StrEnum):
    """An error prevents a rule from doing what it says. A warning may be intended. A note needs no action."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a rule. `field` is the dotted path in the body of the API."""

    rule: Rule
    level: Level
    field: str
    message: str


def findings(tenant: Tenant, *, now: datetime, rules: Sequence[Rule] | None = None) -> list[Finding]:
    """Return the findings about the tenant's active rules, or about `rules` of the tenant, in their order."""
    return list(_findings(tenant, now=now, rules=rules, checks_grants=True))


def static_findings(tenant: Tenant, *, now: datetime) -> list[Finding]:
    """Return the findings about the active rules without those about grants. It takes one query, however many rules there are."""
    return list(_findings(tenant, now=now, rules=None, checks_grants=False))


def _findings(tenant: Tenant, *, now: datetime, rules: Sequence[Rule] | None, checks_grants: bool) -> Iterator[Finding]:
    active = list(Rule.objects.of(tenant).active().in_order())
    examined = active if rules is None else rules
    loops = loops_among(_not_ended([*active, *_inactive(examined, active)], now))
    checks = _GrantChecks(tenant)
    for rule in examined:
        yield from _findings_in(rule, now)
        yield from checks.findings(rule) if checks_grants else ()
        if loop := loops.get(rule.pk):
            yield _loop_finding(rule, loop)


def _inactive(rules: Iterable[Rule], active: Iterable[Rule]) -> list[Rule]:
    """The `rules` that are not active. They are examined as if they were."""
    known = {rule.pk for rule in active}
    return [rule for rule in rules if rule.pk not in known]


def _not_ended(rules: Iterable[Rule], now: datetime) -> list[Rule]:
    return [rule for rule in rules if rule.ends_at is None or rule.ends_at > now]


def _findings_in(rule: Rule, now: datetime) -> Iterator[Finding]:
    yield from _schedule_findings(rule, now)
    yield from _expression_findings(rule)
    for name in COUNTED:
        if rule.limits.get(name) == 0:
            yield Finding(rule, Level.ERROR, f"limits.{name}", "is 0: it never fires")


def _schedule_findings(rule: Rule, now: datetime) -> Iterator[Finding]:
    if rule.ends_at is not None and rule.ends_at <= now:
        yield Finding(rule, Level.WARNING, "ends_at", f"ended on {rule.ends_at:%Y-%m-%d %H:%M} UTC")
    if rule.starts_at is not None and rule.starts_at > now:
        yield Finding(rule, Level.NOTE, "starts_at", f"begins on {rule.starts_at:%Y-%m-%d %H:%M} UTC")


def _expression_findings(rule: Rule) -> Iterator[Finding]:
    if rule.expression is None:
        return
    try:
        if is_impossible(compile_expression(rule.expression).root):
            yield Finding(rule, Level.ERROR, "when.expression", "contradicts itself: it never fires")
    except MalformedExpression as malformed:
        yield Finding(rule, Level.ERROR, "when.expression", f"cannot be read: {malformed}")


def _loop_finding(rule: Rule, loop: Loop) -> Finding:
    """A loop that ends is only a warning, because it may be intended."""
    return Finding(rule, Level.WARNING if loop.ends else Level.ERROR, "then", loop_problem(loop))


class _GrantChecks:
    """Checks grants, each distinct grant once."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._problems: dict[str, FieldError | None] = {}

    def findings(self, rule: Rule) -> Iterator[Finding]:
        for index, spec in enumerate(rule.grants):
            if problem := self._problem(spec):
                path = ".".join(filter(None, ("then", str(index), problem.field)))
                yield Finding(rule, Level.ERROR, path, problem.message)

    def _problem(self, spec: Mapping[str, Any]) -> FieldError | None:
        key = json.dumps(spec, sort_keys=True)
        if key not in self._problems:
            self._problems[key] = grant_problem(self._tenant, spec)
        return self._problems[key]
