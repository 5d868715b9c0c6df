"""Names of events and properties: what forms suggest, and warnings about names that never came in this tenant."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from gamify.facts.engine.expressions import MalformedExpression, compile_expression, compile_filter
from gamify.facts.engine.fields import (
    MISSING,
    compile_path,
    field_problem,
    is_participant_attribute,
)
from gamify.facts.engine.listeners import ANY_EVENT
from gamify.facts.figures import names_seen
from gamify.facts.selectors import newest_events
from participants.models import Tenant

EVENTS, PROPERTIES = "seen-events", "seen-properties"
"""The ids of the lists from which inputs suggest."""


@dataclass(frozen=True)
class Mention:
    """Names of events that a definition listens to (none: any event), and the properties of them that it reads."""

    events: Sequence[str] = ()
    properties: Sequence[str] = ()


@dataclass(frozen=True)
class SeenEvents:
    """The names of events that came in the last months, and the newest events as pairs of name and properties."""

    names: frozenset[str]
    newest: Sequence[tuple[str, Mapping[str, Any]]]

    def properties_of(self, names: Iterable[str]) -> Sequence[Mapping[str, Any]]:
        """Return the properties of the newest events with one of the names; of all newest events for any event."""
        wanted = set(names) - {""}
        is_any = not wanted or ANY_EVENT in wanted
        return [properties for name, properties in self.newest if is_any or name in wanted]


def seen_events(tenant: Tenant) -> SeenEvents:
    """Read what was seen. Two queries."""
    newest = [(event.name, event.properties) for event in newest_events(tenant)]
    names = names_seen(tenant, now=timezone.now()) | {name for name, _ in newest}
    return SeenEvents(frozenset(names), newest)


def fields_of(condition: Mapping[str, Any] | None, *, is_filter: bool = False) -> list[str]:
    """Return the fields that an expression or a filter reads. Empty if it is malformed."""
    compiled = compile_filter if is_filter else compile_expression
    try:
        return [each.field for each, _, _ in compiled(condition).conditions] if condition else []
    except MalformedExpression:
        return []


def warnings_of(mention: Mention, seen: SeenEvents) -> Iterator[str]:
    for name in mention.events:
        if name and name != ANY_EVENT and name not in seen.names:
            yield f"No event “{name}” has come yet. Is the name right?"
    events = seen.properties_of(mention.events)
    for path in dict.fromkeys(mention.properties):
        if events and _is_unseen(path, events):
            yield f"No recent event had the property “{path}”."


def _is_unseen(path: str, events: Sequence[Mapping[str, Any]]) -> bool:
    if field_problem(path) or is_participant_attribute(path):
        return False
    read = compile_path(path)
    return all(read(properties, {}) is MISSING for properties in events)
