"""Daily figures of challenges."""

from collections.abc import Iterator
from functools import partial

from django.db.models import Count

from gamify.challenges.models import Challenge, Enrolment
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

CHALLENGES = "challenges_challenge_changelist"
ENROLLED, COMPLETED, EXPIRED = "challenges.enrolled", "challenges.completed", "challenges.expired"
UNDER_WAY = "challenges.under_way"

_FLOWS = {
    ENROLLED: Figure("Challenges begun", "Enrolments of participants in challenges on the day.", "enrolments", CHALLENGES),
    COMPLETED: Figure(
        "Challenges completed",
        "Completions on the day, by challenge. A repeatable challenge counts each time.",
        "completions",
        CHALLENGES,
        definition=Challenge,
    ),
    EXPIRED: Figure("Challenges missed", "Enrolments that ended uncompleted on the day.", "enrolments", CHALLENGES),
}  # fmt: skip
_LEVEL = {
    UNDER_WAY: Figure(
        "Challenges under way",
        "Enrolments that are neither completed nor ended, at the end of the day.",
        "enrolments",
        CHALLENGES,
        is_level=True,
    )
}
_EVENTS = {"challenge.enrolled": ENROLLED, "challenge.completed": COMPLETED, "challenge.expired": EXPIRED}
_measure_flows = partial(count_events, figure_of=_EVENTS, by="challenge_code")


def register() -> None:
    """Called by `AppConfig.ready`."""
    figure_sources.register(
        "challenges", FigureSource(Section.ACHIEVEMENTS, _FLOWS, _measure_flows, horizon=event_retention)
    )
    figure_sources.register("enrolments", FigureSource(Section.ACHIEVEMENTS, _LEVEL, _measure_level, is_momentary=True))


def _measure_level(span: DaySpan) -> Iterator[Measurement]:
    codes = dict(Challenge.objects.of(span.tenant).values_list("pk", "code"))
    rows = Enrolment.objects.under_way().filter(tenant_id=span.tenant.pk, challenge_id__in=list(codes)).order_by()
    for row in rows.values("challenge_id").annotate(number=Count("pk")):
        yield Measurement(UNDER_WAY, span.last, row["number"], codes[row["challenge_id"]])
