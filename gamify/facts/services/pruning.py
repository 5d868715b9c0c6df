"""Traces are stored for a limited time. What was decided stays in the rows that resulted; the reasons are cleared."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from gamify.facts.models import PRUNED, Event
from participants.ids import first_id_at
from participants.services.append_only import AppendOnly, prune

DAY = timedelta(days=1)
EMPTY_DAYS = 30
CHUNK = 1_000

EVENTS = AppendOnly(
    Event,
    changeable=("reversed_at", "reversal"),
    anonymized={"properties": {}, "trace": PRUNED, "marks": None, "request_id": None},
    pruned={"trace": PRUNED},
)
"""What was reported never changes. An event can be marked as reversed, and its trace is stored for a limited time."""


def prune_traces(*, before: datetime) -> Iterator[int]:
    """Clear the traces of events of all tenants that were recorded before `before`. Yields the number of traces after each step.

    It goes backwards day by day, and stops after EMPTY_DAYS days without a trace, because an earlier run cleared everything older.
    """
    end, empty_days = before, 0
    while empty_days < EMPTY_DAYS:
        cleared = 0
        while step := _clear(end - DAY, end):
            cleared += step
            yield step
        empty_days = 0 if cleared else empty_days + 1
        end -= DAY


def _clear(begin: datetime, end: datetime) -> int:
    """Clear up to CHUNK traces in [begin, end), and return how many. The primary key sorts by time, so it finds them."""
    traced = Event.objects.filter(pk__gte=first_id_at(begin), pk__lt=first_id_at(end), trace__facts__isnull=False)
    chosen = list(traced.order_by("pk").values_list("pk", flat=True)[:CHUNK])
    return prune(EVENTS, chosen) if chosen else 0
