"""Registrations of the challenges domain with the layers below."""

from gamify.challenges.models import Enrolment
from gamify.challenges.selectors.catalog import challenges_in
from gamify.challenges.services.reversing import undo
from gamify.facts.engine.conditions import anonymize_stored
from gamify.facts.engine.metrics import MetricKind
from gamify.facts.services import column_metric, register_metric, undoers
from participants import events
from participants.causes import irreversible_events
from participants.events import CODES, INSTANT, INTEGER, TEXT, EventField
from participants.models import Participant
from participants.services.participants import Eraser, delete_rows, erasers
from participants.services.personal_data import PersonalTable


def _clear_values(participant: Participant) -> None:
    """Anonymizing keeps the number of distinct values, and replaces the values."""
    for row in Enrolment.objects.of(participant).exclude(progress={}):
        row.progress = anonymize_stored(row.progress)
        row.save(update_fields=["progress"])


_WHICH = {"challenge_code": EventField(TEXT, "Code of the challenge."), "challenge_name": EventField(TEXT, "Its name.")}
_EVENTS = {
    "challenge.enrolled": (
        "A participant was enrolled in a challenge.",
        {
            "enrolled_at": EventField(INSTANT, "Start of the enrolment."),
            "ends_at": EventField(INSTANT, "End of the enrolment, or null.", nullable=True),
        },
    ),
    "challenge.objective_completed": (
        "An objective of a challenge was completed.",
        {
            "objective_code": EventField(TEXT, "Code of the objective."),
            "objective_label": EventField(TEXT, "Its name."),
        },
    ),
    "challenge.completed": (
        "A participant completed a challenge, or completed it again.",
        {
            "completions": EventField(INTEGER, "How often the participant has completed this challenge."),
            "total_completed": EventField(INTEGER, "How often the participant has completed any challenge."),
        },
    ),
    "challenge.expired": ("An enrolment ended before the challenge was completed.", {}),
}
_SET_BACK = {
    "objectives": EventField(CODES, "Codes of the objectives that are open again."),
    "completions": EventField(INTEGER, "How often the participant has completed this challenge."),
    "total_completed": EventField(INTEGER, "How often the participant has completed any challenge."),
}


def register() -> None:
    """Called by `AppConfig.ready`."""
    challenges_in.register()
    undoers.register("challenges", undo)
    irreversible_events.register("challenge.enrolled", "The participant stays enrolled in the challenge")
    register_metric(
        column_metric(
            "challenges_completed",
            label="challenges completed",
            display_order=80,
            kind=MetricKind.LEVEL,
            badge_name="challenges_completed",
            raised_by=["challenge.completed"],
        )
    )
    tables = {
        "challenges": PersonalTable(Enrolment, "Challenges in which they take or took part, with their progress.")
    }
    erasers.register("challenges", Eraser(tables, delete=delete_rows(Enrolment), anonymize=_clear_values))
    for name, (meaning, fields) in _EVENTS.items():
        events.register(name, meaning, _WHICH | fields)
    events.register(
        "challenge.set_back", "An event that had counted was reversed.", _WHICH | _SET_BACK, is_reversal=True
    )
