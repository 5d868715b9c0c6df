"""Fold waiting changes into the stored boards, in chunks, under a lock per tenant."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from gamify.leaderboards.engine.measures import PERSON
from gamify.leaderboards.models import ScoreChange
from gamify.leaderboards.selectors.catalog import boards_in
from gamify.leaderboards.selectors.ranking.fold import Fold
from gamify.leaderboards.services.storing import lock_boards, store_fold
from participants.catalog import catalog_of
from participants.models import Participant, Tenant
from participants.work import reading

CHUNK = 1_000


def fold(*, tenant: Tenant, now: datetime) -> int:
    """Fold all waiting changes of a tenant. Returns how many there were."""
    return sum(fold_in_chunks(tenant=tenant, now=now))


def fold_in_chunks(*, tenant: Tenant, now: datetime) -> Iterator[int]:
    """As `fold`, but as a generator that folds one chunk per step and yields its number of changes."""
    while found := fold_chunk(tenant=tenant, now=now):
        yield found


def fold_chunk(*, tenant: Tenant, now: datetime) -> int:
    """Fold the oldest changes of a tenant, in one transaction. Returns how many there were, 0 if none waits.

    A second worker waits for the lock, and then finds that these changes are gone.
    """
    with reading(tenant), transaction.atomic():
        lock_boards(tenant)
        tenant.refresh_from_db()  # so that boards that were created meanwhile count these changes too
        changes = _oldest(tenant)
        if changes:
            store_fold(tenant, Fold(tenant, boards_in(catalog_of(tenant)), changes, now=now).run())
            delete_changes(tenant, changes)
        return len(changes)


def _oldest(tenant: Tenant) -> list[ScoreChange]:
    """The oldest changes, up to CHUNK.

    A participant who was changed may be filled from the history, which includes all their changes. So they are locked, and
    all their changes are folded at once.
    """
    changes = list(ScoreChange.objects.filter(tenant_id=tenant.pk).order_by("id")[:CHUNK])
    changed_people = {change.participant_id for change in changes if PERSON in change.changes}
    if not changed_people:
        return changes
    others = [change for change in changes if change.participant_id not in changed_people]
    return [*others, *lock_with_changes(tenant, sorted(changed_people))]


def lock_with_changes(tenant: Tenant, participant_ids: Sequence[UUID]) -> list[ScoreChange]:
    """Lock these participants until the transaction ends, and return all their changes. No others can be added meanwhile."""
    people = Participant.objects.of(tenant).filter(pk__in=participant_ids).order_by("id")
    list(people.select_for_update(no_key=True).values_list("pk", flat=True))
    return list(ScoreChange.objects.filter(tenant_id=tenant.pk, participant_id__in=participant_ids))


def delete_changes(tenant: Tenant, changes: Sequence[ScoreChange]) -> None:
    ScoreChange.objects.filter(tenant_id=tenant.pk, pk__in=[change.pk for change in changes]).delete()
