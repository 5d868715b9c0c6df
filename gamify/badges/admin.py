"""Badges in the console: definitions, the badges of a participant, and awards by hand."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminSelectWidget

from gamify.badges import services
from gamify.badges.definitions import BadgeChanges, NewBadge
from gamify.badges.models import Badge, Rarity
from gamify.badges.selectors import BadgeDefinition, active_badges, badge_statuses, only_earned
from gamify.facts.admin.metrics import SELECTOR, MetricAdmin, MetricForm, selector_names
from gamify.facts.services import badge_metrics, metric_choices
from participants.activity import Activity
from participants.admin.access import link
from participants.admin.conditions import filter_in_words
from participants.admin.definitions import SHOWN, picture_field
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.fields import ChoiceField, LineField, NumberField
from participants.admin.pages import AuditedForm, Done, ObjectPage
from participants.admin.panels import Box, Line, Panel, Story, entry_link, panels
from participants.admin.words import plain, sentence_of
from participants.catalog import Catalog, catalog_of
from participants.errors import FieldError
from participants.models import Capability, DomainEvent, Participant, Tenant

COLUMNS = ("Badge", "Rarity", "Earned")
MAX_PARTICIPANTS = 10_000
CRITERIA = ("metric", "minimum", *SELECTOR)


def _metric_choices() -> list[tuple[str, str]]:
    return [("", "nothing: it is only granted"), *metric_choices(badge_metrics)]


def criteria_in_words(criteria: Mapping[str, Any] | None) -> str:
    """Return the criteria in words, such as "points earned: at least 1,000". Empty for a badge without criteria."""
    if criteria is None:
        return ""
    about = criteria.get("streak_code") or criteria.get("event_name")
    label = badge_metrics[criteria["metric"]].label + (f" ({about})" if about else "")
    where = " and ".join(filter_in_words(criteria.get("filter") or {}))
    return f"{label}: at least {criteria['min']:,}{f', only where {where}' if where else ''}"


def _preview(badge: Badge) -> Iterator[str]:
    number = _count_eligible(badge, is_dry_run=True)
    who = "1 participant meets" if number == 1 else f"{number:,} participants meet"
    yield f"{who} the criteria and {'does' if number == 1 else 'do'} not have it."


def _count_eligible(badge: Badge, *, is_dry_run: bool) -> int:
    chunks = services.award_to_eligible(
        tenant=badge.tenant, badge_code=badge.code, now=timezone.now(), is_dry_run=is_dry_run
    )
    return sum(chunk.eligible for chunk in chunks)


def _award_to_eligible(request: HttpRequest, badge: Badge, data: Mapping[str, Any]) -> Done:
    number = _count_eligible(badge, is_dry_run=False)
    return Done(f"Awarded to {number:,}.", f"Awarded to {number} who met the criteria." if number else "")


def _can_award_here(badge: Badge) -> bool:
    """Larger tenants use the command instead: it shows progress and can be interrupted."""
    participants = Participant.objects.of(badge.tenant).order_by()[: MAX_PARTICIPANTS + 1]
    return badge.is_active and badge.criteria is not None and participants.count() <= MAX_PARTICIPANTS


AWARD_TO_ELIGIBLE = ObjectPage(
    name="award_to_eligible",
    title="Award to all who meet the criteria",
    explanation=(
        "Awards the badge to participants who met the criteria before the badge had them. No domain events are published. "
        f"For more than {MAX_PARTICIPANTS:,} participants, run manage.py award_badges instead."
    ),
    button="Award",
    permission="badges.add_badgeaward",
    capability=Capability.PUBLISH,
    perform=_award_to_eligible,
    icon="group_add",
    is_offered=_can_award_here,
    preview=_preview,
)


class BadgeForm(MetricForm):
    create_body, update_body = NewBadge, BadgeChanges
    form_names = selector_names("criteria") | {"criteria.min": "minimum", "criteria": "metric"}

    rarity = ChoiceField(choices=Rarity.choices)
    category = LineField(help_text="Your own category, to sort badges by.")
    icon_url = picture_field()
    metric = ChoiceField(label="Earned by", choices=_metric_choices, required=False)
    minimum = NumberField(label="At least", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if criteria := self.instance.criteria:
            self.initial.update(metric=criteria["metric"], minimum=criteria["min"])

    def stored_selector(self) -> Mapping[str, Any]:
        return self.instance.criteria or {}

    def tenant_problem(self, tenant: Tenant, data: Mapping[str, Any]) -> FieldError | None:
        return services.criteria_problem(tenant, data.get("criteria"))

    def body(self, names: Sequence[str]) -> dict[str, Any]:
        body = super().body([name for name in names if name not in CRITERIA])
        if set(names) & set(CRITERIA):
            body["criteria"] = self._criteria()
        return body

    def _criteria(self) -> dict[str, Any] | None:
        metric, minimum = self.cleaned_data.get("metric"), self.cleaned_data.get("minimum")
        if not metric:
            return None
        return {"metric": metric, **({} if minimum is None else {"min": minimum}), **self.selector()}


@admin.register(Badge)
class BadgeAdmin(MetricAdmin):
    when_empty = WhenEmpty(
        "There is no badge yet. Add one, and say what earns it.",
        "Add a badge",
        "badges_badge_add",
    )
    noun, form, metrics = "badge", BadgeForm, badge_metrics
    columns = ("rarity", "category", "display_criteria")
    object_pages = (AWARD_TO_ELIGIBLE,)
    list_filter = ("is_active", "rarity")
    exports = {"badges": {}}
    search_fields = ("code", "name", "category")
    search_help_text = "Part of the code, the name or the category"

    @cached_property
    def conditional_fields(self) -> dict[str, str]:
        return {**super().conditional_fields, "minimum": "metric != ''"}

    def selector_of(self, row: Badge) -> Mapping[str, Any]:
        return row.criteria or {}

    def in_words(self, row: Badge) -> str:
        earned = criteria_in_words(row.criteria)
        category = f"in the category “{row.category}”" if row.category else ""
        how = f"earned by {earned}" if earned else "only given by a rule, a challenge, the API or by hand"
        return sentence_of([" ".join(filter(None, [Rarity(row.rarity).label.lower(), "badge", category])), how])

    def own_fieldsets(self, obj: Any) -> Any:
        looks = ("How it looks", {"fields": ("rarity", "category", "icon_url")})
        return (("How it is earned", {"fields": CRITERIA}), looks, SHOWN)

    def save_new(self, *, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> Badge:
        return services.create_badge(tenant=tenant, data=data, now=now)

    def save_settings(self, row: Badge, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime) -> Badge:
        return services.update_badge(row, tenant=tenant, changes=changes, now=now)

    @display("earned by")
    def display_criteria(self, badge: Badge) -> str:
        return criteria_in_words(badge.criteria)


class AwardForm(AuditedForm):
    badge_code = forms.ChoiceField(label="Badge", widget=UnfoldAdminSelectWidget)

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        catalog = catalog_of(row.tenant)
        badges = list(active_badges(catalog).values()) if self.is_bound else _unearned_badges(row, catalog)
        self.fields["badge_code"].choices = [(badge.code, badge.name) for badge in badges]  # type: ignore[attr-defined]


def _unearned_badges(participant: Participant, catalog: Catalog) -> list[BadgeDefinition]:
    """Badges that the participant does not have. A form that is sent twice may name a badge they have by now."""
    return [status.badge for status in badge_statuses(participant, catalog) if not status.is_earned]


def _award(request: HttpRequest, participant: Participant, data: Mapping[str, Any]) -> Done:
    awarded = services.award(
        tenant=participant.tenant,
        participant_id=participant.external_id,
        badge_code=data["badge_code"],
        metadata={},
        now=timezone.now(),
    )
    if awarded.already_earned:
        return Done(f"They have {awarded.badge.name} already, since {plain(awarded.earned_at)}.")
    return Done(f"Awarded {awarded.badge.name}.", f"Awarded badge {awarded.badge.code}.")


AWARD = ObjectPage(
    name="award_badge",
    title="Award badge",
    explanation="Awards the badge, like a call of the API. An award cannot be revoked.",
    button="Award",
    permission="badges.add_badgeaward",
    capability=Capability.CARE,
    perform=_award,
    form_class=AwardForm,
    icon="workspace_premium",
    is_offered=lambda participant: bool(active_badges(catalog_of(participant.tenant))),
    is_dialog=True,
)


def _boxes(participant: Participant, reader: Any) -> Iterable[Box]:
    statuses = only_earned(badge_statuses(participant, catalog_of(participant.tenant)))
    rows = [[status.badge.name, Rarity(status.badge.rarity).label, status.earned_at] for status in statuses]
    yield Box("Badges", COLUMNS, rows, empty="None yet.", figure=f"{len(rows):,}" if rows else "")


def _lines(participant: Participant, items: Sequence[Activity], reader: Any) -> Mapping[UUID, Line]:
    badges = {badge.code: badge for badge in active_badges(catalog_of(participant.tenant)).values()}
    revoked = _revocations(participant) if any(item.type == "badge.awarded" for item in items) else {}
    return {item.id: _line(item, badges, revoked, reader) for item in items}


def _line(
    item: Activity, badges: Mapping[str, BadgeDefinition], revoked: Mapping[str, Sequence[UUID]], reader: Any
) -> Line:
    code, name = item.data["badge_code"], item.data["badge_name"]
    title = link(name, Badge, badges[code].id, reader) if code in badges else name
    if item.type == "badge.revoked":
        return Line(format_html(WORDS[item.type], title))
    revocation = next((later for later in revoked.get(code, ()) if later > item.id), None)
    reversal = entry_link("Revoked", STORY.name, revocation) if revocation else ""
    return Line(format_html(WORDS[item.type], title), reversal=reversal)


def _revocations(participant: Participant) -> Mapping[str, Sequence[UUID]]:
    """Return the ids of the domain events that revoked badges, oldest first, by the code of the badge. One query."""
    found: defaultdict[str, list[UUID]] = defaultdict(list)
    events = DomainEvent.objects.filter(tenant_id=participant.tenant_id, participant_id=participant.pk)
    for pk, data in events.filter(type="badge.revoked").order_by("pk").values_list("pk", "data"):
        found[data["badge_code"]].append(pk)
    return found


WORDS = {"badge.awarded": "Badge {} earned", "badge.revoked": "Badge {} revoked"}
STORY = Story("badge", "Badges", "workspace_premium", WORDS, _lines)
VIEW_PERMISSIONS = ("badges.view_badgeaward", "badges.add_badgeaward")
panels.register(
    "badges",
    Panel(
        capability=Capability.SEE_PARTICIPANTS,
        view_permissions=VIEW_PERMISSIONS,
        pages=(AWARD,),
        boxes=_boxes,
        story=STORY,
    ),
)
