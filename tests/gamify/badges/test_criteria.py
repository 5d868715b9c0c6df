"""Badges that are earned by events, points, streaks, tiers and other badges."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamify.badges.models import Badge, BadgeAward, BadgeProgress
from gamify.badges.selectors import active_badges
from gamify.badges.services import create_badge, update_badge
from gamify.facts.engine.events import EventInput
from gamify.facts.models import Event
from gamify.facts.services import emit, emit_batch, record_history
from gamify.points.services import Change, award, award_batch
from gamify.tiers.services import Assignment, assign
from participants.catalog import catalog_of
from participants.models import DomainEvent, Participant, Tenant
from participants.selectors import versions_in
from streaks.services import CareRequest, create_streak, record, restore
from tests.factories import BadgeFactory, EventFactory, ParticipantFactory, TenantFactory, TierFactory

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def fresh(tenant):
    return Tenant.objects.get(pk=tenant.pk)


def badge(tenant, code="b", **criteria):
    data = {"code": code, "name": code.title(), "criteria": criteria}
    return create_badge(tenant=tenant, data=data, now=NOW)


def happened(tenant, name="buy", user="ada", key=None, **properties):
    event = EventInput(user, name, NOW, properties, key)
    return emit(tenant=fresh(tenant), event=event, now=NOW)


def earned(user="ada"):
    return set(BadgeAward.objects.filter(participant__external_id=user).values_list("badge__code", flat=True))


def explained(emitted):
    listeners = Event.objects.get(pk=emitted.event_id).trace["facts"][0]["heard"]
    return [(entry["code"], entry["result"], entry.get("note")) for entry in listeners]


def test_events_are_counted_until_the_badge_is_earned(tenant, other_tenant):
    badge(tenant, metric="event_count", event_name="buy", min=3)
    happened(other_tenant)
    happened(tenant, "look")

    answers = [happened(tenant) for _ in range(4)]

    granted = {"type": "badge", "code": "b", "name": "B", "source": {"type": "badge", "code": "b"}}
    assert [answer.rewards_granted for answer in answers] == [[], [], [granted], []]
    assert [explained(answer) for answer in answers] == [
        [("b", "not_yet", "1 of 3")],
        [("b", "not_yet", "2 of 3")],
        [("b", "met", "3 of 3")],
        [("b", "already_earned", None)],
    ]
    assert Participant.objects.get(tenant=tenant).badge_count == 1


def test_only_events_that_match_the_filter_count(tenant):
    badge(tenant, metric="event_count", event_name="buy", filter={"plan": "pro"}, min=1)

    assert explained(happened(tenant, plan="free")) == [("b", "not_matched", None)]
    assert explained(happened(tenant, plan="pro")) == [("b", "met", "1 of 1")]


def test_any_event_may_count(tenant):
    badge(tenant, metric="event_count", event_name="*", min=2)

    happened(tenant, "look")
    happened(tenant, "buy")

    assert earned() == {"b"}


def test_a_sum_is_exact_and_ignores_values_that_are_not_numbers(tenant):
    badge(tenant, metric="event_sum", event_name="buy", field="amount", min=0.3)

    for amount in ("5", -1, None, True):
        happened(tenant, amount=amount)
    happened(tenant)
    happened(tenant, amount=0.1)
    assert earned() == set()
    happened(tenant, amount=0.2)

    assert earned() == {"b"}


@pytest.mark.parametrize(("metric", "minimum"), [("total_earned", 100), ("balance", 100)])
def test_points_earn_badges_and_the_award_returns_them(tenant, metric, minimum):
    badge(tenant, metric=metric, min=minimum)

    first, second = (award(tenant=fresh(tenant), change=Change("ada", 60), now=NOW) for _ in range(2))

    assert (first.badges_unlocked, second.badges_unlocked) == ([], [{"code": "b", "name": "B"}])


def test_a_repeated_award_returns_the_same_badges(tenant):
    badge(tenant, metric="total_earned", min=50)
    change = Change("ada", 60, idempotency_key="k")

    first, again = (award(tenant=fresh(tenant), change=change, now=NOW) for _ in range(2))

    assert again.is_replay
    assert again.badges_unlocked == first.badges_unlocked != []


def test_each_item_of_a_batch_returns_its_own_badges(tenant):
    badge(tenant, metric="total_earned", min=100)

    batch = award_batch(
        tenant=fresh(tenant), changes=[Change(who, 60) for who in ("ada", "bo", "ada")], refused={}, key=None, now=NOW
    )

    assert [len(result.badges_unlocked) for result in batch.results] == [0, 0, 1]


def test_a_run_earns_badges(tenant):
    for code in ("daily", "other"):
        create_streak(tenant=tenant, data={"code": code, "name": code, "event_types": [code]}, now=NOW)
    badge(tenant, metric="streak_count", streak_code="daily", min=3)

    for number in range(3):
        record(tenant=fresh(tenant), participant_id="bo", streak_code="other", at=NOW + number * DAY, now=NOW + 2 * DAY)
        assert earned() == set()
        record(
            tenant=fresh(tenant), participant_id="ada", streak_code="daily", at=NOW + number * DAY, now=NOW + 2 * DAY
        )

    assert earned() == {"b"}
    assert earned("bo") == set()


def test_a_tier_earns_badges_however_it_is_reached(tenant):
    TierFactory(tenant=tenant, code="silver", level=2, criteria_config={"min_points": 100})
    badge(tenant, metric="tier_level", min=2)

    awarded = award(tenant=fresh(tenant), change=Change("ada", 100), now=NOW)
    assign(tenant=fresh(tenant), assignment=Assignment("bo", "silver"), now=NOW)

    assert awarded.badges_unlocked == [{"code": "b", "name": "B"}]
    assert earned() == earned("bo") == {"b"}


def test_badges_earn_badges(tenant):
    badge(tenant, "first", metric="event_count", event_name="buy", min=1)
    badge(tenant, "second", metric="event_count", event_name="buy", min=1)
    badge(tenant, "collector", metric="badges_count", min=2)

    answer = happened(tenant)

    assert [given["code"] for given in answer.rewards_granted] == ["first", "second", "collector"]
    assert Participant.objects.get().badge_count == 3


def test_a_badge_is_not_awarded_again_after_its_criteria_changed(tenant):
    row = badge(tenant, metric="event_count", event_name="buy", min=1)
    happened(tenant)
    update_badge(row, tenant=fresh(tenant), changes={"criteria": {"metric": "total_earned", "min": 1}}, now=NOW)

    awarded = award(tenant=fresh(tenant), change=Change("ada", 5), now=NOW)

    assert awarded.badges_unlocked == []
    assert BadgeAward.objects.count() == 1


def test_new_criteria_count_earlier_events(tenant):
    for _ in range(2):
        happened(tenant)
    happened(tenant, plan="pro")
    row = badge(tenant, metric="event_count", event_name="buy", min=5)
    assert explained(happened(tenant)) == [("b", "not_yet", "4 of 5")]
    criteria = {"metric": "event_count", "event_name": "buy", "filter": {"plan": "pro"}, "min": 2}
    update_badge(row, tenant=fresh(tenant), changes={"criteria": criteria}, now=NOW)

    assert explained(happened(tenant, plan="pro")) == [("b", "met", "2 of 2")]


def test_events_during_inactivity_count_after_activation(tenant):
    buys = {"metric": "event_count", "event_name": "buy", "min": 9}
    row = badge(tenant, **buys)
    happened(tenant)
    for changes in ({"is_active": False}, {"is_active": True}, {"criteria": {**buys, "min": 5}}, {"criteria": buys}):
        row = update_badge(row, tenant=fresh(tenant), changes=changes, now=NOW)
        if not row.is_active or row.criteria != buys:
            happened(tenant)

    assert explained(happened(tenant)) == [("b", "not_yet", "4 of 9")]


def test_a_streak_that_is_restored_by_hand_earns_badges(tenant):
    create_streak(tenant=tenant, data={"code": "daily", "name": "Daily", "event_types": ["daily"]}, now=NOW)
    for number in range(3):
        record(
            tenant=fresh(tenant), participant_id="ada", streak_code="daily", at=NOW + number * DAY, now=NOW + 2 * DAY
        )
    badge(tenant, metric="streak_count", streak_code="daily", min=3)

    restore(tenant=fresh(tenant), request=CareRequest("ada", "daily", "Our outage"), now=NOW + 6 * DAY)

    assert earned() == {"b"}


def test_a_late_tick_that_joins_old_runs_earns_badges(tenant):
    create_streak(tenant=tenant, data={"code": "daily", "name": "Daily", "event_types": ["daily"]}, now=NOW)
    badge(tenant, metric="streak_count", streak_code="daily", min=5)

    for number in (0, 1, 3, 4, 9, 2):
        record(
            tenant=fresh(tenant), participant_id="ada", streak_code="daily", at=NOW + number * DAY, now=NOW + 9 * DAY
        )

    assert earned() == {"b"}


def test_an_inactive_badge_counts_nothing(tenant):
    row = badge(tenant, metric="event_count", event_name="buy", min=1)
    update_badge(row, tenant=fresh(tenant), changes={"is_active": False}, now=NOW)

    assert happened(tenant).rewards_granted == []
    assert not BadgeProgress.objects.exists()


def test_a_repeated_event_counts_once(tenant):
    badge(tenant, metric="event_count", event_name="buy", min=2)

    for _ in range(3):
        happened(tenant, key="k")

    assert earned() == set()


def test_deleting_and_anonymising_leave_no_personal_progress_behind(tenant, admin_api):
    badge(tenant, metric="event_count", event_name="buy", min=2)
    happened(tenant)

    admin_api.delete("/admin/participants/ada")

    assert not BadgeProgress.objects.exists()


# --- queries ---------------------------------------------------------------------------------------------------


def test_criteria_that_count_an_event_cost_no_further_round_trip(tenant, queries):
    badge(tenant, metric="event_count", event_name="buy", min=9)
    happened(tenant)
    ready = fresh(tenant)
    event = EventInput("ada", "buy", NOW)
    emit(tenant=ready, event=event, now=NOW)

    with queries(8):  # lock, version, awards, progress; participant, badge progress, event, domain event
        emit(tenant=ready, event=event, now=NOW)


def test_criteria_of_other_events_cost_nothing(tenant, queries):
    for number in range(50):
        badge(tenant, f"b{number}", metric="event_count", event_name=f"e{number}", min=1)
    ready = fresh(tenant)
    event = EventInput("ada", "buy", NOW)
    emit(tenant=ready, event=event, now=NOW)

    with queries(5):  # lock, version; participant, event, domain event
        emit(tenant=ready, event=event, now=NOW)


# --- against a naive recount -------------------------------------------------------------------------------------------

amounts = st.sampled_from([0.1, 0.2, 1, 2.5, -1, "x", None])
criteria = st.fixed_dictionaries(
    {"metric": st.just("event_sum"), "field": st.just("amount"), "min": st.sampled_from([0.3, 1, 2.6, 5])},
    optional={"filter": st.sampled_from([{"plan": "pro"}, {"amount": {"gte": 1}}])},
) | st.fixed_dictionaries(
    {"metric": st.just("event_count"), "min": st.integers(1, 5)},
    optional={"filter": st.sampled_from([{"plan": "pro"}])},
)
histories = st.lists(
    st.tuples(
        st.sampled_from(["ada", "bo"]), st.sampled_from(["buy", "look"]), amounts, st.sampled_from(["pro", "free"])
    ),
    max_size=12,
)


def naive(wanted, history, who):
    total = Decimal(0)
    for user, name, amount, plan in history:
        only = wanted.get("filter", {})
        is_like = ("plan" not in only or plan == "pro") and (
            "amount" not in only or (isinstance(amount, int | float) and amount >= 1)
        )
        if user == who and is_like and wanted["event_name"] in (name, "*"):
            is_number = isinstance(amount, int | float) and amount > 0
            total += 1 if wanted["metric"] == "event_count" else Decimal(str(amount)) if is_number else 0
    return total >= Decimal(str(wanted["min"]))


@pytest.mark.django_db
@settings(max_examples=40, deadline=None)
@given(
    wanted=criteria,
    name=st.sampled_from(["buy", "*"]),
    history=histories,
    cuts=st.lists(st.integers(0, 12)),
    data=st.data(),
)
def test_a_badge_is_earned_if_and_only_if_a_recount_comes_to_its_minimum(wanted, name, history, cuts, data):
    tenant = TenantFactory()
    wanted = {**wanted, "event_name": name}
    begins = data.draw(st.integers(0, len(history)))
    for user, what, amount, plan in history[:begins]:
        happened(tenant, what, user, amount=amount, plan=plan)
    badge(tenant, **wanted)
    ends = sorted({begins, len(history), *(cut for cut in cuts if begins < cut < len(history))})
    for start, end in pairwise(ends):
        events = [
            EventInput(user, what, NOW, {"amount": amount, "plan": plan})
            for user, what, amount, plan in history[start:end]
        ]
        emit_batch(tenant=fresh(tenant), events=events, refused={}, now=NOW)

    for who in ("ada", "bo"):
        if any(user == who for user, *_ in history[begins:]) and _is_touched(wanted, history[begins:], who):
            has = BadgeAward.objects.filter(tenant=tenant, participant__external_id=who).exists()
            assert has == naive(wanted, history, who)


def _is_touched(wanted, history, who):
    """Whether an event that the badge listens to came after the badge was created. Earlier events do not trigger it."""
    one = {**wanted, "metric": "event_count", "min": 1}
    return naive(one, history, who)


def test_an_imported_history_earns_the_same_badges_as_calls(tenant):
    badge(tenant, metric="event_count", event_name="buy", min=2)
    events = [EventInput("ada", "buy", NOW - number * DAY) for number in (2, 1)]

    record_history(tenant=fresh(tenant), events=events, now=NOW)

    assert earned() == {"b"}
    assert not DomainEvent.objects.exists()


# --- progress ---------------------------------------------------------------------------------------------------------


def test_an_unearned_badge_shows_progress(tenant, api):
    create_streak(tenant=tenant, data={"code": "daily", "name": "Daily", "event_types": ["login"]}, now=NOW)
    TierFactory(tenant=tenant, code="silver", level=2, criteria_config={"min_points": 100})
    for _ in range(2):
        happened(tenant, amount=1.25)
    award(tenant=fresh(tenant), change=Change("ada", 120), now=NOW)
    badge(tenant, "count", metric="event_count", event_name="buy", min=5)
    badge(tenant, "sum", metric="event_sum", event_name="buy", field="amount", min=10)
    badge(tenant, "points", metric="balance", min=1000)
    badge(tenant, "over", metric="total_earned", min=50)
    badge(tenant, "run", metric="streak_count", streak_code="daily", min=7)
    badge(tenant, "tier", metric="tier_level", min=3)
    badge(tenant, "badges", metric="badges_count", min=2)
    BadgeFactory(tenant=tenant, code="given")

    badges = api.get("/participants/ada/badges").json()["badges"]

    assert {each["code"]: each.get("progress") for each in badges} == {
        "count": {"current": 2, "target": 5},
        "sum": {"current": 2.5, "target": 10},
        "points": {"current": 120, "target": 1000},
        "over": {"current": 50, "target": 50},
        "run": {"current": 0, "target": 7},
        "tier": {"current": 2, "target": 3},
        "badges": {"current": 0, "target": 2},
        "given": None,
    }


def test_progress_is_0_for_unknown_participants_and_left_out_for_earned_badges(tenant, api):
    badge(tenant, metric="event_count", event_name="buy", min=1)
    happened(tenant)

    [unseen] = api.get("/participants/nobody/badges").json()["badges"]
    [seen] = api.get("/participants/ada/badges").json()["badges"]

    assert unseen["progress"] == {"current": 0, "target": 1}
    assert "progress" not in seen


def test_progress_of_many_badges_is_read_with_the_same_queries(tenant, api, queries):
    create_streak(tenant=tenant, data={"code": "daily", "name": "Daily", "event_types": ["login"]}, now=NOW)
    person = ParticipantFactory(tenant=tenant, external_id="ada")
    EventFactory(participant=person, name="buy")
    for number in range(10):
        badge(tenant, f"c{number}", metric="event_count", event_name="buy", min=number + 2)
        badge(tenant, f"r{number}", metric="streak_count", streak_code="daily", min=number + 2)
    api.get("/participants/ada/badges")

    with queries(6):  # key, participant, awards; counted rows, history; runs
        assert api.get("/participants/ada/badges").json()["total"] == 20


# --- edge cases ---------------------------------------------------------------------------------------------


def test_a_tier_of_level_0_is_a_level(tenant):
    TierFactory(tenant=tenant, code="zero", level=0, criteria_config={"min_points": 100})
    badge(tenant, metric="tier_level", min=1)

    awarded = award(tenant=fresh(tenant), change=Change("ada", 150), now=NOW)

    assert (awarded.tier_upgrade.level, awarded.badges_unlocked) == (0, [])


def test_an_event_named_like_the_wildcard_counts_once(tenant):
    badge(tenant, metric="event_count", event_name="*", min=2)

    happened(tenant, "*")

    assert earned() == set()


def test_two_concurrent_changes_of_criteria_take_two_revisions(tenant):
    first = badge(tenant, metric="event_count", event_name="x", min=3)
    second = Badge.objects.get(pk=first.pk)
    buys = {"metric": "event_count", "event_name": "x", "min": 4}
    update_badge(first, tenant=fresh(tenant), changes={"criteria": buys}, now=NOW)
    for _ in range(2):
        happened(tenant, "x")
    looks = {"metric": "event_count", "event_name": "y", "min": 3}
    update_badge(second, tenant=fresh(tenant), changes={"criteria": looks}, now=NOW)

    assert explained(happened(tenant, "y")) == [("b", "not_yet", "1 of 3")]


def test_new_criteria_of_many_badges_read_the_history_once(tenant, queries):
    for _ in range(3):
        happened(tenant)
    for number in range(10):
        badge(tenant, f"b{number}", metric="event_count", event_name="buy", min=9)
    ready = fresh(tenant)
    emit(tenant=ready, event=EventInput("warm", "look", NOW), now=NOW)
    event = EventInput("ada", "buy", NOW)
    active_badges(catalog_of(ready))
    versions_in(catalog_of(ready))

    with queries(9):  # lock, version, awards, progress; history; participant, progress, event, domain event
        emit(tenant=ready, event=event, now=NOW)


def test_a_batch_reads_the_history_once_for_all_its_participants(tenant, queries):
    people = [f"p{number}" for number in range(5)]
    for person in people:
        emit(tenant=tenant, event=EventInput(person, "buy", NOW), now=NOW)
    emit(tenant=tenant, event=EventInput("p1", "buy", NOW), now=NOW)
    badge(tenant, "b", metric="event_count", event_name="buy", min=9)
    ready = fresh(tenant)
    emit(tenant=ready, event=EventInput("warm", "look", NOW), now=NOW)
    active_badges(catalog_of(ready))
    versions_in(catalog_of(ready))
    batch = [EventInput(person, "buy", NOW) for person in [*people, "newcomer", "p0"]]

    with queries(
        10
    ):  # lock, version, awards, progress; history; new and known participants, progress, event, domain event
        emit_batch(tenant=ready, events=batch, refused={}, now=NOW)

    values = dict(BadgeProgress.objects.filter(badge__code="b").values_list("participant__external_id", "value"))
    assert values == {"p0": 3, "p1": 3, "p2": 2, "p3": 2, "p4": 2, "newcomer": 1}
