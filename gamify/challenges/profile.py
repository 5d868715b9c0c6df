"""Challenges in the state; the profile of the spec does not have them."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from gamify.challenges.selectors import Status, enrolment_statuses
from participants.profile import AnyField, Section, Subject, sections


class ChallengesSummary(serializers.Serializer[Any]):
    active = serializers.IntegerField(help_text="Number of challenges under way.")
    completed = serializers.IntegerField(help_text="Number of completions, repeated ones included.")


def _profile(subject: Subject) -> Mapping[str, Any]:
    return {}


def _state(subject: Subject) -> Mapping[str, int]:
    statuses = enrolment_statuses(subject.participant, subject.catalog, now=subject.now)
    completed = 0 if subject.participant is None else subject.participant.challenges_completed
    return {"active": sum(each.status is Status.ACTIVE for each in statuses), "completed": completed}


def _profile_fields() -> Mapping[str, AnyField]:
    return {}


def _state_field() -> AnyField:
    return ChallengesSummary(help_text="Numbers of active and completed challenges.")


def register() -> None:
    sections.register(
        "challenges",
        Section(profile=_profile, state=_state, profile_fields=_profile_fields, state_field=_state_field),
    )
