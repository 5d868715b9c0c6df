"""Badges in the console: their definitions, those a participant has, and one given by hand."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget

from gamify.badges import services
from gamify.badges.definitions import BadgeChanges, NewBadge
from gamify.badges.models import Badge, Rarity
from gamify.badges.selectors import BadgeDefinition, active_badges, earned, standings_of
from gamify.facts.admin.grants import MAX_SUGGESTED, suggestions
from participants.admin.definitions import DefinitionAdmin, DefinitionForm, picture_field
from participants.admin.fields import ChoiceField, LineField
from participants.admin.pages import Done, ObjectPage, PageForm
from participants.admin.panels import Box, Panel, panels
from participants.catalog import Catalog, catalog_of
from participants.models import Participant, Tenant

COLUMNS = ("Badge", "Rarity", "Earned")


class BadgeForm(DefinitionForm):
    create_body, update_body = NewBadge, BadgeChanges

    rarity = ChoiceField(choices=Rarity.choices)
    category = LineField(help_text="A word of yours to sort them by.")
    icon_url = picture_field()


@admin.register(Badge)
class BadgeAdmin(DefinitionAdmin):
    noun, form = "badge", BadgeForm
    settings = ("rarity", "category", "icon_url")
    columns = ("rarity", "category")
    list_filter = ("is_active", "rarity")
    search_fields = ("code", "name", "category")
    search_help_text = "Part of the code, the name or the category"


class AwardForm(PageForm):
    badge_code = forms.ChoiceField(label="Badge", widget=UnfoldAdminSelectWidget)

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        catalog = catalog_of(row.tenant)
        badges = list(active_badges(catalog).values()) if self.is_bound else _missing(row, catalog)
        self.fields["badge_code"].choices = [(badge.code, badge.name) for badge in badges]  # type: ignore[attr-defined]


def _missing(participant: Participant, catalog: Catalog) -> list[BadgeDefinition]:
    """Those they do not have; a form that is sent twice may name one they have by now."""
    return [standing.badge for standing in standings_of(participant, catalog) if not standing.is_earned]


def _award(request: HttpRequest, participant: Participant, data: Mapping[str, Any]) -> Done:
    awarded = services.award(
        tenant=participant.tenant,
        participant_id=participant.external_id,
        badge_code=data["badge_code"],
        metadata={},
        now=timezone.now(),
    )
    if awarded.already_earned:
        return Done(f"They have {awarded.badge.name} already, since {awarded.earned_at:%Y-%m-%d %H:%M:%S}.")
    return Done(f"Awarded {awarded.badge.name}.", f"Awarded badge {awarded.badge.code}.")


AWARD = ObjectPage(
    name="award_badge",
    title="Award badge",
    explanation="They have it from now on, as if it were awarded through the API. It cannot be taken back.",
    button="Award",
    permission="badges.add_badgeaward",
    perform=_award,
    form_class=AwardForm,
    icon="workspace_premium",
    is_offered=lambda participant: bool(active_badges(catalog_of(participant.tenant))),
)


def _boxes(participant: Participant) -> Iterable[Box]:
    standings = earned(standings_of(participant, catalog_of(participant.tenant)))
    rows = [[standing.badge.name, Rarity(standing.badge.rarity).label, standing.earned_at] for standing in standings]
    yield Box("Badges", COLUMNS, rows, empty="None yet.")


panels.register("badges", Panel(pages=(AWARD,), boxes=_boxes))


def _suggest(tenant: Tenant) -> Iterable[tuple[str, str]]:
    return Badge.objects.of(tenant).active().in_order().values_list("code", "name")[:MAX_SUGGESTED]


suggestions.register("badge", _suggest)
