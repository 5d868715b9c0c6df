"""What an event would lead to, without anything of it happening."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gamify.facts.engine.events import EventInput
from gamify.facts.engine.instants import check_instant
from gamify.facts.services.events import add_event, fact_of
from gamify.facts.services.listening import loads_for
from gamify.facts.services.pipeline import process
from gamify.facts.services.tracing import Trace
from participants.catalog import catalog_of
from participants.models import Tenant
from participants.work import restartable, unit_of_work


@dataclass(frozen=True)
class Simulation:
    """What the event would answer, and why."""

    rewards_granted: Sequence[Mapping[str, Any]]
    trace: Trace | None


@restartable
def simulate(*, tenant: Tenant, event: EventInput, now: datetime) -> Simulation:
    """Let everything that listens hear `event`; nothing is locked, told or written. Raises InvalidInput for its time.

    A participant never seen is taken for a new one.
    """
    check_instant(event.at, now=now)
    loads = loads_for(catalog_of(tenant), [event])
    with unit_of_work(tenant, [event.participant_id], now=now, loads=loads, is_silent=True, is_dry_run=True) as work:
        participant = work.participant(event.participant_id)
        processed = process(work, fact_of(participant, add_event(work, participant, event)), now=now)
        return Simulation([given.to_json() for given in processed.granted], processed.trace)
