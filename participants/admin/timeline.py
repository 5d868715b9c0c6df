"""The timeline of a participant: everything that happened, newest first, in the words of the domains."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from participants.activity import Activity, ActivityFilter, activity_page
from participants.actors import ActorKind
from participants.admin.actors import ActorWords
from participants.admin.panels import BEFORE, SHOW, Line, Panel, Story, timeline_url
from participants.engine import uuid_of
from participants.models import Participant

PAGE = 25
BY_STAFF = "staff"


@dataclass(frozen=True)
class Entry:
    """One row of the timeline."""

    at: datetime
    icon: str
    line: Line
    reason: str | None
    actor: str


@dataclass(frozen=True)
class Choice:
    """One filter, as a link."""

    title: str
    url: str
    is_chosen: bool


@dataclass(frozen=True)
class Timeline:
    """One page. `older` and `newest` are the URLs of other pages; empty if there are none."""

    choices: Sequence[Choice]
    entries: Sequence[Entry]
    older: str
    newest: str


def timeline(request: HttpRequest, participant: Participant, shown: Sequence[Panel]) -> Timeline:
    """Return the page that the query string asks for: `show` is the name of a filter, `before` the key of the page.

    `shown` are the panels that the reader may see. Activity of other domains is left out.
    """
    stories = {panel.story.name: panel.story for panel in shown if panel.story}
    chosen, before = request.GET.get(SHOW, ""), request.GET.get(BEFORE, "")
    wanted = ActivityFilter(
        participant_pk=participant.pk,
        types=_types([stories[chosen]] if chosen in stories else stories.values()),
        actor=ActorKind.STAFF.value if chosen == BY_STAFF else None,
        before=uuid_of(before),
    )
    items, cursor = activity_page(participant.tenant, wanted, limit=PAGE, now=timezone.now())
    return Timeline(
        choices=list(_choices(stories, chosen)),
        entries=list(_entries(participant, items, stories, request.user)),
        older=timeline_url(chosen, cursor) if cursor else "",
        newest=timeline_url(chosen) if before else "",
    )


def _types(stories: Iterable[Story]) -> frozenset[str]:
    return frozenset(name for story in stories for name in story.words)


def _choices(stories: Mapping[str, Story], chosen: str) -> Iterator[Choice]:
    names = {"": "Everything", **{name: story.title for name, story in stories.items()}, BY_STAFF: "By staff"}
    for name, title in names.items():
        yield Choice(title, timeline_url(name), is_chosen=name == (chosen if chosen in names else ""))


def _entries(
    participant: Participant, items: Sequence[Activity], stories: Mapping[str, Story], reader: Any
) -> Iterator[Entry]:
    actors = ActorWords(participant.tenant, reader, [item.actor_json for item in items])
    lines, icons = _lines(participant, items, stories.values(), reader), _icons(stories.values())
    for item in items:
        actor = actors.words(item.actor_json)
        yield Entry(item.at, icons[item.type], lines[item.id], item.data.get("reason"), actor)


def _lines(
    participant: Participant, items: Sequence[Activity], stories: Iterable[Story], reader: Any
) -> Mapping[UUID, Line]:
    lines: dict[UUID, Line] = {}
    for story in stories:
        if theirs := [item for item in items if item.type in story.words]:
            lines |= story.lines(participant, theirs, reader)
    return lines


def _icons(stories: Iterable[Story]) -> Mapping[str, str]:
    return {name: story.icon for story in stories for name in story.words}
