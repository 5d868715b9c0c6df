"""The bodies of challenges. Rules that involve several fields check the challenge as it will be after the change."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from rest_framework import serializers

from gamify.challenges.definitions.bodies import (
    MAX_MILESTONES,
    MAX_OBJECTIVES,
    ChallengeMilestone,
    ChallengeObjective,
    CompletionField,
)
from gamify.challenges.models import ALL, DurationChoice, EnrolmentChoice
from gamify.facts.definitions import GrantsField, grant_problems, message_endings
from participants.api.definitions import DefinitionChanges
from participants.api.fields import NameField, NewCodeField
from participants.api.scalars import CalendarInstantField, FlagField, WholeNumberField
from participants.engine import is_empty_period
from participants.errors import FieldError
from participants.models import Tenant

MAX_DAYS = 3650

OBJECTIVES_HELP = "The objectives of the challenge."
COMPLETION_HELP = "Number of objectives that complete the challenge, or `all` (default)."
MILESTONES_HELP = "Grants that are given before the challenge is completed."
COMPLETION_GRANTS_HELP = "Grants that are given when the challenge is completed."
REPEATABLE_HELP = "Whether the next event after a completion starts a new round."

_BELONGS_TO = {
    "starts_at": DurationChoice.FIXED,
    "ends_at": DurationChoice.FIXED,
    "duration_days": DurationChoice.ROLLING,
}


class ObjectivesField(serializers.ListField):
    child = ChallengeObjective()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            allow_empty=False,
            max_length=MAX_OBJECTIVES,
            error_messages=message_endings(),
            help_text=OBJECTIVES_HELP,
            **kwargs,
        )


class ChallengeChanges(DefinitionChanges):
    """Changes the given fields. Other fields stay as they are. `objectives` and `milestones` are replaced as a whole."""

    initial_values: ClassVar[Mapping[str, Any]] = {
        "duration_type": DurationChoice.PERPETUAL,
        "objectives": (),
        "completion": ALL,
        "milestones": (),
    }

    duration_type = serializers.ChoiceField(
        choices=DurationChoice.choices,
        required=False,
        help_text="`fixed`: between two instants; `rolling`: a number of days from the enrolment; `perpetual` (default): no end.",
    )
    starts_at = CalendarInstantField(
        required=False, allow_null=True, help_text="Fixed: start of the period in which events count."
    )
    ends_at = CalendarInstantField(required=False, allow_null=True, help_text="Fixed: end of that period (exclusive).")
    duration_days = WholeNumberField(
        min_value=1,
        max_value=MAX_DAYS,
        required=False,
        allow_null=True,
        help_text="Rolling: number of days of 24 hours.",
    )
    enrolment = serializers.ChoiceField(
        choices=EnrolmentChoice.choices,
        required=False,
        help_text="`automatic` (default): the first event that counts enrols; `manual`: only the enroll endpoint does.",
    )
    objectives = ObjectivesField(required=False)
    completion = CompletionField(required=False, help_text=COMPLETION_HELP)
    milestones = serializers.ListField(
        child=ChallengeMilestone(),
        required=False,
        max_length=MAX_MILESTONES,
        error_messages=message_endings(),
        help_text=MILESTONES_HELP,
    )
    completion_grants = GrantsField(required=False, help_text=COMPLETION_GRANTS_HELP)
    is_repeatable = FlagField(required=False, help_text=REPEATABLE_HELP)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The challenge as it is stored: fields of other duration types become null."""
        problems = [*self._duration_problems(attrs), *self._objective_problems(attrs), *self._milestone_problems(attrs)]
        if problems:
            raise serializers.ValidationError(nest_problems(problems))
        kind = self.after(attrs, "duration_type")
        return attrs | {name: None for name, belongs_to in _BELONGS_TO.items() if belongs_to != kind}

    def _duration_problems(self, attrs: Mapping[str, Any]) -> Iterator[FieldError]:
        kind = self.after(attrs, "duration_type")
        for name, belongs_to in _BELONGS_TO.items():
            if belongs_to == kind and self.after(attrs, name) is None:
                yield FieldError(name, f"Required for a {belongs_to} challenge.")
            elif belongs_to != kind and attrs.get(name) is not None:
                yield FieldError(name, f"Only a {belongs_to} challenge has it.")
        is_empty = is_empty_period(self.after(attrs, "starts_at"), self.after(attrs, "ends_at"))
        if kind == DurationChoice.FIXED and is_empty:
            yield FieldError("ends_at", "Must be after starts_at.")

    def _objective_problems(self, attrs: Mapping[str, Any]) -> Iterator[FieldError]:
        objectives = self.after(attrs, "objectives")
        yield from _code_problems(objectives)
        yield from _prerequisite_problems(objectives)
        if self._needed(attrs) > len(objectives):
            yield FieldError("completion", f"Must not be more than the {len(objectives)} objectives.")

    def _needed(self, attrs: Mapping[str, Any]) -> int:
        completion = self.after(attrs, "completion")
        return len(self.after(attrs, "objectives")) if completion == ALL else int(completion)

    def _milestone_problems(self, attrs: Mapping[str, Any]) -> Iterator[FieldError]:
        needed, known = self._needed(attrs), set[int]()
        for index, milestone in enumerate(self.after(attrs, "milestones")):
            number = milestone["objectives"]
            if number > needed:
                yield FieldError(
                    f"milestones.{index}.objectives", f"must not be more than the {needed} that complete it"
                )
            if number in known:
                yield FieldError(f"milestones.{index}.objectives", "must be unique")
            known.add(number)


