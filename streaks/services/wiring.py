"""Registrations of streaks with the packages below."""

from gamify.facts.engine.conditions import anonymize_stored
from gamify.facts.services import undoers
from participants import events
from participants.causes import irreversible_events
from participants.events import INSTANT, INTEGER, PARTICIPANT, TEXT, UUID, EventField
from participants.models import Participant
from participants.services.participants import Eraser, after_participant_zone_change, delete_rows, erasers
from participants.services.personal_data import PersonalTable
from participants.services.tenants import before_tenant_zone_change
from participants.work import UnitOfWork
from streaks.models import ParticipantStreak
from streaks.selectors import streaks_in
from streaks.selectors.personal_export import ABOUT_EXPORT, exported_rows, exported_streak
from streaks.services.counting import loads_for, row_of
from streaks.services.definitions import end_terms_before_zone_change
from streaks.services.numbers import register as register_numbers
from streaks.services.reversing import undo
from streaks.services.reviews import review_row


def _review_after_zone_change(work: UnitOfWork, participant: Participant) -> None:
    """Review the streaks that follow the participant's zone: in a new zone their open windows end at other instants."""
    personal = [streak for streak in streaks_in(work.catalog).by_id.values() if streak.terms.is_personal]
    work.load(loads_for(personal))
    for streak in personal:
        if (row := row_of(work, participant, streak)) is not None:
            review_row(work, participant, streak, row)


def _anonymize_rows(participant: Participant) -> None:
    """Remove the reasons of freezes and the counted values. Counts and excused times stay."""
    for row in ParticipantStreak.objects.of(participant).exclude(freezes=[], progress={}):
        row.freezes = [{**freeze, "reason": None} for freeze in row.freezes]
        row.progress = anonymize_stored(row.progress)
        row.save(update_fields=["freezes", "progress"])


_OWNER = {
    "user_id": EventField(PARTICIPANT, "The participant's id."),
    "definition_id": EventField(UUID, "Id of the streak."),
    "streak_code": EventField(TEXT, "Code of the streak."),
}
_EVENTS = {
    "streak.incremented": (
        "A window of a streak was satisfied.",
        {
            "new_count": EventField(INTEGER, "Length of the run after this tick."),
            "longest_count": EventField(INTEGER, "Length of the longest run so far."),
        },
    ),
    "streak.decremented": (
        "A window of a streak is no longer satisfied, because the event that satisfied it was reversed.",
        {
            "new_count": EventField(INTEGER, "Length of the live run, or 0."),
            "longest_count": EventField(INTEGER, "Length of the longest run."),
        },
    ),
    "streak.broken": (
        "A run ended, because more windows were missed than grace allows.",
        {"final_count": EventField(INTEGER, "Final length of the run.")},
    ),
    "streak.at_risk": (
        "A run is about to break.",
        {
            "current_count": EventField(INTEGER, "Length of the run."),
            "window_ends_at": EventField(INSTANT, "When it breaks, unless its participant is active before."),
        },
    ),
    "streak.nudged": (
        "Staff ask the application to remind a participant whose run is about to break.",
        {
            "current_count": EventField(INTEGER, "Length of the run."),
            "window_ends_at": EventField(INSTANT, "When it breaks, unless its participant is active before."),
            "reason": EventField(TEXT, "Text given by the staff, for the log or the message."),
        },
    ),
    "streak.restored": (
        "A broken run lives again without a tick.",
        {
            "new_count": EventField(INTEGER, "Length of the run."),
            "longest_count": EventField(INTEGER, "Length of the longest run so far."),
            "reason": EventField(TEXT, "Text given with the request; null for an amnesty.", nullable=True),
        },
    ),
    "streak.frozen": (
        "One participant may miss the windows of a time span.",
        {
            "from": EventField(INSTANT, "Begin of the excused time."),
            "to": EventField(INSTANT, "End of the excused time."),
            "reason": EventField(TEXT, "Text given with the request."),
        },
    ),
    "streak.unfrozen": (
        "A freeze or a restore was lifted: the windows of its time span are no longer excused.",
        {
            "from": EventField(INSTANT, "Begin of the time that was excused."),
            "to": EventField(INSTANT, "End of the time that was excused."),
            "reason": EventField(TEXT, "Text given with the request."),
        },
    ),
    "streak.milestone_reached": (
        "A run reached the length of a milestone.",
        {
            "threshold": EventField(INTEGER, "Length of the milestone."),
            "reward_id": EventField(UUID, "Id of the reward of the milestone, or null.", nullable=True),
        },
    ),
}
_REVERSALS = frozenset({"streak.decremented", "streak.unfrozen"})


def register() -> None:
    """Called once the apps are loaded."""
    streaks_in.register()
    register_numbers()
    undoers.register("streaks", undo)
    irreversible_events.register(
        "streak.incremented",
        "A tick that was recorded without an event is stored only as a count, so it cannot be told from other ticks",
    )
    irreversible_events.register("streak.frozen", "A freeze of a streak is not taken back")
    irreversible_events.register("streak.nudged", "A nudge cannot be called back")
    irreversible_events.register("streak.unfrozen", "A freeze that was lifted is not given again")
    irreversible_events.register("streak.restored", "A streak that was restored is not broken again")
    before_tenant_zone_change.register("streaks", end_terms_before_zone_change)
    after_participant_zone_change.register("streaks", _review_after_zone_change)
    tables = {"streaks": PersonalTable(ParticipantStreak, ABOUT_EXPORT, rows=exported_rows, describe=exported_streak)}
    erasers.register("streaks", Eraser(tables, delete=delete_rows(ParticipantStreak), anonymize=_anonymize_rows))
    for name, (meaning, fields) in _EVENTS.items():
        events.register(name, meaning, _OWNER | fields, is_reversal=name in _REVERSALS)
