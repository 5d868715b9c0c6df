"""The tier of a participant on their page, and its assignment by hand."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget

from gamify.tiers import engine, services
from gamify.tiers.admin.tiers import AWARD_TYPES
from gamify.tiers.models import AwardType, TierChange
from gamify.tiers.selectors import current_tier, ladder_of, newest_changes_of, points_of
from gamify.tiers.services import Assignment
from participants.activity import Activity
from participants.admin.fields import ReasonField
from participants.admin.pages import Done, ObjectPage, OnceForm
from participants.admin.panels import Box, Line, Meter, Panel, Story, panels
from participants.catalog import catalog_of
from participants.models import Capability, Participant

COLUMNS = ("When", "Tier", "Before", "How", "Reason")
MAX_CHANGES = 20


class AssignForm(OnceForm):
    tier_code = forms.ChoiceField(label="Tier", widget=UnfoldAdminSelectWidget)
    reason = ReasonField(help_text="Stored in the history. Clients can read it.")

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
    is_dialog=True,
)


def _boxes(participant: Participant, reader: Any) -> Iterable[Box]:
    ladder = ladder_of(catalog_of(participant.tenant))
    current = current_tier(ladder, participant)
    rows = [_row(change) for change in newest_changes_of(participant, MAX_CHANGES)]
    yield Box(
        "Tier",
        COLUMNS,
        rows,
        empty="They have not been in any tier.",
        figure=current.name if current else "",
        meter=_meter(participant, current, engine.next_tier(ladder, current)),
        note="Assigned by hand." if current and participant.tier_is_manual else "",
        folded="History",
    )


def _meter(participant: Participant, current: engine.Tier | None, following: engine.Tier | None) -> Meter | None:
    """The way from the threshold of the present tier to that of the next one; None in the highest tier."""
    if following is None or following.min_points is None:
        return None
    points = points_of(participant).by(following.basis)
    start = (
        current.threshold
        if current and current.basis == following.basis and current.is_met_by(points_of(participant))
        else 0
    )
    remaining = engine.points_remaining(following, points_of(participant))
    words = f"{remaining:,} points to {following.name} ({points:,} of {following.min_points:,})"
    return Meter(max(points - start, 0), max(following.min_points - start, 1), words)


def _row(change: TierChange) -> list[Any]:
    how = dict(AWARD_TYPES)[AwardType(change.how)] if change.how == AwardType.AUTOMATIC else "by hand"
    return [change.changed_at, f"{change.name} (level {change.level})", change.previous_code, how, change.reason]


def _lines(participant: Participant, items: Sequence[Activity], reader: Any) -> Mapping[UUID, Line]:
    return {item.id: _line(item) for item in items}


def _line(item: Activity) -> Line:
    """The newest events carry the tier as an object, `tier.upgraded` as fields."""
    tier, before = item.data.get("tier", item.data), item.data.get("previous_tier") or {}
    previous = before.get("code") or item.data.get("previous_code")
    detail = f"Before: {before.get('name') or previous}." if previous else ""
    return Line(WORDS[item.type].format(tier["name"]), detail=detail)


WORDS = {
    "tier.entered": "Entered tier {}",
    "tier.upgraded": "Reached tier {}",
    "tier.assigned": "Assigned tier {}",
    "tier.reverted": "Returned to tier {}",
}
STORY = Story("tier", "Tiers", "military_tech", WORDS, _lines)
VIEW_PERMISSIONS = ("tiers.view_tierchange", "tiers.add_tierchange")
panels.register(
    "tiers",
    Panel(
        capability=Capability.SEE_PARTICIPANTS,
        view_permissions=VIEW_PERMISSIONS,
        pages=(ASSIGN,),
        boxes=_boxes,
        story=STORY,
    ),
)
