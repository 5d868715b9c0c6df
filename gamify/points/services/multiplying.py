"""Multipliers of awards: the participant's tier, boosts, and the kinds that domains above register."""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal

from gamify.points import engine
from gamify.points.selectors import boosts_in
from gamify.tiers.selectors import current_tier, ladder_of
from participants.errors import NotFound
from participants.models import Participant
from participants.registries import Registry
from participants.work import UnitOfWork


class BoostNotFound(NotFound):
    code = "boost_not_found"
    noun = "Boost"


FindMultipliers = Callable[[UnitOfWork, Participant, datetime], Iterable[Decimal]]
"""Finds the multipliers of one kind that a locked participant has at an instant. The highest one counts."""

multipliers: Registry[FindMultipliers] = Registry("Multiplier")


def multiplier_of(work: UnitOfWork, participant: Participant, *, at: datetime) -> Decimal | None:
    """The multiplier for points earned at the instant `at`, or None if nothing multiplies them."""
    return engine.combined_multiplier(find(work, participant, at) for find in multipliers.values())


def _of_tier(work: UnitOfWork, participant: Participant, at: datetime) -> Iterable[Decimal]:
    tier = current_tier(ladder_of(work.catalog), participant)
    return () if tier is None or tier.points_multiplier is None else (tier.points_multiplier,)


def _of_boosts(work: UnitOfWork, participant: Participant, at: datetime) -> Iterable[Decimal]:
    return (boost.multiplier for boost in boosts_in(work.catalog) if boost.is_on(at))


def register() -> None:
    multipliers.register("tier", _of_tier)
    multipliers.register("boost", _of_boosts)
