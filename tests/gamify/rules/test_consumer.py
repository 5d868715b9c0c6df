"""Rules react to events and changes, and give what they define, within their limits."""

from datetime import UTC, datetime, timedelta

import pytest

from gamify.badges.models import BadgeAward
from gamify.facts.engine.events import EventInput
from gamify.facts.models import Event
from gamify.facts.services import emit, emit_batch
from gamify.points import services as points
from gamify.points.models import LedgerEntry
from gamify.rules.models import RuleTally
from gamify.rules.services import update_rule
from participants.models import Participant
from participants.services import participants
from tests.factories import BadgeFactory, ParticipantFactory, RuleFactory, TierFactory

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)


def event(name="purchase", at=NOW, user="ada", **properties):
    return EventInput(user, name, at, properties)


def grants_of(tenant, *events):
    """What each event was answered: (type, code or amount, rule)."""
    answers = [emit(tenant=tenant, event=each, now=NOW) for each in events]
    return [
        [(given["type"], given.get("amount") or given["code"], given["source"]["code"]) for given in each]
        for each in (answer.rewards_granted for answer in answers)
    ]


def results(tenant, *, fact=0):
    """What the newest event's trace says: (rule, result)."""
    trace = Event.objects.filter(tenant=tenant).order_by("created_at", "id").last().trace
    return [] if trace is None else [(each["code"], each["result"]) for each in trace["facts"][fact]["heard"]]


def test_a_rule_gives_for_its_events_only(tenant):
    BadgeFactory(tenant=tenant, code="buyer")
    grants = [{"type": "points", "field": "amount", "factor": 2}, {"type": "badge", "code": "buyer"}]
    RuleFactory(tenant=tenant, code="buy", grants=grants)

    bought, logged_in, bought_again = grants_of(
        tenant, event(amount=30), event("login"), event(at=NOW - timedelta(days=9), amount=5)
    )

    assert bought == [("points", 60, "buy"), ("badge", "buyer", "buy")]
    assert logged_in == []
    assert bought_again == [("points", 10, "buy")]
    assert LedgerEntry.objects.get(delta=60).reason == "rule buy"
    assert not RuleTally.objects.exists()


def test_a_star_stands_for_any_event_of_a_client(tenant):
    RuleFactory(tenant=tenant, code="any", event_types=["*"])
    RuleFactory(tenant=tenant, code="both", event_types=["*", "login"])
    RuleFactory(tenant=tenant, code="buy")

    answers = grants_of(tenant, event("login"), event("purchase"), event("points.awarded"))

    assert [[rule for _, _, rule in answer] for answer in answers] == [
        ["any", "both"],
        ["any", "both", "buy"],
        ["any", "both"],
    ]


def test_rules_are_evaluated_by_priority_and_then_by_code(tenant):
    for code, priority in [("b", 0), ("a", 0), ("last", -1), ("first", 7)]:
        RuleFactory(tenant=tenant, code=code, priority=priority, event_types=["*" if code == "a" else "purchase"])

    (answer,) = grants_of(tenant, event())

    assert [rule for _, _, rule in answer] == ["first", "a", "b", "last"]
    assert results(tenant) == [("first", "matched"), ("a", "matched"), ("b", "matched"), ("last", "matched")]


