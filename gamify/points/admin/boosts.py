"""Console screens of boosts."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.utils import timezone

from gamify.points.definitions import MULTIPLIER_HELP, BoostChanges, NewBoost
from gamify.points.engine import Boost as Compiled
from gamify.points.models import Boost
from participants.admin.definitions import SHOWN, DefinitionAdmin, DefinitionForm
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.fields import MomentField, MultiplierField
from participants.admin.words import plain, sentence_of
from participants.engine import decimal_text


class BoostForm(DefinitionForm):
    create_body, update_body = NewBoost, BoostChanges

    unset_words = {"starts_at": "no start", "ends_at": "no end"}

    multiplier = MultiplierField(required=True, help_text=MULTIPLIER_HELP)
    starts_at = MomentField(label="From", help_text="In UTC. Leave empty for no start.")
    ends_at = MomentField(label="Until", help_text="In UTC. Leave empty for no end.")


@admin.register(Boost)
class BoostAdmin(DefinitionAdmin):
    when_empty = WhenEmpty(
        "There is no boost yet. Add one to multiply points for a while.",
        "Add a boost",
        "points_boost_add",
    )
    noun, form = "boost", BoostForm
    columns = ("display_multiplier", "starts_at", "ends_at", "display_now")

    def own_fieldsets(self, obj: Any) -> Iterable[tuple[str, dict[str, Any]]]:
        return (("How much", {"fields": ("multiplier",)}), ("When", {"fields": ("starts_at", "ends_at")}), SHOWN)

    def in_words(self, row: Boost) -> str:
        return sentence_of(
            [
                f"all awards of points × {decimal_text(row.multiplier)}" if row.multiplier else "",
                f"from {plain(row.starts_at)}" if row.starts_at else "at once",
                f"until {plain(row.ends_at)}" if row.ends_at else "without end",
            ]
        )

    @display("multiplier")
    def display_multiplier(self, boost: Boost) -> str:
        return f"× {decimal_text(boost.multiplier)}"

    @display("on now", label={"yes": "success"})
    def display_now(self, boost: Boost) -> str:
        is_on = Compiled(boost.multiplier, boost.starts_at, boost.ends_at).is_on(timezone.now())
        return "yes" if is_on and boost.is_active else "no"
