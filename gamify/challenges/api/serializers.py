"""Serializers of the challenge endpoints: bodies and answers."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gamify.challenges.definitions.bodies import ChallengeMilestone, ChallengeObjective, CompletionField
from gamify.challenges.definitions.challenges import (
    COMPLETION_GRANTS_HELP,
    MILESTONES_HELP,
    OBJECTIVES_HELP,
    REPEATABLE_HELP,
)
from gamify.challenges.engine import Objective
from gamify.challenges.models import DurationChoice, EnrolmentChoice
from gamify.challenges.selectors import CompiledChallenge, EnrolmentStatus, Status
from gamify.facts.definitions import GrantsField
from participants.api.definitions import DefinitionAnswer
from participants.api.fields import ParticipantIdField

STATUSES = [status.value for status in Status]


@extend_schema_field({"type": "number", "minimum": 0})
class AmountField(serializers.Field[Any, Any, Any, Any]):
    """A number, rendered as it is: an integer stays an integer."""

    def to_representation(self, value: Any) -> Any:
        return value


class ObjectiveStanding(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Code of the objective.")
    label = serializers.CharField(help_text="What it is called.")  # type: ignore[assignment]  # a field, too, has one
    current = AmountField(help_text="Progress in this round, in the unit of its condition.")
    target = AmountField(help_text="The progress that completes it.")
    completed = serializers.BooleanField(help_text="Whether it is completed in this round.")


class ChallengeStanding(serializers.Serializer[Any]):
    """The status of one participant in one challenge."""

    code = serializers.CharField(help_text="Code of the challenge.")
    name = serializers.CharField(help_text="Its name.")
    status = serializers.ChoiceField(
        choices=STATUSES,
        help_text="`available`: not enrolled yet; `active`; `completed`; `expired`: ended before it was completed.",
    )
    enrolled_at = serializers.DateTimeField(allow_null=True, help_text="Start of the enrolment, or null.")
    ends_at = serializers.DateTimeField(allow_null=True, help_text="End of the enrolment; null if it has no end.")
    completed_at = serializers.DateTimeField(allow_null=True, help_text="When it was completed last, or null.")
    completions = serializers.IntegerField(help_text="How often it was completed.")
    objectives = ObjectiveStanding(many=True, help_text="The progress in each objective.")


class WithParticipantId(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()


class EnrolBody(WithParticipantId):
    """The participant to enrol."""


class EnrolledAnswer(WithParticipantId, ChallengeStanding):
    """The participant's status in the challenge."""


class ParticipantChallengesAnswer(WithParticipantId):
    challenges = ChallengeStanding(many=True, help_text="Challenges with or open for enrolment, in display order.")


class OpenObjective(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Code of the objective.")
    label = serializers.CharField(help_text="What it is called.")  # type: ignore[assignment]  # a field, too, has one
    target = AmountField(help_text="The progress that completes it.")
    prerequisites = serializers.ListField(
        child=serializers.CharField(), help_text="Codes of objectives that must be completed before it counts events."
    )


class ChallengeTerms(serializers.Serializer[Any]):
    """The fields of a challenge that the answers to participants and administrators share."""

    duration_type = serializers.ChoiceField(choices=DurationChoice.choices, help_text="What determines its end.")
    starts_at = serializers.DateTimeField(allow_null=True, help_text="Fixed: start of the period; else null.")
    ends_at = serializers.DateTimeField(allow_null=True, help_text="Fixed: end of the period (exclusive); else null.")
    duration_days = serializers.IntegerField(allow_null=True, help_text="Rolling: days from the enrolment; else null.")
    enrolment = serializers.ChoiceField(choices=EnrolmentChoice.choices, help_text="How participants are enrolled.")
    completion = CompletionField(help_text="Number of objectives that complete it, or `all`.")
    milestones = ChallengeMilestone(many=True, help_text=MILESTONES_HELP)
    completion_grants = GrantsField(help_text=COMPLETION_GRANTS_HELP)
    is_repeatable = serializers.BooleanField(help_text=REPEATABLE_HELP)


class OpenChallenge(ChallengeTerms):
    code = serializers.CharField(help_text="Code of the challenge.")
    name = serializers.CharField(help_text="Its name.")
    description = serializers.CharField(allow_null=True, help_text="Its description, or null.")
    objectives = OpenObjective(many=True, help_text=OBJECTIVES_HELP)


class OpenChallengesAnswer(serializers.Serializer[Any]):
    challenges = OpenChallenge(many=True, help_text="Challenges that accept enrolments, in display order.")


class ChallengeAnswer(DefinitionAnswer, ChallengeTerms):
    objectives = ChallengeObjective(many=True, help_text=OBJECTIVES_HELP)


def enrolment_answer(status: EnrolmentStatus) -> dict[str, Any]:
    state, challenge = status.state, status.challenge
    return {
        "code": challenge.code,
        "name": challenge.name,
        "status": status.status.value,
        "enrolled_at": state and state.enrolled_at,
        "ends_at": status.ends_at,
        "completed_at": state and state.completed_at,
        "completions": state.completions if state else 0,
        "objectives": [_objective_answer(status, objective) for objective in challenge.rules.objectives],
    }


def _objective_answer(status: EnrolmentStatus, objective: Objective) -> dict[str, Any]:
    state = status.state
    return {
        "code": objective.code,
        "label": objective.label,
        "current": state.current(objective) if state else 0,
        "target": objective.target,
        "completed": state is not None and objective.code in state.done,
    }


def open_challenge_answer(challenge: CompiledChallenge) -> dict[str, Any]:
    row = challenge.row
    return {
        **{name: getattr(row, name) for name in ("code", "name", "description", *ChallengeTerms().fields)},
        "objectives": [
            {
                "code": objective.code,
                "label": objective.label,
                "target": objective.target,
                "prerequisites": list(objective.prerequisites),
            }
            for objective in challenge.rules.objectives
        ],
    }
