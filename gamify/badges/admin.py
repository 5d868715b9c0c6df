"""Badges in the console: their definitions, those a participant has, and one given by hand."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.serializers import Serializer
from unfold.widgets import UnfoldAdminSelectWidget

from gamify.badges import services
from gamify.badges.definitions import BadgeChanges, NewBadge
from gamify.badges.engine import EVENT_COUNT, EVENT_SUM
from gamify.badges.models import Badge, Rarity
from gamify.badges.selectors import BadgeDefinition, active_badges, badge_statuses, only_earned
from participants.admin.conditions import ConditionsField
from participants.admin.definitions import DefinitionAdmin, DefinitionForm, picture_field
from participants.admin.display import display
from participants.admin.fields import ChoiceField, LineField, NumberField
from participants.admin.pages import Done, ObjectPage, PageForm
from participants.admin.panels import Box, Panel, panels
from participants.catalog import Catalog, catalog_of
from participants.models import Participant, Tenant

COLUMNS = ("Badge", "Rarity", "Earned")


CRITERIA = ("metric", "min", "event_name", "field", "filter", "streak_code")
METRICS_IN_WORDS = {
    "total_earned": "points ever earned",
    "balance": "points to spend",
    EVENT_COUNT: "so many events",
    EVENT_SUM: "a property of events, added up",
    "streak_count": "periods in a row of a streak",
    "tier_level": "level of the tier",
    "challenges_completed": "challenges completed",
    "badges_count": "other badges",
}
MAX_PARTICIPANTS = 10_000


def criteria_in_words(criteria: Mapping[str, Any] | None) -> str:
    """1,000 points ever earned; nothing for one that is only given."""
    if criteria is None:
        return ""
    about = criteria.get("streak_code") or criteria.get("event_name")
    return f"{criteria['min']:,} {METRICS_IN_WORDS[criteria['metric']]}" + (f" ({about})" if about else "")


def _preview(badge: Badge) -> Iterator[str]:
    met = _count_eligible(badge, is_dry_run=True)
    yield f"{met:,} {'participant meets' if met == 1 else 'participants meet'} the criteria and do not have it."


def _count_eligible(badge: Badge, *, is_dry_run: bool) -> int:
    chunks = services.award_to_eligible(
        tenant=badge.tenant, badge_code=badge.code, now=timezone.now(), is_dry_run=is_dry_run
    )
    return sum(chunk.eligible for chunk in chunks)


def _award_to_eligible(request: HttpRequest, badge: Badge, data: Mapping[str, Any]) -> Done:
    met = _count_eligible(badge, is_dry_run=False)
    return Done(f"Awarded to {met:,}.", f"Awarded to {met} who met the criteria." if met else "")


def _can_award_here(badge: Badge) -> bool:
    """Of more participants a page would be waited for too long; the command has a bar, and can be stopped."""
    some = Participant.objects.of(badge.tenant).order_by()[: MAX_PARTICIPANTS + 1]
    return badge.is_active and badge.criteria is not None and some.count() <= MAX_PARTICIPANTS


AWARD_TO_ELIGIBLE = ObjectPage(
    name="award_to_eligible",
    title="Award to all who meet the criteria",
    explanation=(
        "Whoever met them before the badge had any gets it now. Webhooks and feed are not told. Where there are more than "
        f"{MAX_PARTICIPANTS:,} participants, run manage.py award_badges instead."
    ),
    button="Award",
    permission="badges.add_badgeaward",
    perform=_award_to_eligible,
    icon="group_add",
    is_offered=_can_award_here,
    preview=_preview,
)


class BadgeForm(DefinitionForm):
    create_body, update_body = NewBadge, BadgeChanges

    form_names = {f"criteria.{name}": f"criteria_{name}" for name in CRITERIA} | {"criteria": "criteria_metric"}

    unset_words = {"criteria_event_name": "any event", "criteria_filter": "every such event"}

    rarity = ChoiceField(choices=Rarity.choices)
    category = LineField(help_text="A word of yours to sort them by.")
    icon_url = picture_field()
    criteria_metric = ChoiceField(
        label="Earned by", choices=[("", "nothing: it is only given"), *METRICS_IN_WORDS.items()], required=False
    )
    criteria_min = NumberField(label="At least", required=False)
    criteria_event_name = LineField(label="Event", help_text="Which events count; * for any.")
    criteria_field = LineField(
        label="Property", help_text="Of the event, such as amount or order.total; it is added up."
    )
    criteria_filter = ConditionsField(
        label="Only events where", required=False, help_text="All conditions must hold. None: every such event counts."
    )
    criteria_streak_code = LineField(label="Streak", help_text="Its code.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update({f"criteria_{name}": value for name, value in (self.instance.criteria or {}).items()})

    def body(self, names: Sequence[str]) -> dict[str, Any]:
        body = super().body([name for name in names if not name.startswith("criteria_")])
        if any(name.startswith("criteria_") for name in names):
            body["criteria"] = self._criteria()
        return body

    def _criteria(self) -> dict[str, Any] | None:
        said = {name: self.cleaned_data.get(f"criteria_{name}") for name in CRITERIA}
        return {name: value for name, value in said.items() if value not in (None, "")} if said["metric"] else None

    def _bound_body(self) -> Serializer[Any]:
        judged = super()._bound_body()
        if judged.is_valid() and self.tenant:
            problem = services.criteria_problem(self.tenant, judged.validated_data.get("criteria"))
            self._place([problem] if problem else [])
        return judged


@admin.register(Badge)
class BadgeAdmin(DefinitionAdmin):
    noun, form = "badge", BadgeForm
    settings = ("rarity", "category", "icon_url")
    columns = ("rarity", "category", "display_criteria")
    object_pages = (AWARD_TO_ELIGIBLE,)
    conditional_fields = {
        "criteria_min": "criteria_metric != ''",
        "criteria_event_name": "criteria_metric == 'event_count' || criteria_metric == 'event_sum'",
        "criteria_filter": "criteria_metric == 'event_count' || criteria_metric == 'event_sum'",
        "criteria_field": "criteria_metric == 'event_sum'",
        "criteria_streak_code": "criteria_metric == 'streak_count'",
    }
    list_filter = ("is_active", "rarity")
    search_fields = ("code", "name", "category")
    search_help_text = "Part of the code, the name or the category"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        first, settings, *others = super().get_fieldsets(request, obj)
        return (first, settings, ("Earned", {"fields": tuple(f"criteria_{name}" for name in CRITERIA)}), *others)

    def save_new(self, *, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> Badge:
        return services.create_badge(tenant=tenant, data=data, now=now)

    def save_changes(self, row: Badge, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime) -> Badge:
        return services.update_badge(row, tenant=tenant, changes=changes, now=now)

    @display("earned by")
    def display_criteria(self, badge: Badge) -> str:
        return criteria_in_words(badge.criteria)


class AwardForm(PageForm):
    badge_code = forms.ChoiceField(label="Badge", widget=UnfoldAdminSelectWidget)

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        catalog = catalog_of(row.tenant)
        badges = list(active_badges(catalog).values()) if self.is_bound else _unearned_badges(row, catalog)
        self.fields["badge_code"].choices = [(badge.code, badge.name) for badge in badges]  # type: ignore[attr-defined]


def _unearned_badges(participant: Participant, catalog: Catalog) -> list[BadgeDefinition]:
    """Those they do not have; a form that is sent twice may name one they have by now."""
    return [standing.badge for standing in badge_statuses(participant, catalog) if not standing.is_earned]


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
    standings = only_earned(badge_statuses(participant, catalog_of(participant.tenant)))
    rows = [[standing.badge.name, Rarity(standing.badge.rarity).label, standing.earned_at] for standing in standings]
    yield Box("Badges", COLUMNS, rows, empty="None yet.")


VIEW_PERMISSIONS = ("badges.view_badgeaward", "badges.add_badgeaward")
panels.register("badges", Panel(seen_with=VIEW_PERMISSIONS, pages=(AWARD,), boxes=_boxes))
