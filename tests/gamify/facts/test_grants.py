"""Points, badges, tiers and ticks of streaks as grants."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from gamify.badges.models import BadgeAward
from gamify.facts.engine.outcomes import Grant, Source
from gamify.facts.services import Consumer, Fact, grant_problem, process
from gamify.points.models import LedgerEntry
from gamify.tiers.models import TierChange
from participants.engine import MAX_BIGINT
from participants.models import DomainEvent, Participant
from participants.work import unit_of_work
from streaks.models import ParticipantStreak
from streaks.services import create_streak
from tests.factories import BadgeFactory, ParticipantFactory, TierFactory

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
EARLIER = datetime(2026, 2, 10, 10, tzinfo=UTC)
EVENT_ID = uuid4()
RULE = Source("rule", "welcome")
SOURCE = {"type": "rule", "code": "welcome"}

specs = []


def _grant_all(fact, work, *, now):
    return [Grant(spec["type"], spec, RULE, f"{fact.key}/{index}") for index, spec in enumerate(specs)]


LISTENER = Consumer(loads=lambda catalog, events: [], consume=_grant_all)


@pytest.fixture(autouse=True)
def one_rule(settings):
    specs.clear()
    settings.FACT_CONSUMERS = [f"{__name__}.LISTENER"]


def granted(tenant, *wanted, user="ada", **properties):
    """Return what one event of `user` leads to if a rule grants `wanted`: the reports, and the reasons of refusals."""
    specs[:] = wanted
    tenant.refresh_from_db()
    with unit_of_work(tenant, [user], now=NOW) as work:
        person = work.participant(user)
        work.touch(person)
        fact = Fact(participant=person, name="buy", at=EARLIER, key="e", event_id=EVENT_ID, properties=properties)
        processed = process(work, fact, now=NOW)
    reports = [given.to_json() for given in processed.granted]
    return reports, [each["reason"] for each in processed.trace["refused"]]


def emitted_types():
    return list(DomainEvent.objects.order_by("id").values_list("type", flat=True))


def test_points_are_credited_with_the_id_of_the_event(tenant):
    reports, refused = granted(tenant, {"type": "points", "field": "amount", "factor": 2}, amount=12.5)

    entry = LedgerEntry.objects.get()
    assert (reports, refused) == (
        [{"type": "points", "id": str(entry.pk), "name": "Points", "amount": 25, "source": SOURCE}],
        [],
    )
    assert (entry.delta, entry.event_id, entry.reason, entry.metadata) == (
        25,
        EVENT_ID,
        "rule welcome",
        {"source": SOURCE},
    )
    assert emitted_types() == ["participant.created", "points.awarded"]


def test_the_trace_shows_that_points_were_capped(tenant):
    specs[:] = [{"type": "points", "field": "amount", "max": 500}]
    with unit_of_work(tenant, ["ada"], now=NOW) as work:
        person = work.participant("ada")
        fact = Fact(participant=person, name="buy", at=EARLIER, key="e", properties={"amount": 1200})
        processed = process(work, fact, now=NOW)

    assert [given.amount for given in processed.granted] == [500]
    assert processed.trace["facts"][0]["heard"] == [
        {**SOURCE, "version": 1, "result": "capped", "note": "1,200 points, limited to the maximum of 500"}
    ]


def test_points_may_lead_to_a_tier_which_is_reported_too(tenant):
    TierFactory(tenant=tenant, code="silver", name="Silver", level=2, criteria_config={"min_points": 100})

    reports, _ = granted(tenant, {"type": "points", "amount": 60}, {"type": "points", "amount": 60})

    assert [(given["type"], given.get("code"), given["source"]) for given in reports] == [
        ("points", None, SOURCE),
        ("points", None, SOURCE),
        ("tier", "silver", {"type": "tier", "code": "silver"}),
    ]
    assert TierChange.objects.get().code == "silver"


def test_an_event_without_the_amount_gives_no_points_and_the_trace_says_why(tenant):
    assert granted(tenant, {"type": "points", "field": "amount"}) == (
        [],
        ["amount: the value of this field gives less than 1 point"],
    )
    assert not LedgerEntry.objects.exists()


def test_a_full_account_does_not_affect_the_other_grants(tenant):
    ParticipantFactory(tenant=tenant, external_id="ada", points=MAX_BIGINT)
    BadgeFactory(tenant=tenant, code="early")

    reports, refused = granted(tenant, {"type": "points", "amount": 1}, {"type": "badge", "code": "early"})

    assert [given["type"] for given in reports] == ["badge"]
    assert refused == [f"Points ever earned would exceed {MAX_BIGINT}"]


def test_a_badge_is_given_once(tenant):
    BadgeFactory(tenant=tenant, code="early", name="Early Bird")
    badge = {"type": "badge", "code": "early"}

    first, again = granted(tenant, badge, badge), granted(tenant, badge)

    assert first == (
        [{"type": "badge", "code": "early", "name": "Early Bird", "source": SOURCE}],
        ["They have badge early already"],
    )
    assert again == ([], ["They have badge early already"])
    assert BadgeAward.objects.get().metadata == {"source": SOURCE}


def test_a_granted_tier_never_lowers_the_tier(tenant):
    for level, code in enumerate(("bronze", "silver", "gold"), 1):
        TierFactory(tenant=tenant, code=code, name=code.title(), level=level, criteria_config={"min_points": 10**level})
    reports, refused = granted(tenant, *({"type": "tier", "code": code} for code in ("silver", "bronze", "gold")))

    assert [given["code"] for given in reports] == ["silver", "gold"]
    assert refused == ["The participant already has tier silver, whose level is as high or higher"]
    person = Participant.objects.get()
    assert (person.tier_code, person.tier_is_manual) == ("gold", True)
    assert emitted_types() == ["participant.created", "tier.assigned", "tier.assigned"]


def test_a_streak_is_ticked_when_the_event_happened(tenant):
    create_streak(tenant=tenant, data={"code": "daily", "name": "Daily", "event_types": ["login"]}, now=EARLIER)

    reports, refused = granted(
        tenant, {"type": "streak_tick", "code": "daily"}, {"type": "streak_tick", "code": "gone"}
    )

    assert (reports, refused) == ([], ["Streak 'gone' not found"])
    assert ParticipantStreak.objects.get().last_activity_at == EARLIER


def test_a_deactivated_definition_is_not_given(tenant):
    BadgeFactory(tenant=tenant, code="early", is_active=False)
    TierFactory(tenant=tenant, code="gold", is_active=False)

    reports, refused = granted(tenant, {"type": "badge", "code": "early"}, {"type": "tier", "code": "gold"})

    assert (reports, refused) == ([], ["Badge definition not found: early", "Tier definition not found: gold"])


@pytest.mark.parametrize("kind", ["badge", "tier", "streak_tick"])
def test_a_grant_must_name_an_active_definition_of_the_tenant(tenant, other_tenant, kind):
    for owner, code, is_active in ((tenant, "own", True), (tenant, "retired", False), (other_tenant, "foreign", True)):
        BadgeFactory(tenant=owner, code=code, is_active=is_active)
        TierFactory(tenant=owner, code=code, is_active=is_active)
        data = {"code": code, "name": code, "event_types": ["login"], "is_active": is_active}
        create_streak(tenant=owner, data=data, now=EARLIER)

    problems = {
        code: grant_problem(tenant, {"type": kind, "code": code}) for code in ("own", "retired", "foreign", 7, None)
    }

    assert problems.pop("own") is None
    assert {problem.field for problem in problems.values()} == {"code"}
    assert grant_problem(tenant, {"type": kind}).field == "code"


def test_only_streaks_that_count_ticks_can_be_ticked(tenant):
    condition = {"type": "sum", "field": "amount", "min": 5}
    data = {"code": "spend", "name": "Spend", "event_types": ["buy"], "condition": condition}
    create_streak(tenant=tenant, data=data, now=EARLIER)

    problem = grant_problem(tenant, {"type": "streak_tick", "code": "spend"})

    assert problem.message == "must be a streak that counts ticks"