def nest_problems(problems: Sequence[FieldError]) -> dict[str, Any]:
    """The problems nested by path, as serializers nest errors. Only the first problem of each path is included."""
    nested: dict[str, Any] = {}
    for problem in problems:
        *path, last = problem.field.split(".")
        inner = nested
        for name in path:
            inner = inner.setdefault(name, {})
        inner.setdefault(last, [problem.message])
    return nested


def _code_problems(objectives: Sequence[Mapping[str, Any]]) -> Iterator[FieldError]:
    known = set[str]()
    for index, objective in enumerate(objectives):
        if objective["code"] in known:
            yield FieldError(f"objectives.{index}.code", "must be unique")
        known.add(objective["code"])


def _prerequisite_problems(objectives: Sequence[Mapping[str, Any]]) -> Iterator[FieldError]:
    """Unknown prerequisites, and circles of prerequisites."""
    codes, completable = {objective["code"] for objective in objectives}, set(_completable(objectives))
    for index, objective in enumerate(objectives):
        for place, code in enumerate(objective["prerequisites"]):
            if code not in codes:
                yield FieldError(f"objectives.{index}.prerequisites.{place}", "must be the code of an objective")
            elif not {code, objective["code"]} & completable:
                yield FieldError(
                    f"objectives.{index}.prerequisites.{place}", "must not lead to a circle of prerequisites"
                )


def _completable(objectives: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the codes of objectives that can be completed in some order. Unknown prerequisites are ignored."""
    codes = {objective["code"] for objective in objectives}
    waiting = {objective["code"]: codes.intersection(objective["prerequisites"]) for objective in objectives}
    while ready := [code for code, needed in waiting.items() if not needed & waiting.keys()]:
        for code in ready:
            del waiting[code]
        yield from ready


class NewChallenge(ChallengeChanges):
    code = NewCodeField()
    name = NameField()
    objectives = ObjectivesField()


def challenge_grant_problems(tenant: Tenant, data: Mapping[str, Any]) -> Iterator[FieldError]:
    """Problems of the grants in validated data: each must name something that `tenant` can give."""
    for index, milestone in enumerate(data.get("milestones", ())):
        yield from grant_problems(tenant, milestone["grants"], at=f"milestones.{index}.grants")
    yield from grant_problems(tenant, data.get("completion_grants", ()), at="completion_grants")
