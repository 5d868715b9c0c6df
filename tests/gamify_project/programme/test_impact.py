"""What a programme would have given in the last days, compared with the present one. Nothing is written."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command

from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit
from gamify.points.services import Change, award
from gamify_project.programme.impact import impact_of
from gamify_project.programme.items import programme_text
from tests.factories import ParticipantFactory
from tests.gamify_project.programme.worlds import EVERYTHING, imported, planned

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)
PROGRAMME = """\
version: 1
tiers:
  - {code: bronze, name: Bronze, level: 1, criteria_config: {min_points: 0}}
  - {code: silver, name: Silver, level: 2, criteria_config: {min_points: 100}}
badges:
  - {code: vip, name: VIP}
  - {code: buyer, name: Buyer, criteria: {metric: event_count, min: 3, event_name: purchase}}
rules:
  - code: per_purchase
    name: Per purchase
    when: {event_types: [purchase]}
    then: [{type: points, amount: 10}]
streaks:
  - code: daily
    name: Daily
    event_types: [purchase]
    window: {period: daily}
rewards:
  - {code: mug, name: Mug, type: physical}
"""


@pytest.fixture
def shop(tenant):
    """ada bought on each of the last five days, bob once. eve was awarded 80 points directly."""
    imported(tenant, PROGRAMME)
    tenant.refresh_from_db()
    for day in range(5, 0, -1):
        buy(tenant, "ada", days_ago=day)
    buy(tenant, "bob", days_ago=1)
    award(tenant=tenant, change=Change("eve", 80), now=NOW - timedelta(days=1))
    tenant.refresh_from_db()
    return tenant


def buy(tenant, who, *, days_ago):
    at = NOW - timedelta(days=days_ago)
    emit(tenant=tenant, event=EventInput(who, "purchase", at, {"amount": 20}), now=NOW)


def impact(tenant, *changes, days=30, extra="", **given):
    text = PROGRAMME
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return impact_of(planned(tenant, text + extra), days=days, now=NOW, **given).to_json()


def counts(report, kind):
    return {row["code"]: (row["gained"], row["lost"]) for row in report[kind]}


def test_the_same_programme_changes_nothing(shop):
    report = impact(shop)

    assert (report["participants_looked_at"], report["acts_looked_at"], report["participants_affected"]) == (3, 7, 0)
    assert report["points"] == {"before": 140, "after": 140, "difference": 0}
    assert report["most_affected"] == []


def test_a_rule_that_gives_more_moves_points_and_tiers(shop):
    report = impact(shop, ("amount: 10}", "amount: 25}"))

    assert report["points"] == {"before": 140, "after": 230, "difference": 90}
    assert report["tier_moves"] == [{"before": "bronze", "after": "silver", "participants": 1}]
    assert [(each["participant_id"], each["points"]) for each in report["most_affected"]] == [("ada", 75), ("bob", 15)]


def test_a_badge_with_other_criteria_is_gained_or_lost(shop):
    assert counts(impact(shop, ("min: 3", "min: 1")), "badges") == {"buyer": (1, 0)}
    assert counts(impact(shop, ("min: 3", "min: 6")), "badges") == {"buyer": (0, 1)}


def test_a_badge_from_before_the_period_is_neither_gained_nor_lost(shop):
    assert counts(impact(shop, ("min: 3", "min: 6"), days=1), "badges") == {}


def test_a_boost_multiplies_direct_awards_too(shop):
    report = impact(shop, extra="boosts:\n  - {code: double, name: Double, multiplier: 2}\n")

    assert report["points"]["difference"] == 140
    assert {each["participant_id"]: each["points"] for each in report["most_affected"]}["eve"] == 80


def test_a_new_reward_at_a_milestone_of_a_streak_is_gained(shop):
    report = impact(
        shop,
        ("window: {period: daily}", "window: {period: daily}\n    milestones: [{threshold: 4, reward_code: cup}]"),
        ("  - {code: mug,", "  - {code: cup, name: Cup, type: digital}\n  - {code: mug,"),
    )

    assert counts(report, "rewards") == {"cup": (1, 0)}
    assert report["most_affected"][0]["things"] == [{"type": "reward", "code": "cup", "change": 1}]


def test_a_new_challenge_is_completed_and_its_grants_count(shop):
    challenge = """\
challenges:
  - code: spender
    name: Spender
    objectives: [{code: buy, label: Buy, event_types: [purchase], condition: {type: sum, field: amount, min: 60}}]
    completion_grants: [{type: badge, code: vip}]
"""
    report = impact(shop, extra=challenge)

    assert counts(report, "challenges") == {"spender": (1, 0)}
    assert counts(report, "badges") == {"vip": (1, 0)}


def test_a_tier_threshold_moves_participants(shop):
    report = impact(shop, ("min_points: 100", "min_points: 40"))

    assert report["tier_moves"] == [{"before": "bronze", "after": "silver", "participants": 2}]


def test_points_from_before_the_period_count_towards_tiers(shop):
    award(tenant=shop, change=Change("kim", 50), now=NOW - timedelta(days=10))
    buy(shop, "kim", days_ago=1)
    report = impact(shop, ("amount: 10}", "amount: 60}"), days=1)

    assert {each["points"] for each in report["most_affected"]} == {50}
    assert report["most_affected"][0]["participant_id"] == "kim"
    assert report["tier_moves"] == [{"before": "bronze", "after": "silver", "participants": 1}]


def test_conditions_see_the_attributes_of_participants(shop):
    ParticipantFactory._meta.model.objects.filter(external_id="bob").update(attributes={"plan": "pro"})
    expression = (
        "when: {event_types: [purchase], expression: {condition: {field: participant.plan, operator: eq, value: pro}}}"
    )
    report = impact(shop, ("when: {event_types: [purchase]}", expression))

    assert report["points"]["difference"] == -50


def test_nothing_is_written_and_the_catalog_stays(shop, nothing_written):
    before = programme_text(shop)
    with nothing_written():
        impact_of(planned(shop, EVERYTHING, prunes=True), days=30, now=NOW)

    assert programme_text(shop) == before
    assert impact(shop)["participants_affected"] == 0


def test_more_events_than_allowed_are_cut(shop):
    report = impact(shop, max_events=3)

    assert report["is_cut"] is True
    assert report["acts_looked_at"] <= 4


def test_the_memory_of_a_batch_is_bounded(shop, monkeypatch):
    monkeypatch.setattr("gamify_project.programme.impact.past.ACTS_PER_BATCH", 1)
    monkeypatch.setattr("gamify_project.programme.impact.past.ACTS_PER_PARTICIPANT", 2)
    report = impact(shop, ("amount: 10}", "amount: 25}"))

    assert report["is_cut"] is True
    assert report["points"]["difference"] == 45


def test_the_command_prints_words_and_json(shop, tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text(PROGRAMME.replace("amount: 10}", "amount: 25}"))

    assert json.loads(run(file, "--json"))["points"]["difference"] == 90
    text = run(file, "--days", "30")
    assert "140 → 230 (+90)" in text
    assert "+75 points, bronze → silver" in text


def run(file, *arguments):
    out = io.StringIO()
    call_command("impact", str(file), "--tenant", "acme", *arguments, stdout=out)
    return out.getvalue()
