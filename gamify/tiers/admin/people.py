"""The tier of a participant on their page, and its assignment by hand."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from gamify.tiers import engine, services
from gamify.tiers.admin.tiers import AWARD_TYPES
from gamify.tiers.models import AwardType, TierChange
from gamify.tiers.selectors import current_tier, ladder_of, newest_changes_of, points_of
from gamify.tiers.services import Assignment
from participants.admin.pages import Done, ObjectPage, OnceForm
from participants.admin.panels import Box, Panel, panels
from participants.catalog import catalog_of
from participants.models import Capability, Participant

COLUMNS = ("When", "Tier", "Before", "How", "Reason")
MAX_CHANGES = 20


class AssignForm(OnceForm):
    tier_code = forms.ChoiceField(label="Tier", widget=UnfoldAdminSelectWidget)
    reason = forms.CharField(
        max_length=500,
        required=False,
        empty_value=None,
        widget=UnfoldAdminTextInputWidget,
        help_text="Stored in the history. Clients can read it.",
    )

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        tiers = sorted(_active_tiers(row), key=lambda tier: tier.level)
        choices = [(tier.code, f"{tier.name} (level {tier.level})") for tier in tiers]
        self.fields["tier_code"].choices = choices  # type: ignore[attr-defined]


def _active_tiers(participant: Participant) -> list[engine.Tier]:
    return [tier for tier in ladder_of(catalog_of(participant.tenant)).by_code.values() if tier.is_active]


def _assign(request: HttpRequest, participant: Participant, data: Mapping[str, Any]) -> Done:
    assignment = Assignment(participant.external_id, **data)
    assigned = services.assign(tenant=participant.tenant, assignment=assignment, now=timezone.now())
    message = f"Assigned {assigned.tier.name}."
    if assigned.is_replay:
        return Done(f"Sent twice, done once: {message}")
    return Done(message, f"Assigned tier {data['tier_code']}.")


ASSIGN = ObjectPage(
    name="assign_tier",
    title="Assign tier",
    explanation="Moves the participant into this tier now, up or down, whatever their points are. The tier stays until a "
    "later award crosses the threshold of a higher tier.",
    button="Assign",
    permission="tiers.add_tierchange",
    capability=Capability.CARE,
    perform=_assign,
    form_class=AssignForm,
    icon="military_tech",
    is_offered=lambda participant: bool(_active_tiers(participant)),
)


def _boxes(participant: Participant) -> Iterable[Box]:
    rows = [_row(change) for change in newest_changes_of(participant, MAX_CHANGES)]
    yield Box("Tier", COLUMNS, rows, empty="They have not been in any tier.", note=_note(participant))


def _row(change: TierChange) -> list[Any]:
    how = dict(AWARD_TYPES)[AwardType(change.how)] if change.how == AwardType.AUTOMATIC else "by hand"
    return [change.changed_at, f"{change.name} (level {change.level})", change.previous_code, how, change.reason]


def _note(participant: Participant) -> str:
    """The current tier and the next one, as a sentence."""
    ladder = ladder_of(catalog_of(participant.tenant))
    current = current_tier(ladder, participant)
    now = f"Now: {current.name}{', by hand' if participant.tier_is_manual else ''}." if current else ""
    following = engine.next_tier(ladder, current)
    if following is None:
        return now
    remaining = engine.points_remaining(following, points_of(participant))
    return f"{now} Next: {following.name}, {remaining:,} points to go.".strip()


VIEW_PERMISSIONS = ("tiers.view_tierchange", "tiers.add_tierchange")
panels.register(
    "tiers",
    Panel(capability=Capability.SEE_PARTICIPANTS, view_permissions=VIEW_PERMISSIONS, pages=(ASSIGN,), boxes=_boxes),
)
