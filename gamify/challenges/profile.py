"""The section `challenges` of the state. The published profile has no such section."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from gamify.challenges.selectors import ENROLMENTS, Status, enrolment_queries, enrolment_statuses
from participants.profile import Section, Subject, sections


class ChallengesSummary(serializers.Serializer[Any]):
    active = serializers.IntegerField(help_text="Number of challenges under way.")
    completed = serializers.IntegerField(help_text="Number of completions, repeated ones included.")


def _state(subject: Subject) -> Mapping[str, int]:
    enrolments = subject.rows.get(ENROLMENTS)
    statuses = enrolment_statuses(subject.participant, subject.catalog, now=subject.now, enrolments=enrolments)
    completed = 0 if subject.participant is None else subject.participant.challenges_completed
    return {"active": sum(each.status is Status.ACTIVE for each in statuses), "completed": completed}


def register() -> None:
    section = Section(
        state=_state,
        state_queries=enrolment_queries,
        state_field=lambda: ChallengesSummary(help_text="Numbers of active and completed challenges."),
    )
    sections.register("challenges", section)
