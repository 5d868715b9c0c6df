"""The section `tier` of profile and state."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rest_framework import serializers

from gamify.tiers import engine
from gamify.tiers.engine import Ladder, Tier
from gamify.tiers.selectors import achieved_at, current_tier, ladder_of, points_of
from gamify.tiers.services.changes import name_of, tier_payload
from participants.models import Participant
from participants.profile import Section, Subject, sections


class TierSummary(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Code of the tier.")
    name = serializers.CharField(help_text="Its name.")
    level = serializers.IntegerField(help_text="Its level; higher is better.")


class NextTier(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Code of the tier.")
    name = serializers.CharField(help_text="Its name.")
    points_required = serializers.IntegerField(help_text="Number of points at which it is reached.")
    points_remaining = serializers.IntegerField(help_text="Number of points that are missing.")


class CurrentTier(TierSummary):
    color = serializers.CharField(allow_null=True, help_text="Colour, such as #FFD700, or null.")
    achieved_at = serializers.DateTimeField(help_text="When the participant reached it.")


class ProfileTier(CurrentTier):
    next_tier = NextTier(allow_null=True, help_text="The next higher tier; null at the top.")


def current_and_next(
    subject: Subject, *, achieved_at: datetime | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The current tier, reached at `achieved_at`, and the next tier, as they appear in answers. Either may be None."""
    ladder = ladder_of(subject.catalog)
    tier = current_tier(ladder, subject.participant)
    current = None if tier is None else asdict(name_of(tier)) | {"color": tier.color, "achieved_at": achieved_at}
    return current, _next_summary(ladder, tier, subject.participant)


def _next_summary(ladder: Ladder, current: Tier | None, participant: Participant | None) -> dict[str, Any] | None:
    tier = engine.next_tier(ladder, current)
    if tier is None:
        return None
    remaining = engine.points_remaining(tier, points_of(participant))
    return {
        "code": tier.code,
        "name": tier.name,
        "points_required": tier.threshold,
        "points_remaining": remaining,
    }


def _profile(subject: Subject) -> Mapping[str, Any]:
    current, following = current_and_next(subject, achieved_at=achieved_at(subject.participant))
    return {"tier": None if current is None else current | {"next_tier": following}}


def _state(subject: Subject) -> Any:
    tier = current_tier(ladder_of(subject.catalog), subject.participant)
    return tier_payload(tier)


def register() -> None:
    about: dict[str, Any] = {"allow_null": True, "help_text": "The current tier, or null."}
    section = Section(
        state=_state,
        state_field=lambda: TierSummary(**about),
        profile=_profile,
        profile_fields=lambda: {"tier": ProfileTier(**about)},
    )
    sections.register("tier", section)
