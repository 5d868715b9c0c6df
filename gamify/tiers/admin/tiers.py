"""Console pages of tier definitions."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path
from unfold.widgets import UnfoldBooleanSwitchWidget

from gamify.tiers import engine
from gamify.tiers.admin import ladder
from gamify.tiers.definitions import NewTier, TierChanges
from gamify.tiers.engine import Basis
from gamify.tiers.models import AwardType, Tier
from gamify.tiers.selectors import compile_tier, ladder_of
from participants.admin.definitions import SHOWN, DefinitionAdmin, DefinitionForm, color_field, picture_field
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.fields import ChoiceField, IntegerField, LinesField, MultiplierField
from participants.admin.words import sentence_of
from participants.catalog import catalog_of
from participants.engine import decimal_text
from participants.models import Tenant

CRITERIA = ("min_points", "basis")
AWARD_TYPES = [(AwardType.AUTOMATIC, "by points"), (AwardType.MANUAL, "only by hand")]


class TierForm(DefinitionForm):
    create_body, update_body = NewTier, TierChanges
    form_names = {f"criteria_config.{name}": name for name in CRITERIA}

    level = IntegerField(required=True, help_text="Orders the tiers. Higher is better.")
    award_type = ChoiceField(label="Reached", choices=AWARD_TYPES)
    min_points = IntegerField(label="From points", help_text="Required for a tier that is reached by points.")
    basis = ChoiceField(label="Compared with", choices=ladder.BASES)
    points_multiplier = MultiplierField()
    benefits = LinesField(help_text="One per line.")
    color = color_field()
    icon_url = picture_field()
    is_intended = forms.BooleanField(
        label="Save it nevertheless",
        required=False,
        widget=forms.HiddenInput,
        help_text="The order of the tiers is meant to be so.",
    )
    only_edited = ("is_intended",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update({"basis": Basis.BALANCE.value, **self.instance.criteria_config})

    def body(self, names: Sequence[str]) -> dict[str, Any]:
        body = super().body([name for name in names if name not in {*CRITERIA, "is_intended"}])
        if any(name in names for name in CRITERIA):
            body["criteria_config"] = self._criteria()
        return body

    def _post_clean(self) -> None:
        super()._post_clean()
        if self.tenant is not None and not self.errors and not self.cleaned_data["is_intended"]:
            self._refuse_disorder(self.tenant)

    def _refuse_disorder(self, tenant: Tenant) -> None:
        """Refuse a tier that makes the ladder disorderly, and offer a box to tick that saves it nevertheless."""
        known = ladder_of(catalog_of(tenant)).by_code
        named = self.instance.code or self.cleaned_data["code"]
        changed = compile_tier(Tier(code=named, criteria_config=self._criteria(), **self._columns()))
        before = {**known, named: replace(known[named], name=changed.name)} if named in known else known
        known_disorders = engine.disorders(before.values())
        found = [each for each in engine.disorders({**known, named: changed}.values()) if each not in known_disorders]
        if found:
            self.fields["is_intended"].widget = UnfoldBooleanSwitchWidget()
            self.add_error("level", found)

    def _columns(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("name", "level", "award_type", "is_active")}

    def _criteria(self) -> dict[str, Any]:
        """The body of `criteria_config`: empty without `min_points`, because the basis has no meaning then."""
        criteria = {name: self.cleaned_data.get(name) for name in CRITERIA}
        return {} if criteria["min_points"] is None else criteria


@admin.register(Tier)
class TierAdmin(DefinitionAdmin):
    when_empty = WhenEmpty(
        "There is no tier yet. Add the lowest one first.",
        "Add a tier",
        "tiers_tier_add",
    )
    noun, form = "tier", TierForm
    columns = ("level", "display_reached")
    list_filter = ("is_active", "award_type")
    ordering = ("level", "code")

    def own_fieldsets(self, obj: Any) -> Iterable[tuple[str, dict[str, Any]]]:
        return (
            ("How it is reached", {"fields": ("level", "is_intended", "award_type", "min_points", "basis")}),
            ("What it gives", {"fields": ("points_multiplier", "benefits")}),
            ("How it looks", {"fields": ("color", "icon_url")}),
            SHOWN,
        )

    def get_urls(self) -> list[URLPattern]:
        return [
            path("ladder/", self.admin_site.admin_view(ladder.page), name="tiers_tier_ladder"),
            *super().get_urls(),
        ]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        super().save_model(request, obj, form, change)
        ladder.tell_who_would_move(request, form.tenant)

    def in_words(self, row: Tier) -> str:
        multiplier = row.points_multiplier
        return sentence_of(
            [
                "" if row.level is None else f"level {row.level:,}",
                f"reached {ladder.how_reached(compile_tier(row))}",
                f"points are multiplied by {decimal_text(multiplier)}" if multiplier else "",
                f"benefits: {', '.join(row.benefits)}" if row.benefits else "",
            ]
        )

    @display("reached")
    def display_reached(self, tier: Tier) -> str:
        return ladder.how_reached(compile_tier(tier))
