"""Points in the profile and in the state."""

from collections.abc import Mapping
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


def _profile(subject: Subject) -> Mapping[str, Any]:
    return {"points": _state(subject)}


def _profile_fields() -> Mapping[str, AnyField]:
    return {"points": _state_field()}


def _state_field() -> AnyField:
    return PointsSummary(help_text="Balance and totals of the participant, in points.")


def register() -> None:
    sections.register(
        "points",
        Section(profile=_profile, state=_state, profile_fields=_profile_fields, state_field=_state_field),
    )
