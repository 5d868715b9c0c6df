"""The outbox: domain events, written in the transaction of the change that they report."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from participants.actors import Actor
from participants.database import new_instance
from participants.events import event_types
from participants.models import DomainEvent, Participant, Tenant
from participants.registries import Registry

after_commit: Registry[Callable[[Tenant, Sequence[DomainEvent]], object]] = Registry("After-commit function")
"""Functions that are called with (tenant, events) after the commit that wrote the events.

A call can be lost, because a process can be killed in between. Work that must be done has to be found in the database.
"""


def call_after_commit(tenant: Tenant, events: Sequence[DomainEvent]) -> None:
    """Call the registered functions once this transaction is committed. A function that fails is logged; the others still run."""
    for function in after_commit.values():
        transaction.on_commit(partial(function, tenant, events), robust=True)


def domain_event(
    tenant: Tenant,
    type_name: str,
    participant: Participant | None,
    data: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
) -> DomainEvent:
    """Return a new, unsaved row that names `actor`. `participant` is None for an event about the tenant.

    Raises LookupError for a type that is not registered, and ValueError for fields that its type does not have.
    """
    fields = event_types[type_name].fields.keys()
    if not fields >= data.keys():
        unknown = sorted(data.keys() - fields)
        raise ValueError(f"{type_name} does not document {unknown}; register the fields or leave them out.")
    return new_instance(
        DomainEvent,
        tenant_id=tenant.id,
        participant_id=None if participant is None else participant.id,
        type=type_name,
        data={**data} if participant is None else {"participant_id": participant.external_id, **data},
        occurred_at=now,
        actor=actor.key,
        actor_label=actor.label,
        request_id=actor.request_id,
    )
