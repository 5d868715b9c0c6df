"""The figures that domains register beside those of points: what they count, for the right tenant, on the right day."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from gamify.badges.services import award as award_badge
from gamify.challenges.models import Enrolment
from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit
from gamify.points.services import Change, award
from gamify.webhooks.models import Delivery, DeliveryStatus, Endpoint
from participants.figures import figure_sources, figures, today_of
from participants.models import Tenant
from participants.services.participants import delete
from rewards.services import claim, create_reward
from streaks.models import ParticipantStreak
from streaks.services import Tick, create_streak, pause, record_many
from tests.factories import (
    BadgeFactory,
    ChallengeFactory,
    RuleFactory,
    TenantFactory,
    TierFactory,
)
from tests.figures import compute, domain_event, figure, parts

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def fresh(tenant: Tenant) -> Tenant:
    return Tenant.objects.get(pk=tenant.pk)


def found(tenant: Tenant, *names: str) -> dict[str, Any]:
    """The parts of today's numbers, or the whole number where there are none."""
    now = timezone.now()
    today = today_of(tenant, now)
    compute(tenant, today, now)
    return {name: parts(tenant, name, today) or figure(tenant, name).get(today.isoformat(), 0) for name in names}


def test_the_exact_figures():
    assert set(figure_sources) == {
        "activity", "new people", "people", "events", "points", "tiers", "tier spread", "badges", "challenges",
        "enrolments", "rules", "webhooks", "runs", "streaks", "lengths", "rewards", "waiting claims",
    }  # fmt: skip
    assert len(figures()) == 32


def test_events_are_counted_by_name():
    tenant = TenantFactory()
    for name in ("login", "login", "purchase"):
        emit(tenant=fresh(tenant), event=EventInput("ada", name, timezone.now()), now=timezone.now())
    emit(tenant=TenantFactory(), event=EventInput("ada", "login", timezone.now()), now=timezone.now())

    assert found(tenant, "events.reported") == {"events.reported": {"login": 2, "purchase": 1}}


def test_rules_and_challenges_and_badges_and_tiers_are_counted_by_code():
    tenant = TenantFactory()
    TierFactory(tenant=tenant, code="bronze", level=1, criteria_config={"min_points": 0})
    TierFactory(tenant=tenant, code="silver", level=2, criteria_config={"min_points": 15})
    RuleFactory(tenant=tenant, code="buy")
    ChallengeFactory(tenant=tenant, code="tour")
    ChallengeFactory(tenant=tenant, code="trip", objectives=[{**ChallengeFactory.build().objectives[0], "condition": {"type": "count", "min": 2}}])  # fmt: skip
    BadgeFactory(tenant=tenant, code="gem")
    for name in ("purchase", "purchase", "login"):
        emit(tenant=fresh(tenant), event=EventInput("ada", name, timezone.now()), now=timezone.now())
    award_badge(tenant=fresh(tenant), participant_id="ada", badge_code="gem", metadata={}, now=timezone.now())

    assert found(tenant, "rules.given", "challenges.completed", "challenges.under_way", "badges.awarded", "tiers.reached", "tiers.spread") == {
        "rules.given": {"buy": 4},
        "challenges.completed": {"tour": 1},
        "challenges.under_way": {"trip": 1},
        "badges.awarded": {"gem": 1},
        "tiers.reached": {"bronze": 1, "silver": 1},
        "tiers.spread": {"silver": 1},
    }  # fmt: skip
    assert Enrolment.objects.count() == 2


