from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry

from gamify.badges.models import BadgeAward
from gamify.facts.engine.events import EventInput
from gamify.facts.models import PRUNED, Event
from gamify.facts.services import emit
from tests.console import Console, staff, text_of
from tests.factories import BadgeFactory, EventFactory, ParticipantFactory, RuleFactory


def test_the_list_shows_the_newest_first(tenant):
    for name in ("login", "purchase", "refund"):
        EventFactory(participant=ParticipantFactory(tenant=tenant), name=name)

    shown = text_of(Console(tenant).get("facts_event_changelist"))

    assert shown.index(">refund<") < shown.index(">purchase<") < shown.index(">login<")


def test_the_list_takes_the_same_queries_for_many_events_and_does_not_count_them(tenant, queries):
    console = Console(tenant)

    for number_of_new in (1, 30):
        for _ in range(number_of_new):
            EventFactory(participant=ParticipantFactory(tenant=tenant))
        with queries(5):  # session, user, second factor, picked tenant, the events with their participants
            assert console.get("facts_event_changelist").status_code == 200


def test_an_event_is_shown_in_words(tenant, queries):
    event = EventFactory(participant=ParticipantFactory(tenant=tenant), name="purchase", properties={"order": "<A-1>"})
    console = Console(tenant)

    with queries(5):  # session, user, second factor, picked tenant, the event with its participant
        answer = console.get("facts_event_change", event.pk)

    assert "<th>order</th><td><A-1></td>" in text_of(answer)
    assert b"<A-1>" not in answer.content


def test_events_cannot_be_edited(tenant, nothing_written):
    event = EventFactory(participant=ParticipantFactory(tenant=tenant))
    console = Console(tenant)

    with nothing_written():
        answers = [
            console.get("facts_event_add"),
            console.post("facts_event_change", event.pk, name="x"),
            console.post("facts_event_delete", event.pk, post="yes"),
            console.post("facts_event_changelist", action="delete_selected", _selected_action=[str(event.pk)]),
        ]

    assert [answer.status_code for answer in answers[:3]] == [403, 403, 403]


def test_events_need_a_permission_of_their_own(tenant):
    assert Console(tenant, user=staff("participants.view_participant")).get("facts_event_changelist").status_code == 403


def test_events_of_other_tenants_are_out_of_reach(tenant, other_tenant):
    console = Console(tenant)
    for owner in (other_tenant, tenant.sandbox):
        stranger = ParticipantFactory(tenant=owner, external_id="stranger")
        event = EventFactory(participant=stranger, name="secret")

        assert console.get("facts_event_change", event.pk).status_code == 302
        assert console.get("facts_event_history", event.pk).status_code == 302
        for query in ({}, {"q": "stranger"}, {"participant__id__exact": str(stranger.pk)}):
            assert ">secret<" not in text_of(console.get("facts_event_changelist", **query))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "ada"}, {"login", "purchase"}),
        ({"q": "ad"}, set()),
        ({"name": "login"}, {"login"}),
        ({"occurred_at_from": "2026-02-01", "occurred_at_to": "2026-02-01"}, {"purchase"}),
        ({"occurred_at_from": "2026-02-02"}, {"refund"}),
        ({"q": "ada", "name": "refund"}, set()),
    ],
)
def test_events_are_found_by_participant_name_and_day(tenant, query, found):
    ada, bob = (ParticipantFactory(tenant=tenant, external_id=name) for name in ("ada", "bob"))
    EventFactory(participant=ada, name="login", occurred_at=datetime(2026, 1, 1, tzinfo=UTC))
    EventFactory(participant=ada, name="purchase", occurred_at=datetime(2026, 2, 1, 23, 59, tzinfo=UTC))
    EventFactory(participant=bob, name="refund", occurred_at=datetime(2026, 2, 2, tzinfo=UTC))

    shown = text_of(Console(tenant).get("facts_event_changelist", **query))

    assert {name for name in ("login", "purchase", "refund") if f">{name}<" in shown} == found


def test_the_participants_timeline_says_when_an_event_that_came_late_happened(tenant):
    participant = ParticipantFactory(tenant=tenant, external_id="ada")
    event = EventFactory(participant=participant, name="first_purchase", properties={"amount": 5})
    EventFactory(participant=participant, name="early_login", occurred_at=datetime(2026, 1, 1, tzinfo=UTC))
    EventFactory(participant=ParticipantFactory(tenant=tenant), name="of_another")

    shown = text_of(Console(tenant).get("participants_participant_change", participant.pk))

    assert shown.index("early_login") < shown.index("first_purchase")
    assert shown.count("It happened at") == 1
    assert "It happened at 2026-01-01 00:00:00 UTC." in shown
    assert "amount: 5" in shown
    assert f"/console/facts/event/{event.pk}/change/" in shown
    assert "/console/facts/event/?q=ada" in shown
    assert "of_another" not in shown


