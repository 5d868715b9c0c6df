"""Panels: what other domains add to the page of a participant (buttons, object pages, tables, entries of the timeline).

A domain registers its panel in its `admin.py`. A panel names the permissions of which a user needs one to see it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import nlargest
from typing import Any

from django.http import HttpRequest

from participants.admin.authorization import Declared, may
from participants.admin.pages import Link, ObjectPage
from participants.models import Capability, Participant
from participants.registries import Registry

TIMELINE_LENGTH = 20


@dataclass(frozen=True)
class Moment:
    """An entry of a participant's timeline."""

    at: datetime
    title: str
    detail: str = ""
    icon: str = "circle"
    url: str = ""


@dataclass(frozen=True)
class Box:
    """A table on the page of a participant, with a `note` above and a `drawing` (markup) below.

    `empty` is the sentence that is shown if there are no rows.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    empty: str
    note: str = ""
    drawing: str = ""


def _nothing(*_: Any) -> Iterable[Any]:
    return ()


@dataclass(frozen=True)
class Panel:
    """What one domain adds to the page of a participant.

    `moments(participant, limit)` returns the newest `limit` entries of the timeline, and `boxes(participant)` tables with the
    current state. Each must use a constant number of queries. A user needs one of the permissions in `view_permissions`, or a role with
    `capability`, to see the links, boxes and moments; without permissions, every user who may see the participant sees them. Object
    pages check their own permission.
    """

    capability: Capability
    view_permissions: Sequence[str] = ()
    pages: Sequence[ObjectPage] = ()
    links: Callable[[Participant], Iterable[Link]] = _nothing
    boxes: Callable[[Participant], Iterable[Box]] = _nothing
    moments: Callable[[Participant, int], Iterable[Moment]] = _nothing


panels: Registry[Panel] = Registry("Participant panel")


def pages() -> list[ObjectPage]:
    return [page for panel in panels.values() for page in panel.pages]


def visible_panels(request: HttpRequest) -> list[Panel]:
    """Return the panels that the user of the request may see."""
    return [panel for panel in panels.values() if _may_see(request.user, panel)]


def _may_see(user: Any, panel: Panel) -> bool:
    return not panel.view_permissions or any(may(user, each, panel.capability) for each in panel.view_permissions)


def declared() -> Iterator[Declared]:
    """Yield the permissions that panels declare, with their capabilities."""
    return ((permission, panel.capability) for panel in panels.values() for permission in panel.view_permissions)


def links(participant: Participant, shown: Iterable[Panel]) -> list[Link]:
    return [link for panel in shown for link in panel.links(participant)]


def boxes(participant: Participant, shown: Iterable[Panel]) -> list[Box]:
    return [box for panel in shown for box in panel.boxes(participant)]


def timeline(participant: Participant, shown: Sequence[Panel]) -> list[Moment]:
    """Return the newest entries of all panels, newest first.

    If two entries have the same time, the one of the lower domain counts as the earlier one.
    """
    moments = (moment for panel in reversed(shown) for moment in panel.moments(participant, TIMELINE_LENGTH))
    return nlargest(TIMELINE_LENGTH, moments, key=lambda moment: moment.at)


def _first_and_last(participant: Participant, limit: int) -> Iterator[Moment]:
    yield Moment(participant.first_seen_at, "First seen", icon="person_add")
    if participant.anonymized_at:
        yield Moment(participant.anonymized_at, "Anonymised", icon="person_off")


panels.register("participants", Panel(capability=Capability.SEE_PARTICIPANTS, moments=_first_and_last))
