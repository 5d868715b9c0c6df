"""Badges that came of an event go with it, and what counts events counts one less."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamify.badges.models import Badge, BadgeAward, BadgeProgress
from gamify.badges.selectors import badge_statuses, with_progress
from gamify.badges.services import award, create_badge, update_badge
from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit, reverse_event
from participants.catalog import catalog_of
from participants.models import DomainEvent, Participant, Tenant
from tests.factories import BadgeFactory, RuleFactory, TenantFactory

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
BOUGHT = {"metric": "event_count", "event_name": "buy"}
SPENT = {"metric": "event_sum", "event_name": "buy", "field": "amount", "filter": {"plan": "pro"}}


def badge(tenant, code="b", **criteria):
    return create_badge(tenant=tenant, data={"code": code, "name": code.title(), "criteria": criteria}, now=NOW)


def fresh(tenant):
    return Tenant.objects.get(pk=tenant.pk)


def happened(tenant, name="buy", user="ada", **properties):
    return emit(tenant=fresh(tenant), event=EventInput(user, name, NOW, properties), now=NOW).event_id


def undone(tenant, event_id, **given):
    answer = reverse_event(tenant=fresh(tenant), event_id=str(event_id), reason=None, now=LATER, **given)
    return [(each["code"], each.get("kept")) for each in answer.undone if each["type"] == "badge"]


def earned(user="ada"):
    return set(BadgeAward.objects.filter(participant__external_id=user).values_list("badge__code", flat=True))


def progress(tenant, user="ada"):
    tenant = fresh(tenant)
    person = Participant.objects.filter(tenant=tenant, external_id=user).first()
    standings = badge_statuses(person, catalog_of(tenant))
    found = with_progress(standings, person, tenant=tenant, now=LATER)
    return {each.badge.code: each.progress and each.progress.current for each in found}


def test_a_badge_that_a_rule_granted_is_revoked_with_its_event(tenant):
    BadgeFactory(tenant=tenant, code="buyer", name="Buyer", icon_url="https://x.y/z.png")
    RuleFactory(tenant=tenant, event_types=["buy"], grants=[{"type": "badge", "code": "buyer"}])
    event_id = happened(tenant)
    assert BadgeAward.objects.get().event_id == event_id

    assert undone(tenant, event_id) == [("buyer", None)]

    told = DomainEvent.objects.get(type="badge.revoked").data
    assert told == {
        "participant_id": "ada",
        "badge_code": "buyer",
        "badge_name": "Buyer",
        "icon": "https://x.y/z.png",
        "rarity": "common",
        "earned_at": "2026-02-14T10:00:00+00:00",
    }
    assert (earned(), Participant.objects.get().badge_count) == (set(), 0)


def test_a_revoked_badge_can_be_earned_again(tenant):
    badge(tenant, **BOUGHT, min=1)
    undone(tenant, happened(tenant))
    assert earned() == set()

    again = happened(tenant)

    assert (earned(), BadgeAward.objects.get().event_id) == ({"b"}, again)


def test_a_badge_awarded_by_hand_is_not_revoked(tenant):
    badge(tenant, **BOUGHT, min=5)
    award(tenant=fresh(tenant), participant_id="ada", badge_code="b", metadata={}, now=NOW)

    assert undone(tenant, happened(tenant)) == []
    assert earned() == {"b"}


def test_progress_decreases_by_the_amount_of_the_event(tenant):
    badge(tenant, "often", **BOUGHT, min=9)
    badge(tenant, "much", **SPENT, min=500)
    badge(tenant, "never", **(SPENT | {"filter": {"plan": "free"}}), min=9)
    happened(tenant, amount=12.5, plan="pro")
    event_id = happened(tenant, amount=30, plan="pro")

    assert undone(tenant, event_id) == []

    values = {row.badge.code: row.value for row in BadgeProgress.objects.select_related("badge")}
    assert values == {"often": 1, "much": Decimal("12.5")}
    assert progress(tenant) == {"often": 1, "much": Decimal("12.5"), "never": 0}


def test_a_badge_whose_criteria_are_not_met_without_the_event_is_revoked_and_its_progress_is_right(tenant):
    badge(tenant, **BOUGHT, min=3)
    *_, last = [happened(tenant) for _ in range(3)]

    assert undone(tenant, last) == [("b", None)]

    assert (earned(), progress(tenant)) == (set(), {"b": 2})


def test_a_badge_whose_criteria_are_met_without_the_event_is_not_revoked(tenant):
    badge(tenant, **BOUGHT, min=3)
    *_, third, _ = [happened(tenant) for _ in range(4)]

    assert undone(tenant, third) == []
    assert earned() == {"b"}


def test_a_badge_that_another_event_earned_is_reported_and_not_revoked(tenant):
    badge(tenant, **BOUGHT, min=3)
    first, *_ = [happened(tenant) for _ in range(3)]

    assert undone(tenant, first) == [("b", "It was earned with another event")]
    assert earned() == {"b"}


def test_a_badge_for_a_number_of_badges_is_revoked_with_them(tenant):
    badge(tenant, "one", **BOUGHT, min=1)
    badge(tenant, "two", **(BOUGHT | {"event_name": "*"}), min=2)
    badge(tenant, "both", metric="badges_count", min=2)
    happened(tenant, "look")
    event_id = happened(tenant)
    assert earned() == {"one", "two", "both"}

    assert set(undone(tenant, event_id)) == {("one", None), ("two", None), ("both", None)}

    assert (earned(), Participant.objects.get().badge_count) == (set(), 0)


def test_an_inactive_badge_is_revoked_too(tenant):
    row = badge(tenant, **BOUGHT, min=1)
    event_id = happened(tenant)
    update_badge(Badge.objects.get(pk=row.pk), tenant=tenant, changes={"is_active": False}, now=NOW)

    assert undone(tenant, event_id) == [("b", None)]
    assert earned() == set()


def test_new_criteria_do_not_count_reversed_events(tenant):
    reversed_id = happened(tenant)
    happened(tenant)
    undone(tenant, reversed_id)

    badge(tenant, **BOUGHT, min=5)
    happened(tenant)

    assert progress(tenant) == {"b": 2}


def test_badges_of_other_participants_are_not_revoked(tenant):
    badge(tenant, **BOUGHT, min=1)
    happened(tenant, user="bob")

    undone(tenant, happened(tenant))

    assert (earned(), earned("bob")) == (set(), {"b"})


def test_a_preview_reports_the_same_and_changes_nothing(tenant, nothing_written):
    badge(tenant, **BOUGHT, min=1)
    event_id = happened(tenant)

    with nothing_written():
        assert undone(tenant, event_id, is_dry_run=True) == [("b", None)]


EVENTS = st.tuples(st.sampled_from(["buy", "look"]), st.integers(0, 40), st.sampled_from(["pro", "free"]))
CRITERIA = st.sampled_from([BOUGHT, BOUGHT | {"event_name": "*"}, SPENT, SPENT | {"filter": {}}])


@pytest.mark.django_db
@settings(max_examples=20, deadline=None)
@given(
    history=st.lists(EVENTS, min_size=1, max_size=8),
    defined=st.lists(st.tuples(CRITERIA, st.integers(1, 60))),
    data=st.data(),
)
def test_a_reversed_event_counts_as_if_it_had_never_been_sent(history, defined, data):
    tenant, undisturbed = TenantFactory(), TenantFactory()
    for number, (criteria, minimum) in enumerate(defined):
        for each in (tenant, undisturbed):
            badge(each, f"b{number}", **criteria, min=minimum)
    place = data.draw(st.integers(0, len(history) - 1))

    ids = [happened(tenant, name, amount=amount, plan=plan) for name, amount, plan in history]
    kept = {code for code, why in undone(tenant, ids[place]) if why}
    for name, amount, plan in history[:place] + history[place + 1 :]:
        happened(undisturbed, name, amount=amount, plan=plan)

    found, wanted = progress(tenant), progress(undisturbed)
    assert {code: value for code, value in found.items() if code not in kept} == {
        code: value for code, value in wanted.items() if code not in kept
    }
