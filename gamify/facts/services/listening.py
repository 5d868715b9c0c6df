"""Who hears facts: settings.FACT_CONSUMERS names the consumers, in the order in which they hear."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from gamify.facts.engine.events import EventInput
from gamify.facts.engine.outcomes import Outcome
from gamify.facts.services.facts import Fact
from gamify.facts.services.loading import merged
from participants.catalog import Catalog
from participants.work import Load, UnitOfWork


class Consume(Protocol):
    """Says what comes of a fact, by the rows that were loaded; what it changes itself it registers with `work`.

    It must not refuse: the event has happened.
    """

    def __call__(self, fact: Fact, work: UnitOfWork, *, now: datetime) -> Iterable[Outcome]: ...


@dataclass(frozen=True)
class Consumer:
    """`loads(catalog, events)` names the rows it may need, before the lock: for these events, and for every change that
    may come of them or, where there are none, of the use case. What no definition listens to needs no row.
    """

    loads: Callable[[Catalog, Sequence[EventInput]], Sequence[Load]]
    consume: Consume


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


def loads_for(catalog: Catalog, events: Sequence[EventInput] = ()) -> Sequence[Load]:
    """What a unit must load that will `process` these events or, without any, `settle` outcomes."""
    return merged(load for consumer in consumers() for load in consumer.loads(catalog, events))
