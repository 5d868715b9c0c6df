"""Changes are worked into the boards, a chunk at a time, under the tenant's lock; whoever comes second finds them done."""

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
    """Work in whatever is waiting; answers how many changes that were."""
    return sum(fold_in_chunks(tenant=tenant, now=now))


def fold_in_chunks(*, tenant: Tenant, now: datetime) -> Iterator[int]:
    """As `fold`, a chunk each time it is asked."""
    while found := fold_chunk(tenant=tenant, now=now):
        yield found


def fold_chunk(*, tenant: Tenant, now: datetime) -> int:
    """Work in the oldest changes; answers how many those were, 0 when nothing is waiting."""
    with reading(tenant), transaction.atomic():
        lock_boards(tenant)
        tenant.refresh_from_db()  # boards that were made until now count what is worked in now
        changes = _oldest(tenant)
        if changes:
            store_fold(tenant, Fold(tenant, boards_in(catalog_of(tenant)), changes, now=now).run())
            delete_changes(tenant, changes)
        return len(changes)


def _oldest(tenant: Tenant) -> list[ScoreChange]:
    """A chunk. Whoever is to be looked at may be filled from the history, and so has to be locked and taken in whole."""
    changes = list(ScoreChange.objects.filter(tenant_id=tenant.pk).order_by("id")[:CHUNK])
    looked_at = {change.participant_id for change in changes if PERSON in change.changes}
    if not looked_at:
        return changes
    others = [change for change in changes if change.participant_id not in looked_at]
    return [*others, *lock_with_changes(tenant, sorted(looked_at))]


def lock_with_changes(tenant: Tenant, participant_ids: Sequence[UUID]) -> list[ScoreChange]:
    """All changes of these participants, who are locked until the transaction ends, so that there can be no others."""
    people = Participant.objects.of(tenant).filter(pk__in=participant_ids).order_by("id")
    list(people.select_for_update(no_key=True).values_list("pk", flat=True))
    return list(ScoreChange.objects.filter(tenant_id=tenant.pk, participant_id__in=participant_ids))


def delete_changes(tenant: Tenant, changes: Sequence[ScoreChange]) -> None:
    ScoreChange.objects.filter(tenant_id=tenant.pk, pk__in=[change.pk for change in changes]).delete()
