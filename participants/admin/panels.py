"""What the domains above add to a participant's page: buttons, pages of one write, tables, and moments of the timeline.

Registered where the domain's own console pages are, in its `admin.py`. A panel names the permissions that open it: a
participant's page shows each member of staff only the panels whose rows they may see.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import nlargest
from typing import Any

from django.http import HttpRequest
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

    So do `boxes(participant)`: what stands there now, under what may be edited. `seen_with` are permissions: any one of them
    shows the panel's links, boxes and moments. Empty: everybody who sees the participant. Each page asks its own permission.
    """

    seen_with: Sequence[str] = ()
    pages: Sequence[ObjectPage] = ()
    links: Callable[[Participant], Iterable[Link]] = _no_links
    boxes: Callable[[Participant], Iterable[Box]] = _no_boxes
    moments: Callable[[Participant, int], Iterable[Moment]] = _nothing


panels: Registry[Panel] = Registry("Participant panel")


def pages() -> list[ObjectPage]:
    return [page for name in panels for page in panels[name].pages]


def visible_panels(request: HttpRequest) -> list[Panel]:
    """The panels whose rows the user of the request may see."""
    return [panels[name] for name in panels if _is_visible(panels[name], request)]


def _is_visible(panel: Panel, request: HttpRequest) -> bool:
    return not panel.seen_with or any(request.user.has_perm(permission) for permission in panel.seen_with)


def links(participant: Participant, shown: Iterable[Panel]) -> Iterator[Link]:
    for panel in shown:
        yield from panel.links(participant)


def boxes(participant: Participant, shown: Iterable[Panel]) -> list[Box]:
    return [box for panel in shown for box in panel.boxes(participant)]


def timeline(participant: Participant, shown: Sequence[Panel]) -> list[Moment]:
    """The newest moments of the panels together, newest first; at one instant what a domain below did came first."""
    moments = (moment for panel in reversed(shown) for moment in panel.moments(participant, TIMELINE_LENGTH))
    return nlargest(TIMELINE_LENGTH, moments, key=lambda moment: moment.at)


def _first_and_last(participant: Participant, limit: int) -> Iterator[Moment]:
    yield Moment(participant.first_seen_at, "First seen", icon="person_add")
    if participant.anonymized_at:
        yield Moment(participant.anonymized_at, "Anonymised", icon="person_off")


panels.register("participants", Panel(moments=_first_and_last))