def test_an_event_of_the_api_is_in_the_console(tenant, api):
    api.post("/events", {"participant_id": "ada", "event_name": "login"})

    assert str(Event.objects.get().pk) in text_of(Console(tenant).get("facts_event_changelist"))


TRACE = {
    "facts": [
        {
            "name": "purchase",
            "is_change": False,
            "depth": 0,
            "heard": [
                {
                    "type": "rule",
                    "code": "big_spender",
                    "result": "not_matched",
                    "conditions": [
                        {"field": "amount", "operator": "gte", "expected": 100, "actual": "<5>", "holds": False},
                        {"field": "sku", "operator": "in", "expected": ["a", "b"], "holds": False},
                    ],
                },
                {"type": "streak", "code": "daily", "result": "counted", "note": "3 in a row"},
            ],
            "more": 4,
        },
        {"name": "tier.upgraded", "is_change": True, "depth": 1, "heard": []},
    ],
    "granted": [
        {"type": "points", "id": "x", "name": "Points", "amount": 1200, "source": {"type": "rule", "code": "spend"}},
        {"type": "streak_milestone", "code": "daily", "name": "Daily", "source": {"type": "streak", "code": "daily"}},
    ],
    "refused": [{"type": "reward", "source": {"type": "rule", "code": "spend"}, "reason": "Reward is out of stock"}],
    "cut": ["badge.awarded"],
}


def test_an_event_shows_its_trace_in_words(tenant):
    event = EventFactory(participant=ParticipantFactory(tenant=tenant), trace=TRACE)

    shown = text_of(Console(tenant).get("facts_event_change", event.pk))

    for words in (
        "rule big_spender",
        "✗ amount is at least 100",
        "(found: “<5>”)",
        "✗ sku is one of “a”, “b”",
        "(found: nothing)",
        "3 in a row",
        "4 more listened and did not match.",
        "then tier.upgraded",
        "1,200 points",
        "streak milestone Daily",
        "no reward",
        "Reward is out of stock",
        "badge.awarded was not processed",
    ):
        assert words in shown


@pytest.mark.parametrize(("trace", "words"), [(None, "listens to it"), (PRUNED, "the event is too old")])
def test_an_event_without_a_trace_says_so(tenant, trace, words):
    event = EventFactory(participant=ParticipantFactory(tenant=tenant), trace=trace)

    assert words in text_of(Console(tenant).get("facts_event_change", event.pk))


@pytest.fixture
def bought(tenant):
    """An event for which a badge was given."""
    BadgeFactory(tenant=tenant, code="buyer", name="Buyer")
    RuleFactory(tenant=tenant, grants=[{"type": "badge", "code": "buyer"}])
    event = EventInput("ada", "purchase", datetime.now(UTC))
    return emit(tenant=tenant, event=event, now=event.at).event_id


def test_a_preview_shows_what_a_reversal_takes_back(tenant, bought, nothing_written):
    console = Console(tenant)

    shown = text_of(console.get("facts_event_change", bought))
    with nothing_written():
        page = text_of(console.get("facts_event_reverse", bought))

    assert ">Reverse<" in "".join(shown.split())
    assert "Taken back: Badge Buyer." in page


def test_reversing_leaves_an_audit_row_and_the_event_says_so(tenant, bought):
    console = Console(tenant)

    answer = console.post("facts_event_reverse", bought, reason="A fraud")

    event = Event.objects.get()
    assert answer.status_code == 302
    assert (event.reversal_reason, BadgeAward.objects.count()) == ("A fraud", 0)
    assert LogEntry.objects.get().change_message == "Reversed."
    shown = text_of(console.get("facts_event_change", bought))
    assert "A fraud" in shown
    assert "Taken back: Badge Buyer." in shown


def test_a_reversed_event_cannot_be_reversed_again(tenant, bought, nothing_written):
    console = Console(tenant)
    console.post("facts_event_reverse", bought, reason="A fraud")

    with nothing_written():
        assert console.post("facts_event_reverse", bought, reason="Again").status_code == 302
    assert Event.objects.get().reversal_reason == "A fraud"


def test_the_preview_of_an_event_that_gave_nothing_says_so(tenant):
    event_id = emit(tenant=tenant, event=EventInput("ada", "look", datetime.now(UTC)), now=datetime.now(UTC)).event_id

    assert "It gave nothing." in text_of(Console(tenant).get("facts_event_reverse", event_id))


def test_reversing_needs_more_than_looking(tenant, bought, nothing_written):
    console = Console(tenant, user=staff("facts.view_event"))

    with nothing_written():
        assert console.get("facts_event_reverse", bought).status_code == 403
        assert console.post("facts_event_reverse", bought, reason="x").status_code == 403


def test_an_event_of_another_tenant_cannot_be_reversed(tenant, other_tenant):
    event = EventFactory(participant=ParticipantFactory(tenant=other_tenant), marks={})

    Console(tenant).post("facts_event_reverse", event.pk, reason="x")

    assert Event.objects.get().reversed_at is None
