"""Rules that trigger themselves: what a rule grants emits a domain event to which it listens, directly or through other rules."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gamify.facts.engine.tree import Comparison
from gamify.facts.services import grant_kinds
from gamify.rules.engine.contradictions import is_impossible
from gamify.rules.models import Rule
from gamify.rules.selectors.catalog import CompiledRule, compile_rule
from participants.errors import FieldError


@dataclass(frozen=True)
class Loop:
    """The shortest way from a rule back to itself, as codes of rules. `ends` if something may stop it."""

    codes: Sequence[str]
    ends: bool

    @property
    def way(self) -> str:
        return " → ".join((*self.codes, self.codes[0]))


@dataclass(frozen=True)
class _Trigger:
    """What one rule grants triggers `rule`. `is_endless` if that can happen without limit."""

    rule: UUID
    is_endless: bool


Triggers = Mapping[UUID, Sequence[_Trigger]]


def loops_among(rules: Sequence[Rule]) -> Mapping[UUID, Loop]:
    """Return the loop of each rule that is part of one. If it is part of several, one that does not end comes first."""
    known = {row.pk: compile_rule(row) for row in rules}
    triggers = {rule.id: list(_triggered_by(rule, known)) for rule in known.values()}
    loops = {rule_id: _loop(rule_id, triggers, known) for rule_id in known}
    return {rule_id: loop for rule_id, loop in loops.items() if loop is not None}


def endless_loops(rules: Iterable[Rule]) -> Mapping[UUID, FieldError]:
    """Return, by id, what is wrong with the active rules that trigger themselves without end.

    Such a rule never does what it says: the pipeline cuts every chain. Dates are ignored, because they only say when that happens.
    """
    loops = loops_among([rule for rule in rules if rule.is_active])
    return {
        rule_id: FieldError(
            "then", f"Triggers this rule again without end ({loop.way}). Set a limit on one of these rules."
        )
        for rule_id, loop in loops.items()
        if not loop.ends
    }


def loop_problem(loop: Loop) -> str:
    """Return what is wrong with a rule in `loop`, as the end of a sentence."""
    ends = (
        "until a limit, a condition, or something that is given only once, stops it"
        if loop.ends
        else "until the pipeline cuts the chain"
    )
    return f"triggers itself {ends}: {loop.way}"


def _loop(rule_id: UUID, triggers: Triggers, known: Mapping[UUID, CompiledRule]) -> Loop | None:
    endless = _way_back(rule_id, triggers, only_endless=True)
    way = endless or _way_back(rule_id, triggers, only_endless=False)
    return None if way is None else Loop([known[each].code for each in way], ends=endless is None)


def _triggered_by(giver: CompiledRule, known: Mapping[UUID, CompiledRule]) -> Iterator[_Trigger]:
    for spec in giver.grants:
        if spec["type"] not in grant_kinds:
            continue
        kind = grant_kinds[spec["type"]]
        for change, code_path in kind.leads_to.items():
            for listener in known.values():
                if change in listener.changes and _may_match(listener, code_path, spec):
                    yield _Trigger(listener.id, is_endless=change in kind.endless and not _may_stop(listener))


def _may_stop(listener: CompiledRule) -> bool:
    """Whether a rule may stop firing by itself. An expression may: it can compare the amount of points, for example."""
    return listener.is_limited or listener.expression is not None


def _may_match(listener: CompiledRule, code_path: str | None, spec: Mapping[str, Any]) -> bool:
    """Whether the expression of `listener` may hold for the domain event of this grant, which carries its code at `code_path`."""
    if listener.expression is None:
        return True
    known = [Comparison(code_path, "eq", spec["code"])] if code_path is not None and "code" in spec else []
    return not is_impossible(listener.expression.root, *known)


def _way_back(start: UUID, triggers: Triggers, *, only_endless: bool) -> Sequence[UUID] | None:
    """Return the rules on the shortest way from `start` to itself, beginning with `start`; None if there is no way."""
    before: dict[UUID, UUID] = {}
    waiting = deque([start])
    while waiting:
        giver = waiting.popleft()
        for trigger in triggers[giver]:
            if only_endless and not trigger.is_endless:
                continue
            if trigger.rule == start:
                return _way(start, giver, before)
            if trigger.rule not in before:
                before[trigger.rule] = giver
                waiting.append(trigger.rule)
    return None


def _way(start: UUID, last: UUID, before: Mapping[UUID, UUID]) -> Sequence[UUID]:
    way = [last]
    while way[-1] != start:
        way.append(before[way[-1]])
    return way[::-1]
