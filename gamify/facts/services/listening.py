"""The consumers of facts. settings.FACT_CONSUMERS names them, in the order in which they get a fact."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from gamify.facts.engine.events import EventInput
from gamify.facts.engine.outcomes import Outcome
from gamify.facts.services.facts import Fact
from participants.catalog import Catalog
from participants.work import Load, UnitOfWork


class Consume(Protocol):
    """Reacts to a fact and returns outcomes. It changes rows through `work`, and loads the rows that it needs there.

    It must not refuse the fact, which has already happened.
    """

    def __call__(self, fact: Fact, work: UnitOfWork, *, now: datetime) -> Iterable[Outcome]: ...


def _no_names(catalog: Catalog) -> Collection[str]:
    return ()


@dataclass(frozen=True)
class Consumer:
    """The part of a domain that reacts to facts.

    - `loads(catalog, events)`: the rows that these events will need. They are read together with the lock. If no definition listens,
      none are needed.
    - `consume`: reacts to one fact.
    - `changes(catalog)`: the names of the changes to which it reacts, besides clients' events.
    - `event_names(catalog)`: the names of clients' events that its definitions list, ANY_EVENT included.
    """

    loads: Callable[[Catalog, Sequence[EventInput]], Sequence[Load]]
    consume: Consume
    changes: Callable[[Catalog], Collection[str]] = _no_names
    event_names: Callable[[Catalog], Collection[str]] = _no_names


def consumers() -> Sequence[Consumer]:
    """Return the consumers in order. Raises: ImproperlyConfigured."""
    return _import_consumers(tuple(settings.FACT_CONSUMERS))


@cache
def _import_consumers(paths: tuple[str, ...]) -> Sequence[Consumer]:
    return tuple(map(_import_consumer, paths))


def _import_consumer(path: str) -> Consumer:
    try:
        consumer = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"FACT_CONSUMERS: {path} cannot be imported: {error}") from error
    if not isinstance(consumer, Consumer):
        raise ImproperlyConfigured(f"FACT_CONSUMERS: {path} is a {type(consumer).__name__} and no Consumer.")
    return consumer


def listeners_of(catalog: Catalog, change: str) -> Sequence[Consumer]:
    """Return the consumers in which a definition listens to changes of this name, in order."""
    return catalog.derive((listeners_of, change), lambda catalog: _listeners_of(catalog, change))


def _listeners_of(catalog: Catalog, change: str) -> Sequence[Consumer]:
    return tuple(consumer for consumer in consumers() if change in consumer.changes(catalog))


def listed_event_names(catalog: Catalog) -> frozenset[str]:
    """Return the names of clients' events that any active definition lists, ANY_EVENT included."""
    return frozenset(name for consumer in consumers() for name in consumer.event_names(catalog))


def has_listeners(catalog: Catalog, change: str) -> bool:
    """Whether any definition listens to changes of this name."""
    return bool(listeners_of(catalog, change))


def loads_for(catalog: Catalog, events: Sequence[EventInput]) -> Sequence[Load]:
    """Return the rows that a unit should load before it processes these events, merged into one load per table and column."""
    values: dict[tuple[Any, str], dict[Any, None]] = {}
    for load in (load for consumer in consumers() for load in consumer.loads(catalog, events)):
        values.setdefault((load.model, load.column), {}).update(dict.fromkeys(load.values))
    return [Load(model, column, tuple(wanted)) for (model, column), wanted in values.items() if wanted]
