"""Rules that feed themselves: what one gives is a change that it listens to, or that one listens to which feeds it."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gamify.facts.engine.tree import Comparison
from gamify.rules.engine.contradictions import is_impossible
from gamify.rules.models import Rule
from gamify.rules.selectors.catalog import CompiledRule, compile_rule

LEADS_TO: Mapping[str, Sequence[str]] = {
    "points": ("points.awarded", "tier.entered", "tier.upgraded"),
    "badge": ("badge.awarded",),
    "tier": ("tier.assigned",),
    "streak_tick": ("streak.incremented", "streak.milestone_reached"),
    "reward": ("reward.claimed", "reward.pending"),
}
"""The changes that come of each kind of grant."""

CODES_AT = {
    "badge.awarded": "badge_code",
    "tier.assigned": "tier.code",
    "streak.incremented": "streak_code",
    "streak.milestone_reached": "streak_code",
}
"""Where a change tells the code that was granted."""

ONCE = ("badge", "tier")
"""What a participant is given once: a chain through it ends by itself."""


@dataclass(frozen=True)
class Loop:
    """The shortest way from a rule back to itself, by code. `ends` where each turn of it is stopped by something."""

    codes: Sequence[str]
    ends: bool


@dataclass(frozen=True)
class _Feed:
    """`rule` hears what another gives; `is_endless` where that can be given again and again, and be heard as often."""

    rule: UUID
    is_endless: bool


Feeds = Mapping[UUID, Sequence[_Feed]]


def loops_among(rules: Sequence[Rule]) -> Mapping[UUID, Loop]:
    """The loop of each rule that is in one. Of several, one that does not end goes first."""
    known = {row.pk: compile_rule(row) for row in rules}
    feeds = {rule.id: list(_fed_by(rule, known)) for rule in known.values()}
    loops = {rule_id: _loop(rule_id, feeds, known) for rule_id in known}
    return {rule_id: loop for rule_id, loop in loops.items() if loop is not None}


def _loop(rule_id: UUID, feeds: Feeds, known: Mapping[UUID, CompiledRule]) -> Loop | None:
    endless = _way_back(rule_id, feeds, only_endless=True)
    way = endless or _way_back(rule_id, feeds, only_endless=False)
    return None if way is None else Loop([known[each].code for each in way], ends=endless is None)


def _fed_by(giver: CompiledRule, known: Mapping[UUID, CompiledRule]) -> Iterator[_Feed]:
    for spec in giver.grants:
        for change in LEADS_TO.get(spec["type"], ()):
            for hearer in known.values():
                if change in hearer.changes and _may_hear(hearer, change, spec):
                    is_endless = spec["type"] not in ONCE and not hearer.is_limited
                    yield _Feed(hearer.id, is_endless)


def _may_hear(hearer: CompiledRule, change: str, spec: Mapping[str, Any]) -> bool:
    """Whether its expression may hold for a change that tells of this grant."""
    if hearer.expression is None:
        return True
    tells = [Comparison(CODES_AT[change], "eq", spec["code"])] if change in CODES_AT and "code" in spec else []
    return not is_impossible(hearer.expression.root, *tells)


def _way_back(start: UUID, feeds: Feeds, *, only_endless: bool) -> Sequence[UUID] | None:
    """The rules on the shortest way from `start` to itself, `start` first."""
    before: dict[UUID, UUID] = {}
    waiting = deque([start])
    while waiting:
        giver = waiting.popleft()
        for feed in feeds[giver]:
            if only_endless and not feed.is_endless:
                continue
            if feed.rule == start:
                return _way(start, giver, before)
            if feed.rule not in before:
                before[feed.rule] = giver
                waiting.append(feed.rule)
    return None


def _way(start: UUID, last: UUID, before: Mapping[UUID, UUID]) -> Sequence[UUID]:
    way = [last]
    while way[-1] != start:
        way.append(before[way[-1]])
    return way[::-1]
