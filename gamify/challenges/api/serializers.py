"""Bodies and answers about challenges."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gamify.challenges.definitions import ChallengeMilestone, ChallengeObjective, CompletionField
from gamify.challenges.engine import Objective
from gamify.challenges.models import DurationChoice, EnrolmentChoice
from gamify.challenges.selectors import CompiledChallenge, EnrolmentStatus, Status
from gamify.facts.definitions import GrantsField
from participants.api.definitions import DefinitionAnswer
from participants.api.fields import ParticipantIdField

STATUSES = [status.value for status in Status]


@extend_schema_field({"type": "number", "minimum": 0})
class AmountField(serializers.Field[Any, Any, Any, Any]):
    """A number as it is: whole where it is whole."""

    def to_representation(self, value: Any) -> Any:
        return value


class ObjectiveStanding(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Code of the objective.")
    label = serializers.CharField(help_text="What it is called.")  # type: ignore[assignment]  # a field, too, has one
    current = AmountField(help_text="What events have come to in this round.")
    target = AmountField(help_text="What completes it.")
    completed = serializers.BooleanField(help_text="Whether it is completed in this round.")


class ChallengeStanding(serializers.Serializer[Any]):
    """One participant in one challenge."""

    code = serializers.CharField(help_text="Code of the challenge.")
    name = serializers.CharField(help_text="Its name.")
    status = serializers.ChoiceField(
        choices=STATUSES,
        help_text="`available` to be begun, `active`, `completed`, or `expired`: it ended before it was completed.",
    )
    enrolled_at = serializers.DateTimeField(allow_null=True, help_text="Since when they take part, or null.")
    ends_at = serializers.DateTimeField(allow_null=True, help_text="When it ends for them; null for never.")
    completed_at = serializers.DateTimeField(allow_null=True, help_text="When they completed it last, or null.")
    completions = serializers.IntegerField(help_text="How often they have completed it.")
    objectives = ObjectiveStanding(many=True, help_text="Where they stand in each objective.")


class WithParticipantId(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()


class EnrolBody(WithParticipantId):
    """Who is to take part."""


class EnrolledAnswer(WithParticipantId, ChallengeStanding):
    """Where they stand now."""


class ParticipantChallengesAnswer(WithParticipantId):
    challenges = ChallengeStanding(many=True, help_text="Those they take part in and those they may, in display order.")


class OpenObjective(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Code of the objective.")
    label = serializers.CharField(help_text="What it is called.")  # type: ignore[assignment]  # a field, too, has one
    target = AmountField(help_text="What completes it.")
    prerequisites = serializers.ListField(
        child=serializers.CharField(), help_text="Codes of the objectives that come before it."
    )


class ChallengeTerms(serializers.Serializer[Any]):
    """What is the same for whoever reads of a challenge."""

    duration_type = serializers.ChoiceField(choices=DurationChoice.choices, help_text="What decides when it ends.")
    starts_at = serializers.DateTimeField(allow_null=True, help_text="Fixed: since when events count; else null.")
    ends_at = serializers.DateTimeField(allow_null=True, help_text="Fixed: until when they count; else null.")
    duration_days = serializers.IntegerField(allow_null=True, help_text="Rolling: days from the enrolment; else null.")
    enrolment = serializers.ChoiceField(choices=EnrolmentChoice.choices, help_text="How one comes to take part.")
    completion = CompletionField(help_text="How many of the objectives complete it, or `all`.")
    milestones = ChallengeMilestone(many=True, help_text="What is given on the way.")
    completion_grants = GrantsField(help_text="What is given for completing it.")
    is_repeatable = serializers.BooleanField(help_text="Whether it begins anew after a completion.")


class OpenChallenge(ChallengeTerms):
    code = serializers.CharField(help_text="Code of the challenge.")
    name = serializers.CharField(help_text="Its name.")
    description = serializers.CharField(allow_null=True, help_text="What it is for, or null.")
    objectives = OpenObjective(many=True, help_text="What is to be done.")


class OpenChallengesAnswer(serializers.Serializer[Any]):
    challenges = OpenChallenge(many=True, help_text="Those that can be taken part in now, in display order.")


class ChallengeAnswer(DefinitionAnswer, ChallengeTerms):
    objectives = ChallengeObjective(many=True, help_text="What is to be done.")


def enrolment_answer(standing: EnrolmentStatus) -> dict[str, Any]:
    state, challenge = standing.state, standing.challenge
    return {
        "code": challenge.code,
        "name": challenge.name,
        "status": standing.status.value,
        "enrolled_at": state and state.enrolled_at,
        "ends_at": standing.ends_at,
        "completed_at": state and state.completed_at,
        "completions": state.completions if state else 0,
        "objectives": [_objective_answer(standing, objective) for objective in challenge.rules.objectives],
    }


def _objective_answer(standing: EnrolmentStatus, objective: Objective) -> dict[str, Any]:
    state = standing.state
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
