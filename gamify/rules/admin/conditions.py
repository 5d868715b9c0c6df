"""Expressions as rows of conditions that must all hold, of the event and of its participant."""

from collections.abc import Mapping
from typing import Any


def conditions_of(expression: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the rows of the editor are made of; None for an expression that rows cannot say."""
    parts = expression.get("and", [expression])
    conditions = [part["condition"] for part in parts if "condition" in part]
    questions = {(condition["field"], condition["operator"]) for condition in conditions}
    if len(questions) < len(parts):
        return None
    wanted: dict[str, dict[str, Any]] = {}
    for condition in conditions:
        wanted.setdefault(condition["field"], {})[condition["operator"]] = condition["value"]
    return {field: operators["eq"] if set(operators) == {"eq"} else operators for field, operators in wanted.items()}


def expression_of(conditions: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The expression that the rows say, not yet judged; None where there are none."""
    asked = [
        {"condition": {"field": field, "operator": operator, "value": value}}
        for field, wanted in (conditions or {}).items()
        for operator, value in (wanted.items() if isinstance(wanted, dict) else [("eq", wanted)])
    ]
    return {"and": asked} if len(asked) > 1 else next(iter(asked), None)
