"""Several connections at the same time. These tests run on SQLite too, where writers wait for each other."""

from functools import partial

import pytest
from django.utils import timezone

from gamify.facts.engine.events import EventInput
from gamify.facts.models import Event
from gamify.facts.services import AlreadyReversed, EventReversed, emit, emit_batch, reverse_event
from participants.models import DomainEvent, IdempotencyKey, Participant
from participants.services.tenants import create_tenant
from tests.threads import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return create_tenant(slug="acme", name="Acme", now=timezone.now())


@pytest.fixture
def now():
    return timezone.now()


def test_16_equal_events_under_one_key_are_one_event_and_16_equal_answers(tenant, now):
    event = EventInput("user_1", "login", now, idempotency_key="same")

    results = all_at_once([partial(emit, tenant=tenant, event=event, now=now)] * 16)

    assert len({(result.event_id, result.fact_id) for result in results}) == 1
    assert sum(result.is_replay for result in results) == 15
    assert Event.objects.count() == IdempotencyKey.objects.count() == 1
    assert DomainEvent.objects.filter(type="event.recorded").count() == 1


def test_16_events_of_one_new_participant_are_16_events_of_one_participant(tenant, now):
    results = all_at_once([partial(emit, tenant=tenant, event=EventInput("new", "login", now), now=now)] * 16)

    assert len({result.event_id for result in results}) == 16
    assert Participant.objects.get().total_events == 16


def test_two_batches_over_the_same_participants_in_opposite_order_do_not_deadlock(tenant, now):
    events = [EventInput(f"user_{number}", "login", now) for number in range(50)]
    batch = partial(emit_batch, tenant=tenant, refused={}, now=now)

    results = all_at_once([partial(batch, events=events), partial(batch, events=events[::-1])] * 4)

    assert [result.processed for result in results] == [50] * 8
    assert set(Participant.objects.values_list("total_events", flat=True)) == {8}


def test_an_event_that_8_reverse_at_once_is_reversed_once(tenant, now):
    events = [emit(tenant=tenant, event=EventInput("user_1", "login", now), now=now) for _ in range(2)]
    reverse = partial(reverse_event, tenant=tenant, event_id=str(events[0].event_id), reason=None, now=now)

    results = all_at_once([reverse] * 8)

    assert [sum(isinstance(each, kind) for each in results) for kind in (EventReversed, AlreadyReversed)] == [1, 7]
    assert Participant.objects.get().total_events == 1
    assert DomainEvent.objects.filter(type="event.reversed").count() == 1
