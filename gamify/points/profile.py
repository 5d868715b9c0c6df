"""Points in the profile and in the state."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from gamify.points.selectors import totals_of
from participants.profile import AnyField, Section, Subject, sections


class PointsSummary(serializers.Serializer[Any]):
    balance = serializers.IntegerField(help_text="Points to spend now.")
    total_earned = serializers.IntegerField(help_text="Points ever earned.")
    total_spent = serializers.IntegerField(help_text="Points ever spent.")


def summary_of(subject: Subject) -> dict[str, int]:
    totals = totals_of(subject.participant)
    return {"balance": totals.balance, "total_earned": totals.earned, "total_spent": totals.spent}


def _profile(subject: Subject) -> Mapping[str, Any]:
    return {"points": summary_of(subject)}


def _profile_fields() -> Mapping[str, AnyField]:
    return {"points": PointsSummary(help_text="Where they stand with points.")}


def _state_field() -> AnyField:
    return PointsSummary(help_text="Where they stand with points.")


def register() -> None:
    sections.register(
        "points",
        Section(profile=_profile, state=summary_of, profile_fields=_profile_fields, state_field=_state_field),
    )
