"""What the page shows of changes and of their impact."""

from typing import Any

from gamify_project.programme.impact import Impact
from gamify_project.programme.items import Key
from gamify_project.programme.planning import ADDED, ARCHIVED, CHANGED, Change
from gamify_project.programme.words import affected_in_words, impact_in_words, value_as_lines
from participants.admin.panels import Box

LABELS = {ADDED: "success", CHANGED: "info", ARCHIVED: "warning"}


def impact_box(impact: Impact) -> Box:
    """Return the table of what the chosen changes would have done."""
    title = f"What the chosen changes would have done in the last {impact.days} days"
    note = "Events and direct awards are played again in memory, for participants with the attributes that they have today. Streaks, challenges and limits begin at nothing."
    return Box(title, ("", "Present → planned"), list(impact_in_words(impact)), empty="", note=note)


def value_of(key: Key) -> str:
    """Return the value of the checkbox of a change."""
    return f"{key.noun}:{key.number}:{key.identity}"


def row_of(change: Change, chosen: set[str] | None) -> dict[str, Any]:
    """Return what the page shows of a change. `chosen` are the values of ticked checkboxes; None for all."""
    value = value_of(change.key)
    return {
        "value": value,
        "is_chosen": chosen is None or value in chosen,
        "action": change.action,
        "label": LABELS[change.action],
        "noun": change.kind.noun,
        "name": change.name,
        "code": change.key.identity,
        "affected": affected_in_words(change),
        "needs": [str(key) for key in change.needs],
        "differences": [
            {"name": name, "before": value_as_lines(change.before.get(name)), "after": value_as_lines(after)}
            for name, after in change.after.items()
            if name != change.kind.identity
        ],
        "is_new": change.action == ADDED,
    }
