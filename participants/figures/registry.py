"""The registry of daily figures. Each app registers sources, which compute its figures from indexed tables."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from participants.figures.days import DaySpan
from participants.models import Definition
from participants.registries import Registry

POINTS = "points"
"""The unit of figures that are also shown in money."""


class Section(StrEnum):
    """The sections of the overview, in their order."""

    PEOPLE = "People and events"
    POINTS = "Points"
    STREAKS = "Streaks"
    ACHIEVEMENTS = "Achievements"
    REWARDS = "Rewards"
    WEBHOOKS = "Webhooks"


@dataclass(frozen=True)
class Figure:
    """One number per day.

    - `help` says exactly what is counted. The page adds the zone of the days.
    - `page` is the route of the console page with the rows behind the number, and `query` its query string. `column` is the column by
      which the page can be filtered by day; empty: by none.
    - `is_level`: the number describes the end of the day, so numbers of several days are not added up.
    - `is_listed`: False for a number that only serves a special table of the overview.
    - `definition`: the kind of definition whose codes are the dimensions. One without a number for 30 days is not in use.
    """

    label: str
    help: str
    unit: str
    page: str = ""
    query: str = ""
    column: str = ""
    is_level: bool = False
    is_listed: bool = True
    definition: type[Definition] | None = None


class Measurement(NamedTuple):
    """The value of a figure on one day; with a `dimension` of a part of it."""

    figure: str
    day: date
    value: int
    dimension: str = ""


@dataclass(frozen=True)
class FigureSource:
    """Figures of one app that are computed together, by name, and the section of the overview that shows them.

    - `measure(span)` yields measurements of days in the span. Days that it leaves out have the value 0. If it yields only parts of a
      figure, the number of the whole day is their sum.
    - `is_momentary`: it knows only the present state. So it measures today only, and a day that is over keeps its last number.
    - `horizon()` is how long the rows are stored that it reads; None: for ever. Older days keep their numbers.
    """

    section: Section
    figures: Mapping[str, Figure]
    measure: Callable[[DaySpan], Iterable[Measurement]]
    is_momentary: bool = False
    horizon: Callable[[], timedelta] | None = field(default=None)


figure_sources: Registry[FigureSource] = Registry("Figure source")


def figures() -> Mapping[str, Figure]:
    """Return all figures by name, in the order of registration."""
    return dict(_all_figures())


def _all_figures() -> Iterator[tuple[str, Figure]]:
    for source in figure_sources.values():
        yield from source.figures.items()