def test_streaks_alive_and_at_risk_are_runs_and_lengths_are_counted():
    tenant, now = TenantFactory(), timezone.now()
    for code in ("daily", "other"):
        create_streak(tenant=fresh(tenant), data={"code": code, "name": code, "event_types": ["x"]}, now=now - 9 * DAY)
    ticks = [
        Tick("ada", "daily", now - DAY),
        Tick("ada", "daily", now),
        Tick("ada", "other", now),
        Tick("bob", "daily", now),
    ]
    record_many(tenant=fresh(tenant), ticks=ticks, now=now)
    ParticipantStreak.objects.filter(tenant=tenant, streak__code="other").update(at_risk_at=now - timedelta(seconds=1))

    assert found(tenant, "streaks.alive", "streaks.at_risk", "streaks.grown", "streaks.reached") == {
        "streaks.alive": {"daily": 2, "other": 1},
        "streaks.at_risk": {"other": 1},
        "streaks.grown": {"daily": 3, "other": 1},
        "streaks.reached": {"1": 3, "2": 1},
    }


def test_a_run_whose_break_nobody_announced_yet_is_not_alive_and_one_of_a_paused_streak_is():
    tenant, now = TenantFactory(), timezone.now()
    for code in ("daily", "paused"):
        create_streak(tenant=fresh(tenant), data={"code": code, "name": code, "event_types": ["x"]}, now=now - 9 * DAY)
    record_many(tenant=fresh(tenant), ticks=[Tick("ada", "daily", now), Tick("ada", "paused", now)], now=now)
    streak = ParticipantStreak.objects.get(streak__code="paused").streak
    pause(streak, tenant=fresh(tenant), now=now)
    ParticipantStreak.objects.filter(tenant=tenant).update(breaks_at=now + timedelta(seconds=0.5))

    compute(tenant, now.date(), now + timedelta(seconds=1))

    assert parts(tenant, "streaks.alive", now.date()) == {"paused": 1}


def test_breaks_are_counted_by_streak_and_by_length():
    tenant, now = TenantFactory(), timezone.now()
    for length in (3, 3, 10):
        domain_event(tenant, "streak.broken", now, data={"streak_code": "daily", "final_count": length})

    assert found(tenant, "streaks.broken", "streaks.ended") == {
        "streaks.broken": {"daily": 3},
        "streaks.ended": {"3": 2, "10": 1},
    }


def test_rewards_are_counted_by_code_and_those_that_wait_are_no_rewards_given():
    tenant, now = TenantFactory(), timezone.now()
    about = {"name": "Mug", "code": "mug", "reward_type": "physical", "points_cost": 10}
    mug = create_reward(tenant=fresh(tenant), data=about, now=now)
    award(tenant=fresh(tenant), change=Change("ada", 50), now=now)
    claim(tenant=fresh(tenant), reward_id=str(mug.pk), participant_id="ada", deducts_points=True, now=now)

    assert found(tenant, "rewards.given", "rewards.waiting", "points.spent") == {
        "rewards.given": {"mug": 1},
        "rewards.waiting": 0,
        "points.spent": 10,
    }


def test_deliveries_are_counted_by_their_end():
    tenant, other, now = TenantFactory(), TenantFactory(), timezone.now()
    for owner in (tenant, other):
        endpoint = Endpoint.objects.create(
            tenant=owner, url="https://example.com", event_types=["*"], created_at=now, updated_at=now
        )
        for status in (DeliveryStatus.SUCCEEDED, DeliveryStatus.SUCCEEDED, DeliveryStatus.FAILED):
            event = domain_event(owner, "webhook.test", now)
            Delivery.objects.create(
                tenant=owner, endpoint=endpoint, event=event, type=event.type, status=status, created_at=now
            )

    assert found(tenant, "webhooks.delivered", "webhooks.failed") == {"webhooks.delivered": 2, "webhooks.failed": 1}


def test_figures_name_nobody_and_an_erasure_leaves_them():
    tenant = TenantFactory()
    emit(tenant=fresh(tenant), event=EventInput("ada", "login", timezone.now()), now=timezone.now())
    before = found(tenant, "events.reported")

    delete(tenant=fresh(tenant), external_id="ada", now=timezone.now())

    today = today_of(tenant, timezone.now())
    assert {"events.reported": parts(tenant, "events.reported", today)} == before