def test_an_expression_tests_the_event_and_the_participant(tenant):
    ParticipantFactory(tenant=tenant, external_id="pro", attributes={"plan": "pro"})
    big = {"condition": {"field": "amount", "operator": "gte", "value": 100}}
    pro = {"condition": {"field": "participant.plan", "operator": "eq", "value": "pro"}}
    RuleFactory(tenant=tenant, code="big_pro", expression={"and": [big, pro]}, limits={"ever": 5})

    answers = grants_of(
        tenant, event(user="pro", amount=100), event(user="pro", amount=99), event(user="ada", amount=100)
    )

    assert answers == [[("points", 10, "big_pro")], [], []]
    trace = Event.objects.get(participant__external_id="ada").trace
    assert trace["facts"][0]["heard"] == [
        {
            "type": "rule",
            "code": "big_pro",
            "version": 1,
            "result": "not_matched",
            "conditions": [
                {"field": "amount", "operator": "gte", "expected": 100, "actual": 100, "holds": True},
                {"field": "participant.plan", "operator": "eq", "expected": "pro", "holds": False},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("at", "result"),
    [
        (NOW - timedelta(seconds=1), "out_of_schedule"),
        (NOW, "matched"),
        (NOW + timedelta(minutes=1), "matched"),
        (NOW + timedelta(minutes=2), "out_of_schedule"),
    ],
)
def test_a_schedule_is_half_open_and_uses_the_time_of_the_event(tenant, at, result):
    RuleFactory(tenant=tenant, code="now", starts_at=NOW, ends_at=NOW + timedelta(minutes=2))

    grants_of(tenant, event(at=at))

    assert results(tenant) == [("now", result)]


def test_inactive_rules_do_nothing_and_edits_apply_from_the_next_event(tenant):
    rule = RuleFactory(tenant=tenant, code="buy", is_active=False)
    assert grants_of(tenant, event()) == [[]]
    assert results(tenant) == []

    update_rule(rule, tenant=tenant, changes={"is_active": True}, now=NOW)
    tenant.refresh_from_db()

    assert grants_of(tenant, event()) == [[("points", 10, "buy")]]


def test_limits_are_per_participant_and_are_counted_by_the_day_of_the_tenant(tenant):
    tenant.timezone = "America/New_York"
    tenant.save()
    RuleFactory(tenant=tenant, code="daily", limits={"per_day": 2})
    evening, midnight = datetime(2026, 2, 13, 23, tzinfo=UTC), datetime(2026, 2, 14, 5, tzinfo=UTC)

    answers = grants_of(
        tenant,
        event(at=evening),
        event(at=midnight - timedelta(seconds=1)),
        event(at=evening),
        event(at=evening, user="bob"),
        event(at=midnight),
    )

    assert [len(answer) for answer in answers] == [1, 1, 0, 1, 1]
    row = RuleTally.objects.get(participant__external_id="ada")
    assert (row.total, row.days, row.last_at) == (3, {"2026-02-13": 2, "2026-02-14": 1}, midnight)


@pytest.mark.parametrize(
    ("limits", "note"),
    [
        ({"ever": 1}, "it has fired as often as it ever may"),
        ({"per_day": 1}, "it has fired as often as it may in a day"),
        ({"per_week": 1}, "it has fired as often as it may in a week"),
        ({"cooldown_seconds": 60}, "it fired too short a time before or after"),
    ],
)
def test_the_trace_says_which_limit_stopped_a_rule(tenant, limits, note):
    RuleFactory(tenant=tenant, code="one", limits=limits)

    assert [len(answer) for answer in grants_of(tenant, event(), event(at=NOW - timedelta(seconds=59)))] == [1, 0]

    (entry,) = Event.objects.order_by("id").last().trace["facts"][0]["heard"]
    assert entry == {"type": "rule", "code": "one", "version": 1, "result": "limited", "note": note}


def test_a_cooldown_of_zero_is_no_limit(tenant):
    RuleFactory(tenant=tenant, limits={"cooldown_seconds": 0})

    assert [len(answer) for answer in grants_of(tenant, event(), event())] == [1, 1]
    assert not RuleTally.objects.exists()


def test_a_firing_counts_even_if_none_of_its_grants_can_be_given(tenant):
    BadgeFactory(tenant=tenant, code="once")
    grants = [{"type": "badge", "code": "once"}, {"type": "badge", "code": "once"}, {"type": "points", "field": "none"}]
    RuleFactory(tenant=tenant, code="two", grants=grants, limits={"ever": 2})

    answers = grants_of(tenant, event(), event(), event())

    assert [len(answer) for answer in answers] == [1, 0, 0]
    assert RuleTally.objects.get().total == 2
    assert results(tenant) == [("two", "limited")]


def test_in_a_batch_every_event_counts(tenant):
    RuleFactory(tenant=tenant, code="two", limits={"ever": 2})
    events = [event(user=user) for user in ("ada", "bob", "ada", "ada")]

    batch = emit_batch(tenant=tenant, events=events, refused={}, now=NOW)

    assert [len(result.rewards_granted) for result in batch.results] == [1, 1, 1, 0]
    assert sorted(RuleTally.objects.values_list("participant__external_id", "total")) == [("ada", 2), ("bob", 1)]


def test_a_rule_reacts_to_changes_whatever_caused_them(tenant):
    BadgeFactory(tenant=tenant, code="golden")
    TierFactory(tenant=tenant, code="gold", level=1, criteria_config={"min_points": 10})
    RuleFactory(
        tenant=tenant,
        code="congratulate",
        event_types=[],
        changes=["tier.upgraded"],
        expression={"condition": {"field": "code", "operator": "eq", "value": "gold"}},
        grants=[{"type": "badge", "code": "golden"}],
    )
    RuleFactory(tenant=tenant, code="buy")

    (answer,) = grants_of(tenant, event())
    points.award(tenant=tenant, change=points.Change("bob", 50), now=NOW)

    assert ("badge", "golden", "congratulate") in answer
    assert sorted(BadgeAward.objects.values_list("participant__external_id", flat=True)) == ["ada", "bob"]


def test_an_event_with_the_name_of_a_change_does_not_trigger_it(tenant):
    RuleFactory(tenant=tenant, code="upgraded", event_types=[], changes=["tier.upgraded"])

    assert grants_of(tenant, event("tier.upgraded", code="gold")) == [[]]


def test_a_rule_that_triggers_itself_comes_to_an_end(tenant):
    RuleFactory(tenant=tenant, code="loop", changes=["points.awarded"])

    (answer,) = grants_of(tenant, event())

    assert answer == [("points", 10, "loop")] * 5
    assert Event.objects.get().trace["cut"] != []


def test_rules_of_another_tenant_are_not_evaluated(tenant, other_tenant):
    RuleFactory(tenant=other_tenant, code="theirs", event_types=["*"])

    assert grants_of(tenant, event()) == [[]]
    assert results(tenant) == []


def test_rules_that_listen_to_other_events_cost_no_query_and_those_with_limits_one_in_the_round_trip(tenant, queries):
    for number in range(20):
        RuleFactory(tenant=tenant, code=f"other_{number}", event_types=["other"], limits={"per_day": 1})
    emit(tenant=tenant, event=event(), now=NOW)

    with queries(5):  # lock, version; participant, event and domain event
        emit(tenant=tenant, event=event(), now=NOW)


def test_the_tallies_of_all_matching_rules_are_read_in_one_query(tenant, queries):
    ask = {"condition": {"field": "amount", "operator": "gte", "value": 100}}
    for number in range(20):
        RuleFactory(tenant=tenant, limits={"per_day": number}, grants=[{"type": "badge", "code": "none"}])
        RuleFactory(tenant=tenant, limits={"per_day": 1}, expression=ask)
    emit(tenant=tenant, event=event(), now=NOW)

    with queries(7):  # lock, version, tallies; participant, event, domain event, tallies
        emit(tenant=tenant, event=event(), now=NOW)
    with queries(5):  # nothing that has limits listens
        emit(tenant=tenant, event=event("login"), now=NOW)


def test_tallies_are_deleted_with_their_participant_and_stay_when_anonymised(tenant):
    RuleFactory(tenant=tenant, limits={"per_day": 1})
    grants_of(tenant, event(user="ada"), event(user="bob"))

    participants.delete(tenant=tenant, external_id="ada", now=NOW)
    participants.anonymize(tenant=tenant, external_id="bob", now=NOW)

    assert RuleTally.objects.get().participant_id == Participant.objects.get().pk
