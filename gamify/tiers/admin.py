"""Console screens of tiers: definitions, the tier of a participant, and assignment by hand."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from gamify.tiers import engine, services
from gamify.tiers.definitions import NewTier, TierChanges
from gamify.tiers.engine import Basis
from gamify.tiers.models import AwardType, Tier, TierChange
from gamify.tiers.selectors import current_tier, ladder_of, newest_changes_of, points_of
from gamify.tiers.services import Assignment
from participants.admin.definitions import DefinitionAdmin, DefinitionForm, color_field, picture_field
from participants.admin.display import display
from participants.admin.fields import ChoiceField, IntegerField, LinesField, MultiplierField
from participants.admin.pages import Done, ObjectPage, OnceForm
from participants.admin.panels import Box, Panel, panels
from participants.catalog import catalog_of
from participants.models import Participant

CRITERIA = ("min_points", "basis")
BASES = [(Basis.BALANCE.value, "the balance"), (Basis.LIFETIME.value, "points ever earned")]
AWARD_TYPES = [(AwardType.AUTOMATIC, "by points"), (AwardType.MANUAL, "only by hand")]
COLUMNS = ("When", "Tier", "Before", "How", "Reason")
MAX_CHANGES = 20


class TierForm(DefinitionForm):
    create_body, update_body = NewTier, TierChanges
    form_names = {f"criteria_config.{name}": name for name in CRITERIA}

    level = IntegerField(required=True, help_text="Orders the tiers. Higher is better.")
    award_type = ChoiceField(label="Reached", choices=AWARD_TYPES)
    min_points = IntegerField(label="From points", help_text="Required for a tier that is reached by points.")
    basis = ChoiceField(label="Compared with", choices=BASES)
    points_multiplier = MultiplierField()
    benefits = LinesField(help_text="One per line.")
    color = color_field()
    icon_url = picture_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update({"basis": Basis.BALANCE.value, **self.instance.criteria_config})

    def body(self, names: Sequence[str]) -> dict[str, Any]:
        body = super().body([name for name in names if name not in CRITERIA])
        if any(name in names for name in CRITERIA):
            body["criteria_config"] = self._criteria()
        return body

    def _criteria(self) -> dict[str, Any]:
        """The body of `criteria_config`: empty without `min_points`, because the basis has no meaning then."""
        criteria = {name: self.cleaned_data.get(name) for name in CRITERIA}
        return {} if criteria["min_points"] is None else criteria


@admin.register(Tier)
class TierAdmin(DefinitionAdmin):
    noun, form = "tier", TierForm
    settings = ("level", "award_type", "min_points", "basis", "points_multiplier", "benefits", "color", "icon_url")
    columns = ("level", "display_reached")
    list_filter = ("is_active", "award_type")

    @display("reached")
    def display_reached(self, tier: Tier) -> str:
        if not tier.is_automatic:
            return "only by hand"
        basis = Basis(tier.criteria_config.get("basis", Basis.BALANCE))
        return f"from {tier.criteria_config['min_points']:,}, {dict(BASES)[basis.value]}"


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
panels.register("tiers", Panel(view_permissions=VIEW_PERMISSIONS, pages=(ASSIGN,), boxes=_boxes))
