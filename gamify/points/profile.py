"""The section `points` of profile and state."""

from typing import Any

from rest_framework import serializers

from gamify.points.engine import Totals
from gamify.points.selectors import totals_of
from participants.profile import AnyField, Section, Subject, sections


class PointsSummary(serializers.Serializer[Any]):
    balance = serializers.IntegerField(help_text="Points that can be spent now.")
    total_earned = serializers.IntegerField(help_text="Points ever earned.")
    total_spent = serializers.IntegerField(help_text="Points ever spent.")


def summary(totals: Totals) -> dict[str, int]:
    return {"balance": totals.balance, "total_earned": totals.earned, "total_spent": totals.spent}


def _state(subject: Subject) -> dict[str, int]:
    return summary(totals_of(subject.participant))


def _field() -> AnyField:
    return PointsSummary(help_text="Balance and totals of the participant, in points.")


def register() -> None:
    section = Section(
        state=_state,
        state_field=_field,
        profile=lambda subject: {"points": _state(subject)},
        profile_fields=lambda: {"points": _field()},
    )
    sections.register("points", section)
