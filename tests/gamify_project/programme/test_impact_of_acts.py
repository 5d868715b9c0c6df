"""The replay does again what participants, applications and staff did, and the product decides about it again."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gamify.badges.models import BadgeAward
from gamify.badges.services import award as give_badge
from gamify.challenges.models import Enrolment
from gamify.challenges.services import enroll
from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit
from gamify.points.models import EntryType, LedgerEntry
from gamify.points.services import Change, adjust, award, deduct, reverse
from gamify.tiers.services import Assignment, assign
from gamify_project.programme.impact import impact_of
from participants.actors import ActorKind, acting_as, actor_of
from participants.errors import DomainError
from participants.models import Participant, Tenant
from rewards.models import Claim, Reward
from rewards.services import cancel, claim
from streaks.services import record
from tests.factories import TenantFactory
from tests.gamify_project.programme.worlds import imported, planned

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
PROGRAMME = """\
version: 1
tiers:
  - {code: bronze, name: Bronze, level: 1, criteria_config: {min_points: 0}}
  - {code: silver, name: Silver, level: 2, criteria_config: {min_points: 100, basis: balance}}
badges:
  - {code: spender, name: Spender}
  - {code: helper, name: Helper}
challenges:
  - code: quest
    name: Quest
    enrolment: manual
    objectives: [{code: buy, label: Buy, event_types: [purchase]}]
    completion_grants: [{type: points, amount: 5}]
rules:
  - code: per_purchase
    name: Per purchase
    when: {event_types: [purchase]}
    then: [{type: points, amount: 10}]
  - code: for_spending
    name: For spending
    when: {changes: [points.deducted]}
    then: [{type: badge, code: spender}]
  - code: for_helping
    name: For helping
    when: {changes: [badge.awarded], expression: {condition: {field: badge_code, operator: eq, value: helper}}}
    then: [{type: points, amount: 7}]
streaks:
  - code: daily
    name: Daily
    event_types: [login]
    window: {period: daily}
    milestones: [{threshold: 2, reward_code: cup}]
rewards:
  - {code: mug, name: Mug, type: physical, points_cost: 30, has_inventory: true, max_claims_per_user: 2}
  - {code: cup, name: Cup, type: digital}
  - {code: double, name: Double, type: points_multiplier, config: {multiplier: 2, duration_hours: 24}}
