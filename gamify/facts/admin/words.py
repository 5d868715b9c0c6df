"""How what definitions say is said to people, in plain words."""

from collections.abc import Mapping, Sequence
from typing import Any

from participants.admin import conditions

POINTS, BY_PROPERTY, REWARD = "points", "points_by", "reward"
KINDS = {
    POINTS: "Points",
    BY_PROPERTY: "Points by a property",
    "badge": "Badge",
    "tier": "Tier",
    "streak_tick": "Tick of a streak",
    REWARD: "Reward",
}
ROUNDINGS = {"": "rounded down", "round": "rounded", "ceil": "rounded up"}
# --- grants -----------------------------------------------------------------------------------------------------------

_PARTS = {
    "type": "the kind",
    "amount": "the number of points",
    "field": "the property",
    "factor": "the factor",
    "rounding": "the rounding",
    "max": "the most",
    "code": "the code",
    "id": "the reward",
}


def grant_error_sentence(path: Sequence[str], message: str) -> str:
    """What is wrong with a grant, beside the editor; `path` is where in the list of grants: `1.code`."""
    number = next((f"No. {int(part) + 1}: " for part in path if part.isdecimal()), "")
    part = _PARTS.get(path[-1], "") if path else ""
    if message.startswith("must"):
        return f"{number}{part} {message}." if part else f"{number}{message}."
    return f"{number}{message.rstrip('.')}."


def grant_in_words(spec: Mapping[str, Any]) -> str:
    """10 points; 1.5 × amount points, at most 500; badge vip."""
    kind = spec.get("type")
    if kind == POINTS:
        return f"{spec['amount']:,} points" if isinstance(spec.get("amount"), int) else _sum_in_words(spec)
    named = spec.get("id") if kind == REWARD else spec.get("code")
    return f"{KINDS.get(str(kind), str(kind)).lower()} {named}"


def _sum_in_words(spec: Mapping[str, Any]) -> str:
    factor = f"{spec['factor']} × " if spec.get("factor", 1) != 1 else ""
    rounded = f", {ROUNDINGS[spec['rounding']]}" if spec.get("rounding") in ("round", "ceil") else ""
    most = f", at most {spec['max']}" if spec.get("max") else ""
    return f"{factor}{spec.get('field')} points{rounded}{most}"


# --- expressions ------------------------------------------------------------------------------------------------------

_JOINED = {"and": " and ", "or": " or "}


def expression_in_words(expression: Mapping[str, Any]) -> str:
    """An expression of the API: plan is “pro” and not (amount is at least 10)."""
    ((kind, body),) = expression.items()
    if kind == "condition":
        return condition_in_words(body)
    if kind == "not":
        return f"not ({expression_in_words(body)})"
    return _JOINED[kind].join(_part(part) for part in body)


def _part(part: Mapping[str, Any]) -> str:
    said = expression_in_words(part)
    return f"({said})" if len(part.keys() & _JOINED.keys()) else said


def condition_in_words(body: Mapping[str, Any]) -> str:
    """The inside of a condition: amount is at least 10."""
    return conditions.condition_in_words(body["field"], body["operator"], body["value"])
