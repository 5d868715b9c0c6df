"""Daily figures of badges."""

from functools import partial

from gamify.badges.models import Badge
from participants.figures import Figure, FigureSource, Section, count_events, event_retention, figure_sources

_FIGURES = {
    "badges.awarded": Figure(
        "Badges given",
        "Badges that participants earned on the day, by badge. One that is revoked later stays counted on this day.",
        "badges",
        "badges_badge_changelist",
        definition=Badge,
    )
}
_measure = partial(count_events, figure_of={"badge.awarded": "badges.awarded"}, by="badge_code")


def register() -> None:
    """Called by `AppConfig.ready`."""
    figure_sources.register("badges", FigureSource(Section.ACHIEVEMENTS, _FIGURES, _measure, horizon=event_retention))
