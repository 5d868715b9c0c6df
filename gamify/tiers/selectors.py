"""Reads of tiers: the ladder, and a participant's tier and history."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, Count, Q, QuerySet, Value, When

from gamify.tiers.engine import Basis, Ladder, Points, Tier
from gamify.tiers.models import Tier as TierRow
from gamify.tiers.models import TierChange
from participants.catalog import CatalogPart, catalog_of
from participants.models import Participant, Tenant

MAX_HISTORY = 1000


def load_ladder(tenant: Tenant) -> Ladder:
    """The part of the catalog with the tiers. Inactive tiers are included, because participants keep them."""
    return Ladder.of(compile_tier(row) for row in TierRow.objects.of(tenant))


def compile_tier(row: TierRow) -> Tier:
    """Return what the engine needs of a definition."""
    return Tier(
        id=row.pk,
        code=row.code,
        name=row.name,
        level=row.level,
        min_points=row.criteria_config.get("min_points"),
        basis=Basis(row.criteria_config.get("basis", Basis.BALANCE)),
        is_active=row.is_active,
        is_automatic=row.is_automatic,
        color=row.color,
        points_multiplier=row.points_multiplier,
    )


ladder_of = CatalogPart("tiers", load_ladder)


def points_of(participant: Participant | None) -> Points:
    """The points that thresholds are compared with. Zeros for an unknown participant."""
    if participant is None:
        return Points()
    return Points(balance=participant.balance, lifetime=participant.total_earned)


def current_tier(ladder: Ladder, participant: Participant | None) -> Tier | None:
    """The participant's tier, or None. Makes no query."""
    return None if participant is None else ladder.find(participant.tier_code)


def achieved_at(participant: Participant | None) -> datetime | None:
    """When the participant entered their tier, or None if they have no tier."""
    if participant is None or not participant.tier_count:
        return None
    newest = TierChange.objects.of(participant).filter(number=participant.tier_count)
    return newest.values_list("changed_at", flat=True).first()


def award_recipients_in_chunks(tenant: Tenant, *, size: int) -> Iterator[list[str]]:
    """Yield, in chunks of up to `size`, the external ids of all participants who ever earned points, in ascending order."""
    ids, last = _award_recipients(tenant).order_by("external_id").values_list("external_id", flat=True), ""
    while chunk := list(ids.filter(external_id__gt=last)[:size]):
        yield chunk
        last = chunk[-1]


def count_award_recipients(tenant: Tenant) -> int:
    return _award_recipients(tenant).count()


def _award_recipients(tenant: Tenant) -> "QuerySet[Participant]":
    return Participant.objects.of(tenant).filter(total_earned__gt=0)


def participants_to_raise(tenant: Tenant) -> "QuerySet[Any]":
    """Return the participants whom their next award would move up, whatever its amount, with the code of that tier as `target`.

    It asks the database what `engine.tier_after_award` decides: the highest step above the current tier whose threshold is met. Tiers
    assigned by hand stay. One pass over the tenant's participants.
    """
    ladder = ladder_of(catalog_of(tenant))
    steps = [When(_is_met(step) & _is_below(ladder, step), then=Value(step.code)) for step in reversed(ladder.steps)]
    people = Participant.objects.of(tenant).filter(total_earned__gt=0, tier_is_manual=False)
    return people.annotate(target=Case(*steps, default=None, output_field=CharField())).exclude(target=None)


def _is_met(step: Tier) -> Q:
    column = "balance" if step.basis is Basis.BALANCE else "total_earned"
    return Q(**{f"{column}__gte": step.threshold})


def _is_below(ladder: Ladder, step: Tier) -> Q:
    lower = [tier.code for tier in ladder.by_code.values() if tier.level < step.level]
    return Q(tier_code=None) | Q(tier_code__in=lower)


def number_to_raise(tenant: Tenant) -> Mapping[str, int]:
    """Count the participants to raise, by the code of the tier that they would reach."""
    people = participants_to_raise(tenant).order_by().values_list("target").annotate(Count("pk"))
    return dict(people)


def members_by_tier(tenant: Tenant) -> Mapping[str, int]:
    """Count the participants in each tier, by its code."""
    people = Participant.objects.of(tenant).exclude(tier_code=None)
    return dict(people.order_by().values_list("tier_code").annotate(Count("pk")))


def history_of(participant: Participant | None) -> Sequence[TierChange]:
    """The newest MAX_HISTORY changes of the participant's tier, oldest first."""
    if participant is None or not participant.tier_count:
        return ()
    numbers = {"number__gt": participant.tier_count - MAX_HISTORY}
    return list(TierChange.objects.of(participant).filter(**numbers).oldest_first())


def newest_changes_of(participant: Participant, limit: int) -> Sequence[TierChange]:
    """The newest `limit` changes of the participant's tier, newest first."""
    return list(TierChange.objects.of(participant).order_by("-number")[:limit]) if participant.tier_count else ()
