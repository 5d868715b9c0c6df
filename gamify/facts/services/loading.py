"""Loads from several sides become one question per table."""

from collections.abc import Iterable, Sequence
from typing import Any

from participants.work import Load


def merged(loads: Iterable[Load]) -> Sequence[Load]:
    """Those of the same rows asked together, each value once, in the order in which they came."""
    values: dict[tuple[Any, str], dict[Any, None]] = {}
    for load in loads:
        values.setdefault((load.model, load.column), {}).update(dict.fromkeys(load.values))
    return [Load(model, column, tuple(wanted)) for (model, column), wanted in values.items() if wanted]