"""


@pytest.fixture
def shop(tenant):
    return opened(tenant)


def opened(tenant):
    imported(tenant, PROGRAMME)
    Reward.objects.of(tenant).filter(code="mug").update(total_inventory=2)
    return tenant


def ago(days):
    return NOW - timedelta(days=days)


def fresh(tenant):
    return Tenant.objects.get(pk=tenant.pk)


def do(tenant, act, who, *, at):
    """Let `who` do something at an instant. What the product refuses does not happen."""
    try:
        ACTS[act](fresh(tenant), who, at)
    except DomainError:
        return


def reward_id(tenant, code):
    return str(Reward.objects.of(tenant).get(code=code).pk)


def claim_of(code):
    return lambda tenant, who, at: claim(
        tenant=tenant, reward_id=reward_id(tenant, code), participant_id=who, deducts_points=True, now=at
    )


ACTS = {
    "buy": lambda tenant, who, at: emit(tenant=tenant, event=EventInput(who, "purchase", at, {}), now=at),
    "award": lambda tenant, who, at: award(tenant=tenant, change=Change(who, 40), now=at),
    "deduct": lambda tenant, who, at: deduct(tenant=tenant, change=Change(who, 25), now=at),
    "adjust": lambda tenant, who, at: adjust(tenant=tenant, participant_id=who, delta=-5, reason="x", now=at),
    "tick": lambda tenant, who, at: record(tenant=tenant, participant_id=who, streak_code="daily", at=at, now=at),
    "enrol": lambda tenant, who, at: enroll(tenant=tenant, participant_id=who, code="quest", now=at),
    "help": lambda tenant, who, at: give_badge(
        tenant=tenant, participant_id=who, badge_code="helper", metadata={}, now=at
    ),
    "promote": lambda tenant, who, at: assign(tenant=tenant, assignment=Assignment(who, "silver"), now=at),
    "mug": claim_of("mug"),
    "double": claim_of("double"),
}


def impact(tenant, *changes, days=30):
    text = PROGRAMME
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return impact_of(planned(tenant, text), days=days, now=NOW).to_json()


def counts(report, kind):
    return {row["code"]: (row["gained"], row["lost"]) for row in report[kind]}


def test_a_claim_is_lost_if_the_price_is_higher_than_what_is_left_after_a_deduction(shop):
    for act in ("award", "award", "deduct", "mug"):
        do(shop, act, "ada", at=ago(2))

    assert counts(impact(shop, ("points_cost: 30", "points_cost: 55")), "rewards") == {}
    assert counts(impact(shop, ("points_cost: 30", "points_cost: 56")), "rewards") == {"mug": (0, 1)}


def test_metadata_of_a_client_do_not_hide_an_award(shop):
    own = {"source": {"type": "campaign", "code": "spring"}}
    with acting_as(actor_of(ActorKind.API_KEY, "1", "shop")):
        award(tenant=fresh(shop), change=Change("ada", 30, metadata=own), now=ago(2))
        do(shop, "mug", "ada", at=ago(1))

    assert counts(impact(shop, ("points_cost: 30", "points_cost: 31")), "rewards") == {"mug": (0, 1)}


def test_a_rule_about_deductions_reacts_to_deductions_and_payments(shop):
    do(shop, "award", "ada", at=ago(3))
    do(shop, "deduct", "ada", at=ago(2))
    do(shop, "award", "bob", at=ago(3))
    do(shop, "mug", "bob", at=ago(2))

    assert counts(impact(shop, ("changes: [points.deducted]", "changes: [points.refunded]")), "badges") == {
        "spender": (0, 2)
    }


def test_a_multiplier_that_was_claimed_multiplies_the_awards_of_its_time(shop):
    do(shop, "double", "ada", at=ago(5))
    for days in (4.5, 2):
        do(shop, "award", "ada", at=ago(days))

    assert impact(shop)["points"]["before"] == 120
    assert impact(shop, ("multiplier: 2", "multiplier: 3"))["points"]["difference"] == 40


def test_a_multiplier_from_before_the_period_multiplies_until_it_ends(shop):
    do(shop, "double", "ada", at=ago(5))
    do(shop, "award", "ada", at=ago(4.5))

    report = impact_of(planned(shop, PROGRAMME), days=4, now=NOW - timedelta(hours=18)).to_json()
    assert report["points"]["before"] == 80


def test_claims_from_before_the_period_count_towards_the_limit(shop):
    for days in (9, 8, 1):
        do(shop, "award", "ada", at=ago(days))
    do(shop, "mug", "ada", at=ago(8))
    do(shop, "mug", "ada", at=ago(1))

    assert counts(impact(shop, ("max_claims_per_user: 2", "max_claims_per_user: 1"), days=3), "rewards") == {
        "mug": (0, 1)
    }


def test_pieces_go_to_those_who_came_first(shop):
    for who in ("zoe", "ada", "bob"):
        do(shop, "award", who, at=ago(4))
    do(shop, "mug", "zoe", at=ago(3))
    do(shop, "mug", "bob", at=ago(2))
    do(shop, "mug", "ada", at=ago(1))

    report = impact(shop, ("reward_code: cup", "reward_code: mug"), ("name: Mug", "name: Mugs"))
    assert report["participants_affected"] == 0
    Reward.objects.of(shop).filter(code="mug").update(points_cost=20)
    assert counts(impact(shop, ("points_cost: 30", "points_cost: 41")), "rewards") == {"mug": (0, 2)}


def test_direct_ticks_reach_milestones(shop):
    for days in (4, 3, 2):
        do(shop, "tick", "ada", at=ago(days))

    assert counts(impact(shop, ("threshold: 2", "threshold: 3")), "rewards") == {}
    assert counts(impact(shop, ("threshold: 2", "threshold: 4")), "rewards") == {"cup": (0, 1)}
    assert counts(impact(shop, ("threshold: 2", "threshold: 3"), days=2), "rewards") == {}


def test_enrolments_badges_and_tiers_by_request_are_repeated(shop):
    for days, act in ((4, "enrol"), (3, "buy"), (2, "help"), (1, "promote")):
        do(shop, act, "ada", at=ago(days))

    report = impact(shop, ("amount: 5}", "amount: 9}"), ("amount: 7}", "amount: 8}"))
    assert report["points"] == {"before": 22, "after": 27, "difference": 5}
    assert report["tier_moves"] == []


def test_a_challenge_that_was_completed_before_the_period_is_not_completed_again(shop):
    for act in ("enrol", "buy"):
        do(shop, act, "ada", at=ago(9))
    do(shop, "buy", "ada", at=ago(1))

    assert impact(shop, ("amount: 5}", "amount: 9}"), days=3)["points"] == {"before": 10, "after": 10, "difference": 0}


def test_what_was_taken_back_is_not_done_again(shop):
    awarded = award(tenant=fresh(shop), change=Change("ada", 40), now=ago(2))
    reverse(tenant=fresh(shop), transaction_id=str(awarded.transaction_id), reason=None, now=ago(1))
    do(shop, "award", "bob", at=ago(2))
    do(shop, "mug", "bob", at=ago(2))
    cancel(tenant=fresh(shop), claim_id=str(Claim.objects.get().pk), reason=None, now=ago(1))

    assert impact(shop)["points"]["before"] == 40
    assert counts(impact(shop, ("code: mug", "code: jug")), "rewards") == {}


doings = st.lists(
    st.tuples(st.sampled_from(sorted(ACTS)), st.sampled_from(["ada", "bob", "eve"]), st.integers(0, 30)), max_size=10
)


@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(doings=doings)
def test_the_present_programme_changes_nothing_and_gives_what_was_given(db, doings):
    tenant = opened(TenantFactory())
    at = ago(20)
    for act, who, hours in doings:
        at += timedelta(hours=hours, seconds=1)
        do(tenant, act, who, at=at)

    same = impact(fresh(tenant))
    assert same["participants_affected"] == 0
    assert (same["badges"], same["rewards"], same["challenges"], same["tier_moves"]) == ([], [], [], [])
    assert same["points"]["before"] == same["points"]["after"] == points_of(tenant)
    assert lost_without_anything(fresh(tenant)) == given_to(tenant)


def points_of(tenant):
    entries = LedgerEntry.objects.filter(tenant_id=tenant.pk, type=EntryType.AWARD)
    return sum(entries.values_list("delta", flat=True))


def lost_without_anything(tenant):
    report = impact_of(planned(tenant, "version: 1\n", prunes=True), days=30, now=NOW)
    return Counter({code: number for (_, code), number in report.lost.items()})


def given_to(tenant):
    people = Participant.objects.of(tenant).values("pk")
    badges = BadgeAward.objects.filter(participant_id__in=people).values_list("badge__code", flat=True)
    rewards = Claim.objects.filter(participant_id__in=people).values_list("reward__code", flat=True)
    completed = Enrolment.objects.filter(participant_id__in=people, completions=1).values_list(
        "challenge__code", flat=True
    )
    return Counter([*badges, *rewards, *completed])
