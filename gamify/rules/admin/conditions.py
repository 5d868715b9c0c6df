"""Converts expressions to rows of conditions and back. All conditions must hold; they test the event and its participant."""

from collections.abc import Mapping
from typing import Any


def conditions_of(expression: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the content of the editor's rows; None for an expression that rows cannot express."""
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
    """Return the expression that the rows express, not yet validated; None if there are no rows."""
    parts = [
        {"condition": {"field": field, "operator": operator, "value": value}}
        for field, wanted in (conditions or {}).items()
        for operator, value in (wanted.items() if isinstance(wanted, dict) else [("eq", wanted)])
    ]
    return {"and": parts} if len(parts) > 1 else next(iter(parts), None)
