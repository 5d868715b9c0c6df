"""Events that are being recorded while a badge is created count towards it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import transaction

from gamify.badges.models import BadgeAward
from gamify.badges.services import create_badge
from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit, emit_batch
from participants.models import Participant, Tenant
from tests.factories import ParticipantFactory
from tests.threads import in_own_connection, wait_until_a_lock_is_awaited

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
BUY = EventInput("ada", "buy", NOW)


def fresh(tenant):
    return Tenant.objects.get(pk=tenant.pk)


def badge_for(tenant, *, purchases):
    criteria = {"metric": "event_count", "event_name": "buy", "min": purchases}
    create_badge(tenant=tenant, data={"code": "b", "name": "B", "criteria": criteria}, now=NOW)


@pytest.mark.parametrize(
    "happen",
    [
        lambda tenant: emit(tenant=tenant, event=BUY, now=NOW),
        lambda tenant: emit_batch(tenant=tenant, events=[BUY], refused={}, now=NOW),
    ],
)
def test_an_event_of_a_caller_with_an_old_catalog_is_counted(tenant, happen):
    before = fresh(tenant)
    badge_for(tenant, purchases=1)

    happen(before)

    assert BadgeAward.objects.get().participant.external_id == "ada"


@pytest.mark.two_connections
@pytest.mark.django_db(transaction=True)
def test_an_event_that_waits_for_its_participant_while_the_badge_is_created_is_counted(tenant):
    ParticipantFactory(tenant=tenant, external_id="ada")

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Participant.objects.select_for_update().get()
            waiting = pool.submit(in_own_connection, lambda: emit(tenant=fresh(tenant), event=BUY, now=NOW))
            wait_until_a_lock_is_awaited()
            badge_for(tenant, purchases=1)
        waiting.result(timeout=30)

    assert BadgeAward.objects.get().participant.external_id == "ada"
