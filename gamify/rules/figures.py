"""Daily figures of rules: what they gave."""

from collections.abc import Iterator

from django.db.models import Value
from django.db.models.functions import Substr

from gamify.rules.models import Rule
from participants.actors import ActorKind
from participants.figures import (
    DaySpan,
    Figure,
    FigureSource,
    Measurement,
    Section,
    count_rows,
    event_retention,
    figure_sources,
)
from participants.models import DomainEvent

GIVEN = "rules.given"
_ACTOR = f"{ActorKind.DEFINITION}:rule:"

_FIGURES = {
    GIVEN: Figure(
        "Given by rules",
        "Changes that rules made on the day, by rule. A rule that gives points and a badge makes at least two.",
        "changes",
        "rules_rule_changelist",
        definition=Rule,
    )
}


def register() -> None:
    """Called by `AppConfig.ready`."""
    figure_sources.register("rules", FigureSource(Section.ACHIEVEMENTS, _FIGURES, _measure, horizon=event_retention))


def _measure(span: DaySpan) -> Iterator[Measurement]:
    events = DomainEvent.objects.filter(span.has("occurred_at"), tenant_id=span.tenant.pk, actor__startswith=_ACTOR)
    code = Substr("actor", Value(len(_ACTOR) + 1))
    for day, rule, number in count_rows(span, events, "occurred_at", by=code):
        yield Measurement(GIVEN, day, number, rule)
