"""Registrations of the tiers domain with the layers below."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from gamify.facts.engine.metrics import MetricKind
from gamify.facts.services import Fact, Metric, MetricValue, Selector, register_metric, undoers
from gamify.tiers.models import TierChange
from gamify.tiers.selectors import ladder_of
from gamify.tiers.services.assignment import changes_by_cause, take_back_change
from gamify.tiers.services.reversing import undo
from participants import events
from participants.catalog import catalog_of
from participants.causes import CauseTable, cause_tables
from participants.events import INTEGER, TEXT, TIER, EventField
from participants.models import Participant, Tenant
from participants.services.append_only import AppendOnly, anonymize, erase, register_append_only
from participants.services.participants import Eraser, erasers
from participants.services.personal_data import PersonalTable


def _level_reached(fact: Fact, selector: Selector) -> int:
    tier = fact.properties.get("tier", fact.properties)
    return int(tier["level"])


def _levels(
    tenant: Tenant, participants: Sequence[Participant], selector: Selector, now: datetime
) -> Mapping[UUID, MetricValue]:
    """The level of the current tier, which is also the highest level reached: only people move a participant down."""
    ladder = ladder_of(catalog_of(tenant))
    tiers = {each.pk: ladder.find(each.tier_code) for each in participants}
    return {participant_id: MetricValue(tier.level, tier.level) for participant_id, tier in tiers.items() if tier}


def register() -> None:
    """Called by `AppConfig.ready`."""
    changes = dict.fromkeys(("tier.entered", "tier.upgraded", "tier.assigned"), _level_reached)
    undoers.register("tiers", undo)
    cause_tables.register("tier", CauseTable(changes_by_cause, "changed_at", take_back_change, is_of_event=False))
    register_metric(
        Metric(
            label="level of the tier",
            display_order=70,
            kind=MetricKind.LEVEL,
            badge_name="tier_level",
            read=_levels,
            raised_by=changes,
        )
    )
    ladder_of.register()
    changes_of_tiers = register_append_only(AppendOnly(TierChange, anonymized={"reason": None, "request_id": None}))
    tables = {"tier_changes": PersonalTable(TierChange, "Every change of their tier, oldest first.", order=("number",))}
    erasers.register(
        "tier changes", Eraser(tables, delete=erase(changes_of_tiers), anonymize=anonymize(changes_of_tiers))
    )
    tier = {"tier": EventField(TIER, "The tier: its code, name and level.")}
    upgraded = {
        "code": EventField(TEXT, "Code of the tier."),
        "name": EventField(TEXT, "Its name."),
        "level": EventField(INTEGER, "Its level."),
        "previous_code": EventField(TEXT, "Code of the tier before, or null.", nullable=True),
        "previous_level": EventField(INTEGER, "Level of the tier before, or null.", nullable=True),
    }
    assigned = {
        **tier,
        "previous_tier": EventField(
            TIER, "The tier before, or null. The same tier if it was assigned again.", nullable=True
        ),
        "reason": EventField(TEXT, "Text given with the request, or null.", nullable=True),
    }
    events.register("tier.entered", "A participant entered the tier with threshold 0 with their first award.", tier)
    events.register("tier.upgraded", "An award led to a higher tier.", upgraded)
    events.register("tier.assigned", "A tier was assigned by hand or granted by a definition.", assigned)
