"""All effects of an event with every kind of definition together: against a naive interpreter, in batches, and in a race."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gamify.badges.models import BadgeAward, BadgeProgress
from gamify.badges.services import create_badge
from gamify.challenges.models import Enrolment
from gamify.facts.engine.events import EventInput
from gamify.facts.models import Event
from gamify.facts.services import emit, emit_batch
from gamify.points.models import LedgerEntry
from gamify.points.services import Change, award, award_batch
from gamify.rules.models import RuleTally
from gamify.tiers.models import TierChange
from participants.models import DomainEvent, Participant, Tenant
from participants.services.tenants import create_tenant
from streaks.models import ParticipantStreak
from streaks.services import Tick, create_streak, record_many
from tests.factories import BadgeFactory, ChallengeFactory, RuleFactory, TenantFactory, TierFactory, objective
from tests.threads import all_at_once

BEGIN = datetime(2026, 2, 9, 22, tzinfo=UTC)  # a Monday evening
NOW = BEGIN + timedelta(days=30)
PRO = {"condition": {"field": "plan", "operator": "eq", "value": "pro"}}
DEAR = {"condition": {"field": "amount", "operator": "gte", "value": 10}}


def fresh(tenant):
    return Tenant.objects.get(pk=tenant.pk)


# --- rules against a naive interpreter ---------------------------------------------------------------------------------

rules = st.lists(
    st.fixed_dictionaries(
        {
            "priority": st.integers(-1, 1),
            "event_types": st.sampled_from([["buy"], ["look"], ["*"], ["buy", "look"]]),
            "expression": st.sampled_from([None, PRO, DEAR, {"not": DEAR}, {"and": [PRO, DEAR]}, {"or": [PRO, DEAR]}]),
            "grants": st.lists(
                st.sampled_from(
                    [
                        {"type": "points", "amount": 7},
                        {"type": "points", "field": "amount", "factor": 1.5},
                        {"type": "points", "field": "amount", "max": 3},
                        {"type": "badge", "code": "gem"},
                    ]
                ),
                min_size=1,
                max_size=2,
            ),
            "limits": st.sampled_from(
                [
                    {},
                    {},
                    {"per_day": 1},
                    {"per_week": 2},
                    {"ever": 2},
                    {"cooldown_seconds": 7200},
                    {"per_day": 2, "ever": 3},
                ]
            ),
        }
    ),
    min_size=1,
    max_size=4,
)
histories = st.lists(
    st.tuples(
        st.sampled_from(["ada", "bo"]),
        st.sampled_from(["buy", "look"]),
        st.sampled_from([0.5, 4, 10, 25.3, "x", None]),
        st.sampled_from(["pro", "free"]),
        st.integers(0, 40),  # hours after the previous one
    ),
    min_size=1,
    max_size=14,
)


class Naive:
    """Points, badges and firings of one participant, computed event by event as the contract describes."""

    def __init__(self, rules):
        self.rules = sorted(rules, key=lambda rule: (-rule["priority"], rule["code"]))
        self.points, self.badges, self.fired = 0, set(), {rule["code"]: [] for rule in rules}

    def hear(self, name, amount, plan, at):
        for rule in self.rules:
            listens = "*" in rule["event_types"] or name in rule["event_types"]
            if listens and self.holds(rule["expression"], amount, plan) and self.may_fire(rule, at):
                self.fired[rule["code"]].append(at)
                for spec in rule["grants"]:
                    self.give(spec, amount)

    def holds(self, expression, amount, plan):
        is_dear = isinstance(amount, int | float) and amount >= 10
        return {
            str(None): True,
            str(PRO): plan == "pro",
            str(DEAR): is_dear,
            str({"not": DEAR}): not is_dear,
            str({"and": [PRO, DEAR]}): plan == "pro" and is_dear,
            str({"or": [PRO, DEAR]}): plan == "pro" or is_dear,
        }[str(expression)]

    def may_fire(self, rule, at):
        limits, earlier = rule["limits"], self.fired[rule["code"]]
        same_day = [each for each in earlier if each.date() == at.date()]
        same_week = [each for each in earlier if each.isocalendar()[:2] == at.isocalendar()[:2]]
        seconds = limits.get("cooldown_seconds", 0)
        return (
            len(same_day) < limits.get("per_day", 99)
            and len(same_week) < limits.get("per_week", 99)
            and len(earlier) < limits.get("ever", 99)
            and not (earlier and (at - earlier[-1]).total_seconds() < seconds)
        )

    def give(self, spec, amount):
        if spec["type"] == "badge":
            self.badges.add(spec["code"])
        elif "amount" in spec:
            self.points += spec["amount"]
        elif isinstance(amount, int | float):
            product = Decimal(str(amount)) * Decimal(str(spec.get("factor", 1)))
            self.points += min(int(product.to_integral_value(ROUND_FLOOR)), spec.get("max", 10**6))


@pytest.mark.django_db
@settings(max_examples=40, deadline=None)
@given(rules=rules, history=histories)
def test_rules_grant_the_same_as_a_naive_interpreter(rules, history):
    tenant = TenantFactory()
    BadgeFactory(tenant=tenant, code="gem")
    rules = [{**rule, "code": f"r{number}"} for number, rule in enumerate(rules)]
    for rule in rules:
        RuleFactory(tenant=tenant, **rule)
    naive = {who: Naive(rules) for who in ("ada", "bo")}
    at = BEGIN
    for number, (who, name, amount, plan, hours) in enumerate(history):
        at += timedelta(hours=hours)
        event = EventInput(who, name, at, {"amount": amount, "plan": plan}, f"k{number}")
        for _ in range(2):  # the repeat changes nothing
            emit(tenant=fresh(tenant), event=event, now=NOW)
        naive[who].hear(name, amount, plan, at)

    for person in Participant.objects.filter(tenant=tenant):
        badges = BadgeAward.objects.filter(participant=person).values_list("badge__code", flat=True)
        assert (person.balance, set(badges)) == (naive[person.external_id].points, naive[person.external_id].badges)


# --- a batch equals its singles ----------------------------------------------------------------------------------------


def defined(tenant):
    """Definitions of every kind that trigger each other."""
    TierFactory(tenant=tenant, code="silver", level=2, criteria_config={"min_points": 40})
    create_streak(
        tenant=tenant,
        data={
            "code": "daily",
            "name": "Daily",
            "event_types": ["*"],
            "milestones": [{"threshold": 2, "reward_item_id": None, "repeatable": False}],
        },
        now=BEGIN,
    )
    create_badge(
        tenant=tenant,
        data={"code": "buyer", "name": "Buyer", "criteria": {"metric": "event_count", "event_name": "buy", "min": 3}},
        now=BEGIN,
    )
    create_badge(
        tenant=tenant,
        data={"code": "keen", "name": "Keen", "criteria": {"metric": "streak_count", "streak_code": "daily", "min": 2}},
        now=BEGIN,
    )
    ChallengeFactory(
        tenant=tenant,
        code="shop",
        objectives=[objective("look", 2), objective("buy", 30, type="sum", of={"field": "amount"})],
        completion_grants=[{"type": "points", "amount": 20}],
        is_repeatable=True,
    )
    by_amount = [{"type": "points", "field": "amount"}]
    RuleFactory(tenant=tenant, code="spend", event_types=["buy"], grants=by_amount, limits={"per_day": 2})
    RuleFactory(
        tenant=tenant,
        code="badges",
        event_types=[],
        changes=["badge.awarded"],
        grants=[{"type": "points", "amount": 11}],
    )
    RuleFactory(
        tenant=tenant, code="tiers", event_types=[], changes=["tier.upgraded"], grants=[{"type": "points", "amount": 3}]
    )
    RuleFactory(
        tenant=tenant,
        code="milestones",
        event_types=[],
        changes=["streak.milestone_reached"],
        grants=[{"type": "points", "amount": 5}],
    )


def outcome(tenant):
    """Return all rows without ids and without the time of recording.

    Progress of zero is left out: no row means zero too. A unit counts the history of all its participants with one query, so that
    in a batch somebody may get such a row because of somebody else's event.
    """
    who = "participant__external_id"

    def rows(model, *fields, **but):
        found = model.objects.filter(tenant=tenant).exclude(**but) if but else model.objects.filter(tenant=tenant)
        return sorted(found.values_list(*fields), key=str)

    return {
        "people": rows(
            Participant,
            "external_id",
            "balance",
            "total_earned",
            "ledger_count",
            "tier_code",
            "badge_count",
            "challenges_completed",
            "total_events",
        ),
        "entries": rows(LedgerEntry, who, "number", "delta", "balance_after", "reason"),
        "badges": rows(BadgeAward, who, "badge__code"),
        "progress": rows(BadgeProgress, who, "badge__code", "value", value=0),
        "tiers": rows(TierChange, who, "number", "code"),
        "streaks": rows(ParticipantStreak, who, "runs", "count", "paid"),
        "challenges": rows(Enrolment, who, "completions", "progress", "completed_at"),
        "tallies": rows(RuleTally, who, "total", "days"),
        "told": Counter(DomainEvent.objects.filter(tenant=tenant).values_list("data__participant_id", "type")),
    }


def without_ids(granted):
    return [{name: value for name, value in each.items() if name != "id"} for each in granted]


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, phases=[Phase.generate])
@given(history=histories, cuts=st.lists(st.integers(1, 13), max_size=4))
def test_a_batch_gives_the_same_result_as_single_calls(history, cuts):
    single, batched = TenantFactory(), TenantFactory()
    at, events = BEGIN, []
    for number, (who, name, amount, plan, hours) in enumerate(history):
        at += timedelta(hours=hours)
        events.append(EventInput(who, name, at, {"amount": amount, "plan": plan}, f"k{number}"))
    for tenant in (single, batched):
        defined(tenant)
    answers = [emit(tenant=fresh(single), event=event, now=NOW) for event in events]
    ends = sorted({0, len(events), *(cut for cut in cuts if cut < len(events))})
    batches = [
        emit_batch(tenant=fresh(batched), events=events[start:end], refused={}, now=NOW)
        for start, end in pairwise(ends)
    ]

    results = [result for batch in batches for result in batch.results]
    assert [without_ids(each.rewards_granted) for each in results] == [
        without_ids(each.rewards_granted) for each in answers
    ]
    assert outcome(batched) == outcome(single)


# --- a race ------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_16_equal_events_lead_to_everything_once_and_every_answer_is_the_same():
    tenant = create_tenant(slug="acme", name="Acme", now=BEGIN)
    defined(tenant)
    for number in range(2):
        emit(tenant=fresh(tenant), event=EventInput("ada", "buy", BEGIN, {"amount": 1}, f"k{number}"), now=NOW)
    before = Participant.objects.get().balance
    event = EventInput("ada", "buy", BEGIN + timedelta(days=1), {"amount": 50}, "same")

    results = all_at_once([partial(emit, tenant=fresh(tenant), event=event, now=NOW)] * 16)

    assert all(result.rewards_granted == results[0].rewards_granted for result in results)
    assert sum(result.is_replay for result in results) == 15
    assert Counter(given["type"] for given in results[0].rewards_granted) == {
        "streak_milestone": 1, "badge": 2, "points": 5, "tier": 1
    }  # fmt: skip
    person = Participant.objects.get()
    assert person.balance == before + 50 + 2 * 11 + 5 + 3
    assert (person.badge_count, person.tier_code, Event.objects.count()) == (2, "silver", 3)


# --- one participant several times in one unit -------------------------------------------------------------------------


@pytest.mark.django_db
def test_definitions_react_to_every_change_of_a_participant_who_is_in_a_batch_three_times():
    tenant = TenantFactory()
    bonus = [{"type": "points", "amount": 5}]
    RuleFactory(tenant=tenant, code="bonus", event_types=[], changes=["streak.incremented"], grants=bonus)
    RuleFactory(
        tenant=tenant,
        code="first",
        event_types=[],
        changes=["points.awarded"],
        expression={"condition": {"field": "amount", "operator": "eq", "value": 10}},
        grants=bonus,
    )
    create_streak(tenant=tenant, data={"code": "daily", "name": "Daily", "event_types": ["x"]}, now=BEGIN)
    ticks = [Tick("ada", "daily", BEGIN + timedelta(days=number)) for number in range(3)]

    award_batch(tenant=fresh(tenant), changes=[Change("ada", 10)] * 3, refused={}, key=None, now=NOW)
    record_many(tenant=fresh(tenant), ticks=ticks, now=NOW)

    assert Participant.objects.get(tenant=tenant).balance == 3 * (10 + 5) + 3 * 5


@pytest.mark.django_db
def test_a_tier_from_a_rule_does_not_hide_the_tier_reached_by_points():
    tenant = TenantFactory()
    TierFactory(tenant=tenant, code="silver", level=2, criteria_config={"min_points": 100})
    TierFactory(tenant=tenant, code="vip", level=9, award_type="manual", criteria_config={})
    vip = [{"type": "tier", "code": "vip"}]
    RuleFactory(tenant=tenant, code="vip", event_types=[], changes=["tier.upgraded"], grants=vip)

    awarded = award(tenant=fresh(tenant), change=Change("ada", 100), now=NOW)

    assert awarded.tier_upgrade.code == "silver"
    assert Participant.objects.get(tenant=tenant).tier_code == "vip"
