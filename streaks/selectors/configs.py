"""A streak's configuration in the shape of the Phoenix dialect."""

from typing import Any

from gamify.facts.engine.expressions import expression_as_filter, filter_as_expression
from streaks.models import Streak

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def config_of(streak: Streak, *, tenant_zone: str) -> dict[str, Any]:
    """The whole configuration, whichever dialect the streak was defined in."""
    expression = expression_of(streak)
    return {
        "event_types": list(streak.event_types),
        **({} if expression is None else {"expression": expression}),
        "window": window_of(streak, tenant_zone=tenant_zone),
        "condition": streak.condition,
        "milestones": streak.milestones,
        **({} if streak.at_risk_seconds is None else {"at_risk_seconds": streak.at_risk_seconds}),
    }


def window_of(streak: Streak, *, tenant_zone: str) -> dict[str, Any]:
    """The window part of the configuration."""
    if streak.is_rolling:
        return {"type": "rolling", "duration_seconds": streak.duration_seconds}
    return {
        "type": "calendar",
        "period": streak.period,
        "timezone": streak.timezone or tenant_zone,
        "reset_time": streak.reset_time,
        **({"week_start": WEEKDAYS[streak.week_start]} if streak.week_start else {}),
    }


def expression_of(streak: Streak) -> dict[str, Any] | None:
    """The event filter in the long form. None if all events count."""
    if streak.expression is not None:
        return dict(streak.expression)
    return filter_as_expression(streak.fact_filter) if streak.fact_filter else None


def filter_of(streak: Streak) -> dict[str, Any] | None:
    """The event filter in the short form. None if all events count, or if the short form cannot express the filter."""
    if streak.expression is not None:
        return expression_as_filter(streak.expression)
    return streak.fact_filter and dict(streak.fact_filter)
