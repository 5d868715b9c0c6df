"""Daily figures of tiers: who reached one, and how participants are spread over them."""

from collections.abc import Iterator
from functools import partial

from django.db.models import Count
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from gamify.tiers.models import Tier
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
from participants.models import Participant

REACHED, SPREAD = "tiers.reached", "tiers.spread"
TIERS = "tiers_tier_changelist"

_REACHED = {
    REACHED: Figure(
        "Tiers reached",
        "Changes of participants' tiers on the day, by the tier that they reached: by points, by a definition or by hand.",
        "changes",
        TIERS,
        definition=Tier,
    )
}
_SPREAD = {
    SPREAD: Figure(
        "Tier spread",
        "Participants with a tier at the end of the day, by tier.",
        "people",
        TIERS,
        is_level=True,
        is_listed=False,
    )
}
_CODE = Coalesce(KeyTextTransform("code", "data"), KeyTextTransform("code", KeyTextTransform("tier", "data")))
_measure_reached = partial(
    count_events, figure_of=dict.fromkeys(("tier.entered", "tier.upgraded", "tier.assigned"), REACHED), by=_CODE
)


def register() -> None:
    """Called by `AppConfig.ready`."""
    figure_sources.register(
        "tiers", FigureSource(Section.ACHIEVEMENTS, _REACHED, _measure_reached, horizon=event_retention)
    )
    figure_sources.register(
        "tier spread", FigureSource(Section.ACHIEVEMENTS, _SPREAD, _measure_spread, is_momentary=True)
    )


def _measure_spread(span: DaySpan) -> Iterator[Measurement]:
    people = Participant.objects.of(span.tenant).filter(tier_code__isnull=False).order_by()
    for row in people.values("tier_code").annotate(number=Count("pk")):
        yield Measurement(SPREAD, span.last, row["number"], str(row["tier_code"]))
