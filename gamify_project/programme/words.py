"""The changes of an import in words."""

import json
from collections.abc import Iterator
from typing import Any

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
