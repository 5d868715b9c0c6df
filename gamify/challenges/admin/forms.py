"""The form of a challenge. It builds the body that an API client would send, and the body of the API validates it."""

from collections.abc import Sequence
from typing import Any

from rest_framework.serializers import Serializer

from gamify.challenges.admin.milestones import MilestonesField
from gamify.challenges.admin.objectives import ObjectivesField
from gamify.challenges.admin.words import error_sentence
from gamify.challenges.definitions.challenges import ChallengeChanges, NewChallenge, challenge_grant_problems
from gamify.challenges.models import ALL, DurationChoice
from gamify.facts.admin.grants import GrantsField
from participants.admin.definitions import DefinitionForm
from participants.admin.fields import ChoiceField, IntegerField, MomentField, SwitchField
from participants.errors import FieldError

DURATIONS = [
    (DurationChoice.PERPETUAL, "without end"),
    (DurationChoice.FIXED, "from one day to another"),
    (DurationChoice.ROLLING, "some days for each participant"),
]
ENROLMENTS = [("automatic", "by the first event that counts"), ("manual", "only by being enrolled")]
OF_DURATION = {
    "starts_at": DurationChoice.FIXED,
    "ends_at": DurationChoice.FIXED,
    "duration_days": DurationChoice.ROLLING,
}


class ChallengeForm(DefinitionForm):
    create_body, update_body = NewChallenge, ChallengeChanges

    unset_words = {"completion": "all of them", "milestones": "none", "completion_grants": "nothing"}

    duration_type = ChoiceField(label="It lasts", choices=DURATIONS)
    starts_at = MomentField(label="From", help_text="UTC. Events count from then on. Participants can enrol before.")
    ends_at = MomentField(label="Until", help_text="UTC, exclusive: an event at this instant does not count.")
    duration_days = IntegerField(label="Days", help_text="Days of 24 hours, from the enrolment.")
    enrolment = ChoiceField(label="Enrolment", choices=ENROLMENTS)
    objectives = ObjectivesField()
    completion = IntegerField(
        label="Objectives needed", help_text="How many complete the challenge. Leave empty for all."
    )
    milestones = MilestonesField()
    completion_grants = GrantsField(label="Gives")
    is_repeatable = SwitchField(
        label="Can be repeated", help_text="The next event after a completion starts a new round."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.initial.get("completion") == ALL:
            self.initial["completion"] = None
        for name in ("milestones", "completion_grants"):
            self.fields[name].suggest_for(self.tenant)  # type: ignore[attr-defined]

    def body(self, names: Sequence[str]) -> dict[str, Any]:
        """The body without the fields of other durations, which the page hides."""
        kind = self.cleaned_data.get("duration_type")
        body = super().body([name for name in names if OF_DURATION.get(name, kind) == kind])
        if "completion" in body:
            body["completion"] = ALL if body["completion"] is None else body["completion"]
        return body

    def _bound_body(self) -> Serializer[Any]:
        judged = super()._bound_body()
        if judged.is_valid() and self.tenant:
            self._place(challenge_grant_problems(self.tenant, judged.validated_data))
        return judged

    def _field_of(self, error: FieldError) -> tuple[str | None, str]:
        field, _ = super()._field_of(error)
        return field, error_sentence(error)
