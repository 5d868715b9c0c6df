"""Rows of append-only tables are removed by functions on PostgreSQL and by the product on SQLite, and each removal leaves a record."""

import pytest
from django.utils import timezone

from gamify.points.models import LedgerEntry
from gamify.points.services import Change, award
from participants.models import Participant, Removal
from participants.services.participants import anonymize, delete

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("remove", "action", "left"), [(delete, "erase", 0), (anonymize, "anonymize", 1)])
def test_the_ledger_of_a_participant_is_removed_and_the_removal_is_recorded(tenant, remove, action, left):
    award(tenant=tenant, change=Change("ada", 5, reason="private", metadata={"a": 1}), now=timezone.now())
    award(tenant=tenant, change=Change("grace", 5, reason="stays"), now=timezone.now())
    participant = Participant.objects.get(tenant=tenant, external_id="ada")

    remove(tenant=tenant, external_id="ada", now=timezone.now())

    entries = LedgerEntry.objects.filter(tenant=tenant, participant_id=participant.pk)
    assert [(entry.reason, entry.metadata) for entry in entries] == [(None, {})] * left
    assert LedgerEntry.objects.filter(reason="stays").exists()
    [record] = Removal.objects.filter(tenant=tenant, table="points_ledgerentry")
    assert (record.action, record.participant_id, record.rows) == (action, participant.pk, 1)


def test_a_participant_without_rows_leaves_no_record(tenant):
    Participant.objects.create(
        tenant=tenant, external_id="ada", first_seen_at=timezone.now(), last_seen_at=timezone.now()
    )

    delete(tenant=tenant, external_id="ada", now=timezone.now())

    assert not Removal.objects.exists()
