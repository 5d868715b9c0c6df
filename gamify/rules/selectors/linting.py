"""What is wrong with rules, or will be: found by reading them, before anybody wonders why nothing happens.

What cannot be given is asked of the database; all the rest is found in the rules themselves (`is_thorough=False`).
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
from gamify.rules.selectors.loops import Loop, loops_among
from participants.errors import FieldError
from participants.models import Tenant

COUNTED = ("per_day", "per_week", "ever")


class Level(StrEnum):
    """An error keeps a rule from doing what it says; a warning may be meant; a note is nothing to mend."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """`field` is the dotted path in the rule's body, as the API has it."""

    rule: Rule
    level: Level
    field: str
    message: str


def findings(tenant: Tenant, *, now: datetime, rules: Sequence[Rule] | None = None) -> list[Finding]:
    """What is wrong with the tenant's active rules, or with `rules` of theirs, in their order."""
    return list(_findings(tenant, now=now, rules=rules, is_thorough=True))


def static_findings(tenant: Tenant, *, now: datetime) -> list[Finding]:
    """The same of the active ones, but for what they cannot give: one query however many rules there are."""
    return list(_findings(tenant, now=now, rules=None, is_thorough=False))


def _findings(tenant: Tenant, *, now: datetime, rules: Sequence[Rule] | None, is_thorough: bool) -> Iterator[Finding]:
    active = list(Rule.objects.of(tenant).active().in_order())
    looked_at = active if rules is None else rules
    loops = loops_among(_in_force([*active, *_more(looked_at, active)], now))
    problems = _Problems(tenant)
    for rule in looked_at:
        yield from _of_itself(rule, now)
        yield from problems.of(rule) if is_thorough else ()
        if loop := loops.get(rule.pk):
            yield _feeds_itself(rule, loop)


def _more(rules: Iterable[Rule], active: Iterable[Rule]) -> list[Rule]:
    """Those that are not active: what they would do if they were."""
    known = {rule.pk for rule in active}
    return [rule for rule in rules if rule.pk not in known]


def _in_force(rules: Iterable[Rule], now: datetime) -> list[Rule]:
    """Those that still may fire."""
    return [rule for rule in rules if rule.ends_at is None or rule.ends_at > now]


def _of_itself(rule: Rule, now: datetime) -> Iterator[Finding]:
    yield from _schedule(rule, now)
    yield from _expression(rule)
    for name in COUNTED:
        if rule.limits.get(name) == 0:
            yield Finding(rule, Level.ERROR, f"limits.{name}", "is 0: it never fires")


def _schedule(rule: Rule, now: datetime) -> Iterator[Finding]:
    if rule.ends_at is not None and rule.ends_at <= now:
        yield Finding(rule, Level.WARNING, "ends_at", f"ended on {rule.ends_at:%Y-%m-%d %H:%M} UTC")
    if rule.starts_at is not None and rule.starts_at > now:
        yield Finding(rule, Level.NOTE, "starts_at", f"begins on {rule.starts_at:%Y-%m-%d %H:%M} UTC")


def _expression(rule: Rule) -> Iterator[Finding]:
    if rule.expression is None:
        return
    try:
        if is_impossible(compile_expression(rule.expression).root):
            yield Finding(rule, Level.ERROR, "when.expression", "contradicts itself: it never fires")
    except MalformedExpression as malformed:
        yield Finding(rule, Level.ERROR, "when.expression", f"cannot be read: {malformed}")


def _feeds_itself(rule: Rule, loop: Loop) -> Finding:
    """What ends by itself may be meant."""
    way = " → ".join((*loop.codes, loop.codes[0]))
    ends = "until a limit or a badge they have stops it" if loop.ends else "until the chain is cut"
    return Finding(rule, Level.WARNING if loop.ends else Level.ERROR, "then", f"feeds itself, {ends}: {way}")


class _Problems:
    """What grants cannot be given, asked once of those that say the same."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._known: dict[str, FieldError | None] = {}

    def of(self, rule: Rule) -> Iterator[Finding]:
        for index, spec in enumerate(rule.grants):
            if problem := self._problem(spec):
                path = ".".join(filter(None, ("then", str(index), problem.field)))
                yield Finding(rule, Level.ERROR, path, problem.message)

    def _problem(self, spec: Mapping[str, Any]) -> FieldError | None:
        said = json.dumps(spec, sort_keys=True)
        if said not in self._known:
            self._known[said] = grant_problem(self._tenant, spec)
        return self._known[said]
