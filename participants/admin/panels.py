"""What the domains above add to a participant's page: buttons, pages of one write, tables, and moments of the timeline.

Registered where the domain's own console pages are, in its `admin.py`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import nlargest
from typing import Any

from django.utils.safestring import SafeString

from participants.admin.pages import Link, ObjectPage
from participants.models import Participant
from participants.registries import Registry

TIMELINE_LENGTH = 20
NO_DRAWING = SafeString("")


@dataclass(frozen=True)
class Moment:
    """One thing that happened to a participant, as the timeline shows it."""

    at: datetime
    title: str
    detail: str = ""
    icon: str = "circle"
    url: str = ""


@dataclass(frozen=True)
class Box:
    """A table on the participant's page; `note` stands above it, `drawing` (markup) below, and `empty` where it has no rows."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    empty: str
    note: str = ""
    drawing: SafeString = NO_DRAWING


def _nothing(participant: Participant, limit: int) -> Iterable[Moment]:
    return ()


def _no_boxes(participant: Participant) -> Iterable[Box]:
    return ()


def _no_links(participant: Participant) -> Iterable[Link]:
    return ()


@dataclass(frozen=True)
class Panel:
    """`moments(participant, limit)` answers the newest `limit`, in one query whatever their number.

    So do `boxes(participant)`: what stands there now, under what may be edited.
    """

    pages: Sequence[ObjectPage] = ()
    links: Callable[[Participant], Iterable[Link]] = _no_links
    boxes: Callable[[Participant], Iterable[Box]] = _no_boxes
    moments: Callable[[Participant, int], Iterable[Moment]] = _nothing


panels: Registry[Panel] = Registry("Participant panel")


def _panels() -> list[Panel]:
    return [panels[name] for name in panels]


def pages() -> list[ObjectPage]:
    return [page for panel in _panels() for page in panel.pages]


def links(participant: Participant) -> Iterator[Link]:
    for panel in _panels():
        yield from panel.links(participant)


def boxes(participant: Participant) -> list[Box]:
    return [box for panel in _panels() for box in panel.boxes(participant)]


def timeline(participant: Participant) -> list[Moment]:
    """The newest moments of all domains together, newest first; at one instant what a domain below did came first."""
    moments = (moment for panel in reversed(_panels()) for moment in panel.moments(participant, TIMELINE_LENGTH))
    return nlargest(TIMELINE_LENGTH, moments, key=lambda moment: moment.at)


def _first_and_last(participant: Participant, limit: int) -> Iterator[Moment]:
    yield Moment(participant.first_seen_at, "First seen", icon="person_add")
    if participant.anonymized_at:
        yield Moment(participant.anonymized_at, "Anonymised", icon="person_off")


panels.register("participants", Panel(moments=_first_and_last))
