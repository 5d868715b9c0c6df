"""List and pages of challenge definitions."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin

from gamify.challenges.admin.forms import ChallengeForm
from gamify.challenges.admin.words import challenge_in_words, duration_of, needed_of
from gamify.challenges.models import Challenge
from gamify.facts.admin.listening import ListeningAdmin
from gamify.facts.admin.seen import Mention, fields_of
from participants.admin.definitions import SHOWN
from participants.admin.display import display
from participants.admin.empty import WhenEmpty

ABOUT_OBJECTIVES = "Each objective counts events. One event counts once for each objective that it matches."
ABOUT_MILESTONES = "Grants for a number of completed objectives, given once per round."
ABOUT_CHANGES = "Changes apply to participants who are already enrolled, too. A new end applies to their enrolment."
DURATION = ("duration_type", "starts_at", "ends_at", "duration_days")


@admin.register(Challenge)
class ChallengeAdmin(ListeningAdmin):
    when_empty = WhenEmpty(
        "There is no challenge yet. Add one with its objectives.",
        "Add a challenge",
        "challenges_challenge_add",
    )
    noun, form = "challenge", ChallengeForm
    columns = ("display_duration", "enrolment", "display_needed")
    list_filter = ("is_active", "duration_type", "enrolment")
    conditional_fields = {
        "starts_at": "duration_type == 'fixed'",
        "ends_at": "duration_type == 'fixed'",
        "duration_days": "duration_type == 'rolling'",
    }

    def own_fieldsets(self, obj: Any) -> Any:
        return (
            ("When", {"fields": (*DURATION, "enrolment"), "description": ABOUT_CHANGES if obj else ""}),
            ("Objectives", {"fields": ("objectives",), "description": ABOUT_OBJECTIVES}),
            ("Completion", {"fields": ("completion", "completion_grants", "is_repeatable")}),
            ("Milestones", {"fields": ("milestones",), "description": ABOUT_MILESTONES}),
            SHOWN,
        )

    def mentions(self, row: Challenge) -> Iterable[Mention]:
        for objective in row.objectives or ():
            counted = objective["condition"].get("field")
            fields = [*fields_of(objective.get("expression")), *([counted] if counted else [])]
            yield Mention(objective["event_types"], fields)

    def in_words(self, row: Challenge) -> str:
        return challenge_in_words(row)

    @display("lasts", ordering="duration_type")
    def display_duration(self, challenge: Challenge) -> str:
        return duration_of(challenge)

    @display("objectives")
    def display_needed(self, challenge: Challenge) -> str:
        return needed_of(challenge)
