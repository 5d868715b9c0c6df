"""The outbox: domain events, written in the transaction of the change that they tell of."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from participants.database import instance_from
from participants.events import event_types, unknown_fields
from participants.ids import new_id
from participants.models import DomainEvent, Participant, Tenant
from participants.registries import Registry

AfterCommit = Callable[[Tenant, Sequence[DomainEvent]], object]

after_commit: Registry[AfterCommit] = Registry("Outbox follower")
"""Who is called after the commit that wrote events: (whose, which). It may be called too seldom, since a process can be killed
in between: what must happen is found in the database."""


def call_after_commit(tenant: Tenant, events: Sequence[DomainEvent]) -> None:
    """Call the followers once this transaction is committed; what fails there is logged, and nobody's concern."""
    for follower in after_commit.values():
        transaction.on_commit(partial(follower, tenant, events), robust=True)


def domain_event(
    tenant: Tenant, type_name: str, participant: Participant | None, data: Mapping[str, Any], *, now: datetime
) -> DomainEvent:
    """A new row. Raises LookupError or ValueError for what is not registered."""
    if unknown := unknown_fields(event_types[type_name], data):
        raise ValueError(f"{type_name} does not document {sorted(unknown)}; register the fields or leave them out.")
    about = {} if participant is None else {"participant_id": participant.external_id}
    return instance_from(
        DomainEvent,
        {
            "id": new_id(),
            "tenant_id": tenant.pk,
            "participant_id": participant and participant.pk,
            "type": type_name,
            "data": {**about, **data},
            "occurred_at": now,
            "position": None,
        }.items(),
    )
