"""The changes of an import in words."""

import json
from collections.abc import Iterator
from typing import Any

from gamify_project.programme.impact.report import Difference, Impact
from gamify_project.programme.planning import ADDED, Change
from gamify_project.programme.yaml import write_yaml_value

LONGEST_VALUE = 200  # characters of a value that are shown


def affected_in_words(change: Change) -> str:
    """Return “affects 1,200 participants”, or nothing for a new definition."""
    if change.action == ADDED or change.affected is None:
        return ""
    return f"affects {change.affected:,} participant{'' if change.affected == 1 else 's'}"


def differences_in_words(change: Change) -> Iterator[str]:
    """Yield “rarity: common → rare” for each field that a change or archival touches."""
    if change.action == ADDED:
        return
    for name, after in change.after.items():
        yield f"{name}: {value_in_words(change.before.get(name))} → {value_in_words(after)}"


def value_in_words(value: Any) -> str:
    """Return a value as a short text. Objects and lists are compact JSON."""
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def value_as_lines(value: Any) -> str:
    """Return a value as a file has it: objects and lists in YAML."""
    if value is None or value in ({}, []):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return write_yaml_value(value) if isinstance(value, dict | list) else str(value)


def impact_in_words(impact: Impact) -> Iterator[tuple[str, str]]:
    """Yield the lines of a report for people, as pairs of a title and a text."""
    difference = impact.points_after - impact.points_before
    yield "played", f"{impact.acts:,} acts of {impact.participants:,} participants"
    if impact.is_cut:
        yield "cut", "there is more; this is a part of it"
    yield "affected", f"{impact.affected:,} participants"
    yield "points", f"{impact.points_before:,} → {impact.points_after:,} ({difference:+,})"
    for kind, code in sorted({*impact.gained, *impact.lost}):
        yield f"{kind} {code}", f"{impact.gained[kind, code]:,} gained, {impact.lost[kind, code]:,} lost"
    for (old, new), number in sorted(impact.tier_moves.items(), key=lambda move: -move[1]):
        yield f"tier {old or 'none'} → {new or 'none'}", f"{number:,} participants"
    for each in impact.most:
        yield each.participant_id, difference_in_words(each)


def difference_in_words(difference: Difference) -> str:
    """Return how one participant would differ, such as “+50 points, badge vip, silver → gold”."""
    points = [f"{difference.points:+,} points"] if difference.points else []
    things = [
        f"{'' if number > 0 else 'without '}{kind} {code}" for (kind, code), number in sorted(difference.things.items())
    ]
    moved = difference.tier_before != difference.tier_after
    tier = [f"{difference.tier_before or 'no tier'} → {difference.tier_after or 'no tier'}"] if moved else []
    return ", ".join([*points, *things, *tier])
