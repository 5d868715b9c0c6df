"""Daily figures: what each app counts per day of a tenant. A sweep stores the numbers, and the overview reads only what is stored."""

from participants.events import event_retention
from participants.figures.counting import count_events, count_rows
from participants.figures.days import DAY, DaySpan, today_of
from participants.figures.people import RETAINED, Presence, presences
from participants.figures.registry import POINTS, Figure, FigureSource, Measurement, Section, figure_sources, figures

__all__ = [
    "DAY",
    "POINTS",
    "RETAINED",
    "DaySpan",
    "Figure",
    "FigureSource",
    "Measurement",
    "Presence",
    "Section",
    "count_events",
    "count_rows",
    "event_retention",
    "figure_sources",
    "figures",
    "presences",
    "today_of",
]
