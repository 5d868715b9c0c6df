"""Texts about challenges for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from gamify.challenges.models import ALL, Challenge, DurationChoice
from gamify.challenges.selectors import EnrolmentStatus
from gamify.facts.admin.words import expression_in_words, grant_error_sentence, grant_in_words
from gamify.facts.engine.conditions import ConditionKind
from participants.admin.words import counted, sentence_of
from participants.errors import FieldError

_PARTS = {
    "code": "the code",
    "label": "the name",
    "event_types": "the list of events",
    "min": "the number to be reached",
    "field": "the property",
    "type": "the kind of condition",
    "prerequisites": "the list of prerequisites",
    "objectives": "the number of objectives",
    "grants": "the list of grants",
}


def error_sentence(error: FieldError) -> str:
    """The message of an error as a sentence, for display beside its editor.

    Messages about parts of a definition are ends of sentences, in lower case. This function adds the beginning.
    """
    head, *path = error.field.split(".")
    if not error.message[:1].islower():
        return error.message
    if head == "completion_grants":
        return grant_error_sentence(path, error.message)
    if not path:
        return f"The list of {head} {error.message}."
    number = f"No. {int(path[0]) + 1}: " if path[0].isdecimal() else ""
    if "grants" in path and len(path) > path.index("grants") + 1:
        return f"{number}grant {grant_error_sentence(path[path.index('grants') + 1 :], error.message)}"
    return f"{number}{_part(path)} {error.message}."


def _part(path: Sequence[str]) -> str:
    """The words for the innermost name of a path."""
    return next((_PARTS[name] for name in reversed(path) if name in _PARTS), "it")


def objective_in_words(objective: Mapping[str, Any]) -> str:
    """Return an objective in words, such as `Log in (login): 5 × login, only where plan is “pro”, only after start`."""
    parts = [_condition_in_words(objective["condition"], ", ".join(objective["event_types"]))]
    if expression := objective.get("expression"):
        parts.append(f"only where {expression_in_words(expression)}")
    if earlier := objective.get("prerequisites"):
        parts.append(f"only after {', '.join(earlier)}")
    return f"{objective['label']} ({objective['code']}): {', '.join(parts)}"


def _condition_in_words(condition: Mapping[str, Any], events: str) -> str:
    minimum, of = f"{condition['min']:,}", "any event" if events == "*" else events
    if condition["type"] == ConditionKind.COUNT:
        return f"{minimum} × {of}"
    if condition["type"] == ConditionKind.SUM:
        return f"{condition['field']} of {of} adds up to {minimum}"
    return f"{minimum} different {condition['field']} of {of}"


def duration_of(challenge: Challenge) -> str:
    if challenge.duration_type == DurationChoice.ROLLING:
        return f"{challenge.duration_days:,} days each"
    if challenge.duration_type == DurationChoice.FIXED:
        return f"{challenge.starts_at:%Y-%m-%d %H:%M} to {challenge.ends_at:%Y-%m-%d %H:%M} UTC"
    return "no end"


def needed_of(challenge: Challenge) -> str:
    number = len(challenge.objectives)
    return f"all {number}" if challenge.completion == ALL else f"{challenge.completion} of {number}"


def challenge_in_words(challenge: Challenge) -> str:
    """Return a challenge as one sentence."""
    objectives = challenge.objectives or ()
    needed = counted(len(objectives), "objective") if objectives else "no objective yet"
    return sentence_of(
        [
            needed if challenge.completion == ALL else f"{challenge.completion} of {needed}",
            *map(objective_in_words, objectives),
            f"it lasts: {duration_of(challenge)}",
            "the first event that counts enrols"
            if challenge.enrolment == "automatic"
            else "only who is enrolled takes part",
            *(_milestone_in_words(each, challenge) for each in challenge.milestones or ()),
            f"when it is completed: {_grants_in_words(challenge.completion_grants, challenge) or 'nothing is given'}",
            "can be repeated" if challenge.is_repeatable else "",
        ]
    )


def _milestone_in_words(stored: Mapping[str, Any], challenge: Challenge) -> str:
    return f"after {counted(stored['objectives'], 'objective')}: {_grants_in_words(stored['grants'], challenge)}"


def _grants_in_words(grants: Sequence[Mapping[str, Any]], challenge: Challenge) -> str:
    return " and ".join(grant_in_words(spec, challenge.tenant) for spec in grants)


def progress_of(status: EnrolmentStatus) -> str:
    """The progress in each objective, for example `Log in 3 of 5, Review done`."""
    state = status.state
    if state is None:
        return ""
    return ", ".join(
        f"{objective.label} done"
        if objective.code in state.done
        else f"{objective.label} {state.current(objective):,} of {objective.target:,}"
        for objective in status.challenge.rules.objectives
    )
