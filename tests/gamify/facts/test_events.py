"""What an event earns, with a consumer and a grant kind that exist only in this module."""

from datetime import UTC, datetime

import pytest

from gamify.facts.engine.events import EventInput
from gamify.facts.engine.outcomes import Grant, GrantReport, Source
from gamify.facts.models import Event
from gamify.facts.services import Consumer, GrantKind, emit, emit_batch, grant_kinds
from gamify.points.models import LedgerEntry
from participants.errors import DomainError
from participants.models import DomainEvent
from participants.work import Load

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
RULE = Source("rule", "big_spender")


def _loads(catalog, events):
    return [Load(LedgerEntry, "number", (1,))]


def _consume(fact, work, *, now):
    assert work.row(LedgerEntry, fact.participant, 1) is None  # loaded, or this would raise
    if fact.properties.get("amount", 0) >= 100:
        yield Grant("cheer", {"type": "cheer"}, RULE, f"{fact.key}:{RULE.code}")


LISTENER = Consumer(_loads, _consume)


def _give(work, participant, grant):
    if grant.properties["amount"] == 666:
        raise DomainError("No.", code="no")
    work.emit("badge.awarded", participant, {"badge_code": "big_spender"})
    return [GrantReport("badge", "Big Spender", grant.source, code="big_spender")]


@pytest.fixture(autouse=True)
def one_consumer(settings, monkeypatch):
    settings.FACT_CONSUMERS = [f"{__name__}.LISTENER"]
    kind = GrantKind(label="Cheer", give=_give, problem=lambda tenant, spec: None)
    monkeypatch.setattr(grant_kinds, "_entries", {"cheer": kind})


BADGE = {
    "type": "badge",
    "code": "big_spender",
    "name": "Big Spender",
    "source": {"type": "rule", "code": "big_spender"},
}


def purchase(amount, participant_id="ada", key=None):
    return EventInput(participant_id, "purchase", NOW, {"amount": amount}, key)


@pytest.mark.parametrize(("amount", "rewards"), [(99, []), (100, [BADGE]), (666, [])])
def test_the_answer_contains_what_the_event_earned(tenant, amount, rewards):
    emitted = emit(tenant=tenant, event=purchase(amount), now=NOW)

    assert emitted.rewards_granted == rewards
    assert Event.objects.get().pk == emitted.event_id


def test_the_event_is_published_before_its_consequences(tenant):
    emitted = emit(tenant=tenant, event=purchase(100), now=NOW)

    emitted_events = DomainEvent.objects.order_by("id")
    assert [event.type for event in emitted_events] == ["participant.created", "event.recorded", "badge.awarded"]
    assert emitted_events[1].pk == emitted.fact_id


def test_each_item_of_a_batch_has_its_own_result_and_a_repeat_has_the_same(tenant):
    events = [purchase(100, key="a"), purchase(5, key="b"), purchase(100, "bob", key="a"), purchase(100)]

    first = emit_batch(tenant=tenant, events=events, refused={}, now=NOW)
    again = emit_batch(tenant=tenant, events=events[:3], refused={}, now=NOW)

    assert [len(result.rewards_granted) for result in first.results] == [1, 0, 1, 1]
    assert [(result.event_id, result.rewards_granted) for result in again.results] == [
        (result.event_id, result.rewards_granted) for result in first.results[:3]
    ]
    assert all(result.is_replay for result in again.results)


def test_the_api_returns_it_too(tenant, api):
    body = {"participant_id": "ada", "event_name": "purchase", "properties": {"amount": 250}}

    single = api.post("/events", body | {"idempotency_key": "k"}).json()
    batch = api.post("/events/batch", {"events": [body, body | {"idempotency_key": "k"}]}).json()

    assert single["rewards_granted"] == [BADGE]
    assert [result["rewards_granted"] for result in batch["results"]] == [[BADGE], [BADGE]]


def test_an_item_refused_before_is_not_recorded(tenant):
    refusal = DomainError("Too many", code="too_many", status=429)

    batch = emit_batch(tenant=tenant, events=[purchase(1), purchase(2)], refused={0: refusal}, now=NOW)

    assert (batch.processed, batch.failed) == (1, 1)
    assert batch.results[0].error is refusal
    assert Event.objects.get().properties == {"amount": 2}
