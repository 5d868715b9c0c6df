"""Simulates an event: what it would lead to, without any effect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from gamify.facts.engine.events import EventInput
from gamify.facts.engine.instants import check_instant
from gamify.facts.services.events import add_event, fact_of
from gamify.facts.services.listening import loads_for
from gamify.facts.services.pipeline import process
from gamify.facts.services.tracing import Trace
from participants.catalog import catalog_of, with_fixed_catalog
from participants.models import Definition, Tenant
from participants.work import restartable, unit_of_work


@dataclass(frozen=True)
class Simulation:
    """What the event would give, and the decision trace."""

    rewards_granted: Sequence[Mapping[str, Any]]
    trace: Trace | None


def simulate_with(
    row: Definition, in_use: Mapping[str, Any], *, tenant: Tenant, event: EventInput, now: datetime
) -> Simulation:
    """Like `simulate`, but as if `row` had the fields `in_use`. So a draft can be tried.

    The row is changed, all definitions are loaded, and the change is rolled back. This locks the row for milliseconds.
    """
    with transaction.atomic():
        type(row)._default_manager.filter(pk=row.pk).update(**in_use)
        changed = with_fixed_catalog(tenant)
        transaction.set_rollback(True)
    return simulate(tenant=changed, event=event, now=now)


@restartable
def simulate(*, tenant: Tenant, event: EventInput, now: datetime) -> Simulation:
    """Pass `event` to everything that listens. Nothing is locked, published or written.

    An unknown participant is treated as a new one.

    Raises: InvalidInput for the time of the event.
    """
    check_instant(event.at, now=now)
    loads = loads_for(catalog_of(tenant), [event])
    with unit_of_work(tenant, [event.participant_id], now=now, loads=loads, is_silent=True, is_dry_run=True) as work:
        participant = work.participant(event.participant_id)
        result = process(work, fact_of(participant, add_event(work, participant, event)), now=now)
        return Simulation([report.to_json() for report in result.granted], result.trace)
