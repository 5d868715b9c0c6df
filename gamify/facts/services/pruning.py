"""Traces are kept for a while: what was decided stays, in the rows it led to, and why it was decided goes."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from gamify.facts.models import PRUNED, Event
from participants.ids import first_id_at

DAY = timedelta(days=1)
EMPTY_DAYS = 30
CHUNK = 1_000


def prune_traces(*, before: datetime) -> Iterator[int]:
    """Clear the traces of events that were recorded before that, of all tenants, day by day backwards; answers how many were
    cleared in each step. It ends behind a month without any: what is older was pruned by an earlier run.
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
    """Found by the primary key, which sorts by time; a row of today is never touched."""
    kept = Event.objects.filter(pk__gte=first_id_at(begin), pk__lt=first_id_at(end), trace__facts__isnull=False)
    chosen = list(kept.order_by("pk").values_list("pk", flat=True)[:CHUNK])
    return Event.objects.filter(pk__in=chosen).update(trace=PRUNED) if chosen else 0
