"""Panels: what each domain adds to the page of a participant: actions, links, boxes, and its entries of the timeline.

A domain registers its panel in its `admin.py`. A panel names the permissions of which a user needs one to see it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from participants.activity import Activity
from participants.admin.authorization import Declared, may
from participants.admin.pages import Link, ObjectPage
from participants.models import Capability, Participant
from participants.registries import Registry


@dataclass(frozen=True)
class Meter:
    """Progress towards a goal: `value` of `maximum`, and what that means in words."""

    value: int
    maximum: int
    words: str


@dataclass(frozen=True)
class Box:
    """One thing at a glance: a `figure` in large print, a sentence (`note`), a `meter`, a table, and a `drawing` (markup).

    - `columns` and `rows` are the table. Rows with one cell more than columns end with a cell without a title, such as a button.
    - `empty` is the sentence that is shown if there are no rows.
    - `folded`: the table is hidden until its reader opens it. This is the text to open it with.
    - `is_wide`: the box takes the whole width of the page.
    """

    title: str
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    empty: str = ""
    note: str = ""
    drawing: str = ""
    figure: str = ""
    meter: Meter | None = None
    folded: str = ""
    is_wide: bool = False


@dataclass(frozen=True)
class Line:
    """What the timeline says about one activity. Every part is text or markup.

    - `title` says what happened, and `amount` how many points moved, with a sign.
    - `detail` says more. `cause` says which event or entry led to it; the timeline itself names the actor and the reason.
    - `reversal` says that it was taken back, with a link to what took it back.
    """

    title: str
    amount: str = ""
    detail: str = ""
    cause: str = ""
    reversal: str = ""


@dataclass(frozen=True)
class Story:
    """How one domain words its entries of the timeline.

    - `name` is the filter in URLs, `title` its text, `icon` the name of the symbol.
    - `words` are the titles of its types of domain events, with `{}` for what it is about.
    - `lines(participant, items, reader)` words activity of these types, by the id of the activity, with a constant number of queries.
      It links to pages that the user `reader` may open.
    """

    name: str
    title: str
    icon: str
    words: Mapping[str, str]
    lines: Callable[[Participant, Sequence[Activity], Any], Mapping[UUID, Line]]


SHOW, BEFORE = "show", "before"
"""The query of the page of a participant: the filter of the timeline, and the key before which a page of it begins."""


def timeline_url(show: str = "", before: UUID | None = None) -> str:
    query = ({SHOW: show} if show else {}) | ({BEFORE: str(before)} if before else {})
    return f"?{urlencode(query)}#timeline"


def entry_link(text: str, story: str, activity_id: UUID) -> SafeString:
    """Return a link to the page of the timeline that begins with this activity, which belongs to the story with this name."""
    return format_html(
        '<a href="{}" class="console-link">{}</a>', timeline_url(story, UUID(int=activity_id.int + 1)), text
    )


def _nothing(*_: Any) -> Iterable[Any]:
    return ()


@dataclass(frozen=True)
class Panel:
    """What one domain adds to the page of a participant.

    `boxes(participant, reader)` returns what is shown at a glance to the user `reader`, with a constant number of queries. A user needs one of the permissions in `view_permissions`, or a role with `capability`,
    to see the links, boxes and entries of the timeline; without permissions, every user who may see the participant
    sees them. Object pages check their own permission.
    """

    capability: Capability
    view_permissions: Sequence[str] = ()
    pages: Sequence[ObjectPage] = ()
    links: Callable[[Participant], Iterable[Link]] = _nothing
    boxes: Callable[[Participant, Any], Iterable[Box]] = _nothing
    story: Story | None = None


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


def boxes(participant: Participant, shown: Iterable[Panel], reader: Any) -> list[Box]:
    return [box for panel in shown for box in panel.boxes(participant, reader)]
