"""The editor of milestones: one card per milestone, with its grants in rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gamify.challenges.admin.cards import Card, CardsField, CardsWidget, Stored
from gamify.facts.admin.grants import GrantsWidget, SubmittedGrants, grants_of, row_of
from gamify.facts.admin.words import grant_in_words
from participants.models import Tenant


@dataclass(frozen=True)
class MilestoneCard:
    """A milestone as filled in. `objectives` is the number of objectives that must be completed."""

    objectives: str = ""
    grants: SubmittedGrants = field(default_factory=lambda: SubmittedGrants([], []))

    @property
    def is_blank(self) -> bool:
        return not self.objectives.strip() and not self.grants.rows

    def body(self, shown: Stored) -> dict[str, Any]:
        return {"objectives": self.objectives.strip(), "grants": grants_of(self.grants)}

    def context(self, prefix: str, shown: Stored) -> dict[str, Any]:
        return {"card": self}


class MilestonesWidget(CardsWidget):
    template_name = "admin/challenges/milestones.html"
    tenant: Tenant | None = None

    def read(self, data: Any, prefix: str) -> Card:
        grants = GrantsWidget().value_from_datadict(data, {}, f"{prefix}-grants")
        return MilestoneCard(data.get(f"{prefix}-objectives", ""), grants)

    def of_stored(self, stored: Mapping[str, Any], place: int) -> Card:
        grants = stored["grants"]
        rows = [row_of(spec, index) for index, spec in enumerate(grants)]
        return MilestoneCard(str(stored["objectives"]), SubmittedGrants(grants, rows))

    def blank(self) -> Card:
        return MilestoneCard()

    def card_context(self, card: Card, prefix: str, shown: Stored) -> dict[str, Any]:
        assert isinstance(card, MilestoneCard)  # noqa: S101 - this widget makes no other cards
        widget = GrantsWidget()
        widget.tenant = self.tenant
        grants = widget.get_context(f"{prefix}-grants", card.grants, {})["widget"]
        return {**super().card_context(card, prefix, shown), "grants": grants}


class MilestonesField(CardsField):
    widget = MilestonesWidget

    def sentence(self, stored: Mapping[str, Any]) -> str:
        """Return a milestone in words, such as `After 2 objectives: 10 points; badge vip`."""
        number = stored["objectives"]
        grants = "; ".join(grant_in_words(spec, self.widget.tenant) for spec in stored["grants"])
        return f"After {number} {'objective' if number == 1 else 'objectives'}: {grants}"

    def suggest_for(self, tenant: Tenant | None) -> None:
        """Suggest the definitions of `tenant` in the fields of grants."""
        self.widget.tenant = tenant
