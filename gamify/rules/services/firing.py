"""Fires rules, and counts firings towards their limits."""

from collections.abc import Iterable, Sequence

from gamify.facts.services import Fact
from gamify.rules.engine.limits import Limit, Tally, limit_reached, with_firing
from gamify.rules.models import RuleTally
from gamify.rules.selectors import CompiledRule, rules_in
from participants.work import Load, UnitOfWork


def loads_for(rules: Iterable[CompiledRule]) -> Sequence[Load]:
    """Return what a unit must load before `fire` is called for these rules. Rules without limits need nothing."""
    limited = tuple(dict.fromkeys(rule.id for rule in rules if rule.is_limited))
    return [Load(RuleTally, "rule_id", limited)] if limited else []


def fire(work: UnitOfWork, rule: CompiledRule, fact: Fact) -> Limit | None:
    """Count one more firing of `rule`, and return None; or return the limit that stops it. The unit must have loaded `loads_for`."""
    if not rule.is_limited:
        return None
    row = work.row(RuleTally, fact.participant, rule.id)
    tally, day = Tally() if row is None else row.tally, rules_in(work.catalog).day_of(fact.at)
    if limit := limit_reached(tally, rule.limits, at=fact.at, day=day):
        return limit
    _write(work, rule, fact, row, with_firing(tally, at=fact.at, day=day))
    return None


def _write(work: UnitOfWork, rule: CompiledRule, fact: Fact, row: RuleTally | None, tally: Tally) -> None:
    if row is not None:
        row.tally = tally
        work.change(row, "total", "days", "last_at")
        return
    row = RuleTally(tenant_id=work.tenant.pk, participant_id=fact.participant.pk, rule_id=rule.id)
    row.tally = tally
    work.add(row)
