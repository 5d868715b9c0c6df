"""Who hears facts: settings.FACT_CONSUMERS names the consumers, in the order in which they hear."""

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
    """Says what comes of a fact; what it changes itself it registers with `work`, and the rows it needs it loads there.

    It must not refuse: the event has happened.
    """

    def __call__(self, fact: Fact, work: UnitOfWork, *, now: datetime) -> Iterable[Outcome]: ...


def _hears_no_change(catalog: Catalog) -> Collection[str]:
    return ()


@dataclass(frozen=True)
class Consumer:
    """`loads(catalog, events)` foresees the rows that these events will need, which are then read in the round trip of the
    lock; what no definition listens to needs none. `changes(catalog)` names the changes that it hears besides events.
    """

    loads: Callable[[Catalog, Sequence[EventInput]], Sequence[Load]]
    consume: Consume
    changes: Callable[[Catalog], Collection[str]] = _hears_no_change

    def should_consume(self, fact: Fact, catalog: Catalog) -> bool:
        return not fact.is_change or fact.name in self.changes(catalog)


def consumers() -> Sequence[Consumer]:
    """In order. Raises ImproperlyConfigured."""
    return _imported(tuple(settings.FACT_CONSUMERS))


@cache
def _imported(paths: tuple[str, ...]) -> Sequence[Consumer]:
    return tuple(map(_consumer, paths))


def _consumer(path: str) -> Consumer:
    try:
        consumer = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"FACT_CONSUMERS: {path} cannot be imported: {error}") from error
    if not isinstance(consumer, Consumer):
        raise ImproperlyConfigured(f"FACT_CONSUMERS: {path} is a {type(consumer).__name__} and no Consumer.")
    return consumer


def has_listeners(catalog: Catalog, change: str) -> bool:
    """Whether anybody listens to changes of this name."""
    return any(change in consumer.changes(catalog) for consumer in consumers())


def loads_for(catalog: Catalog, events: Sequence[EventInput]) -> Sequence[Load]:
    """What a unit does well to load that will `process` these events: one question per table."""
    values: dict[tuple[Any, str], dict[Any, None]] = {}
    for load in (load for consumer in consumers() for load in consumer.loads(catalog, events)):
        values.setdefault((load.model, load.column), {}).update(dict.fromkeys(load.values))
    return [Load(model, column, tuple(wanted)) for (model, column), wanted in values.items() if wanted]
