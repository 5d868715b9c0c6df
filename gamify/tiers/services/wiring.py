"""Registrations of the tiers domain with the layers below."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from gamify.facts.engine.metrics import MetricKind
from gamify.facts.services import Fact, Metric, MetricValue, Selector, register_metric, undoers
from gamify.tiers.models import AwardType, TierChange
from gamify.tiers.selectors import ladder_of
from gamify.tiers.services.reversing import take_back_change, undo
from participants import events
from participants.activity import ActivitySource, activity_sources
from participants.archiving import ArchiveRule, archive_rules
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


_TIER = {"tier": EventField(TIER, "The tier: its code, name and level.")}
_REASON = {"reason": EventField(TEXT, "Text given with the request, or null.", nullable=True)}
_UPGRADED = {
    "code": EventField(TEXT, "Code of the tier."),
    "name": EventField(TEXT, "Its name."),
    "level": EventField(INTEGER, "Its level."),
    "previous_code": EventField(TEXT, "Code of the tier before, or null.", nullable=True),
    "previous_level": EventField(INTEGER, "Level of the tier before, or null.", nullable=True),
}
_PREVIOUS = {
    "previous_tier": EventField(
        TIER, "The tier before, or null. The same tier if it was assigned again.", nullable=True
    )
}
_TAKEN_BACK = {"previous_tier": EventField(TIER, "The tier that was taken back, or null.", nullable=True)}
_EVENTS = {
    "tier.entered": ("A participant entered the tier with threshold 0 with their first award.", _TIER),
    "tier.upgraded": ("An award led to a higher tier.", _UPGRADED),
    "tier.assigned": ("A tier was assigned by hand or granted by a definition.", _TIER | _PREVIOUS | _REASON),
}
_REVERTED = "A tier that had been assigned or granted was taken back: the participant has the tier before it again."


def register() -> None:
    """Called by `AppConfig.ready`."""
    ladder_of.register()
    undoers.register("tiers", undo)
    cause_tables.register("tier", CauseTable(TierChange, "changed_at", take_back_change, is_of_event=False))
    archive_rules.register(
        "tiers.LadderRun", ArchiveRule("Work that is not finished goes on in the installation where it began.")
    )
    activity_sources.register("tiers", ActivitySource(_changes_of, _LISTED, _describe, is_late=True))
    _register_metric()
    _register_eraser()
    for name, (meaning, fields) in _EVENTS.items():
        events.register(name, meaning, fields)
    events.register("tier.reverted", _REVERTED, _TIER | _TAKEN_BACK | _REASON, is_reversal=True)


def _register_metric() -> None:
    metric = Metric(
        label="level of the tier",
        display_order=70,
        kind=MetricKind.LEVEL,
        badge_name="tier_level",
        read=_levels,
        raised_by=dict.fromkeys(_EVENTS, _level_reached),
    )
    register_metric(metric)


def _register_eraser() -> None:
    changes = register_append_only(AppendOnly(TierChange, anonymized={"reason": None, "request_id": None}))
    tables = {"tier_changes": PersonalTable(TierChange, "Every change of their tier, oldest first.", order=("number",))}
    erasers.register("tier changes", Eraser(tables, delete=erase(changes), anonymize=anonymize(changes)))


_LISTED = frozenset({"tier.entered", "tier.upgraded", "tier.assigned", "tier.reverted"})


def _changes_of(tenant: Tenant) -> "QuerySet[TierChange]":
    return TierChange.objects.filter(tenant_id=tenant.pk)


def _describe(change: TierChange) -> tuple[str, dict[str, Any]]:
    """Return a change as an item of the activity."""
    tier = {"code": change.code, "name": change.name, "level": change.level}
    before = None if change.previous_code is None else {"code": change.previous_code, "level": change.previous_level}
    return _type_of(change), {"tier": tier, "previous_tier": before, "reason": change.reason}


def _type_of(change: TierChange) -> str:
    """Return the type of the domain event. A row does not say whether a first tier was entered without points, so it was reached."""
    if change.reverses_id is not None:
        return "tier.reverted"
    return "tier.assigned" if change.how == AwardType.MANUAL else "tier.upgraded"
