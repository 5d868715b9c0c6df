"""Console screens of boosts."""

from django.contrib import admin
from django.utils import timezone

from gamify.points.definitions import MULTIPLIER_HELP, BoostChanges, NewBoost
from gamify.points.engine import Boost as Compiled
from gamify.points.models import Boost
from participants.admin.definitions import DefinitionAdmin, DefinitionForm
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.fields import MomentField, MultiplierField
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
    settings = ("multiplier", "starts_at", "ends_at")
    columns = ("display_multiplier", "starts_at", "ends_at", "display_now")

    @display("multiplier")
    def display_multiplier(self, boost: Boost) -> str:
        return f"× {decimal_text(boost.multiplier)}"

    @display("on now", label={"yes": "success"})
    def display_now(self, boost: Boost) -> str:
        is_on = Compiled(boost.multiplier, boost.starts_at, boost.ends_at).is_on(timezone.now())
        return "yes" if is_on and boost.is_active else "no"
