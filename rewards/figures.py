"""Daily figures of rewards: what was claimed, granted and fulfilled, and what waits."""

from collections.abc import Iterator, Mapping

from django.db.models import Count

from participants.figures import (
    DaySpan,
    Figure,
    FigureSource,
    Measurement,
    Section,
    count_events,
    event_retention,
    figure_sources,
)
from participants.models import Tenant
from rewards.models import Claim, ClaimStatus, Reward

CLAIMS = "rewards_claim_changelist"
GIVEN, FULFILLED, CANCELLED, WAITING = "rewards.given", "rewards.fulfilled", "rewards.cancelled", "rewards.waiting"

_FLOWS = {
    GIVEN: Figure(
        "Rewards given",
        "Rewards that participants claimed or were granted on the day, by reward. Those that wait for stock are not included.",
        "claims",
        CLAIMS,
        "status__in=claimed,fulfilled,cancelled",
        "claimed_at",
        definition=Reward,
    ),
    FULFILLED: Figure("Claims fulfilled", "Claims that staff fulfilled on the day.", "claims", CLAIMS, "status__exact=fulfilled", "closed_at"),
    CANCELLED: Figure("Claims cancelled", "Claims that were cancelled on the day.", "claims", CLAIMS, "status__exact=cancelled", "closed_at"),
}  # fmt: skip
_LEVEL = {
    WAITING: Figure(
        "Claims that wait",
        "Rewards that were granted while there was no stock, and are not served yet, at the end of the day.",
        "claims",
        CLAIMS,
        "status__exact=pending",
        is_level=True,
    )
}
_EVENTS = {"reward.claimed": GIVEN, "reward.fulfilled": FULFILLED, "reward.cancelled": CANCELLED}


def register() -> None:
    """Called by `AppConfig.ready`."""
    figure_sources.register("rewards", FigureSource(Section.REWARDS, _FLOWS, _measure_flows, horizon=event_retention))
    figure_sources.register("waiting claims", FigureSource(Section.REWARDS, _LEVEL, _measure_level, is_momentary=True))


def _codes(tenant: Tenant) -> Mapping[str, str]:
    return {str(pk): code for pk, code in Reward.objects.of(tenant).values_list("pk", "code")}


def _measure_flows(span: DaySpan) -> Iterator[Measurement]:
    codes = _codes(span.tenant)
    for each in count_events(span, figure_of=_EVENTS, by="reward_id"):
        yield each._replace(dimension=codes.get(each.dimension, each.dimension))


def _measure_level(span: DaySpan) -> Iterator[Measurement]:
    codes = _codes(span.tenant)
    rows = Claim.objects.filter(tenant_id=span.tenant.pk, reward_id__in=list(codes), status=ClaimStatus.PENDING)
    for row in rows.order_by().values("reward_id").annotate(number=Count("pk")):
        yield Measurement(WAITING, span.last, row["number"], codes[str(row["reward_id"])])
