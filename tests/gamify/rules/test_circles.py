"""Rules that trigger themselves without end are refused wherever rules are written, and other circles are not."""

import pytest
from django.utils import timezone

from gamify.rules.models import Rule
from gamify.rules.services import update_rule
from gamify_project.programme.faults import InvalidProgramme
from gamify_project.programme.items import programme_text
from participants.errors import InvalidFields
from rewards.services import create_reward
from streaks.services import create_streak
from tests.client import refused_fields
from tests.console import Console, text_of
from tests.factories import BadgeFactory, RuleFactory, TierFactory
from tests.gamify_project.programme.worlds import faults_of, imported

RULES, LIST, CHANGE = "/admin/rules", "rules_rule_changelist", "rules_rule_change"
LARGE = {"condition": {"field": "amount", "operator": "gte", "value": 500}}
POINTS, VIP = [{"type": "points", "amount": 10}], [{"type": "badge", "code": "vip"}]


def body(code, *, changes, then=POINTS, **fields):
    return {"code": code, "name": code, "when": {"changes": changes}, "then": then, **fields}


@pytest.fixture(autouse=True)
def definitions(tenant):
    BadgeFactory(tenant=tenant, code="vip")
    TierFactory(tenant=tenant, code="gold", level=3)
    daily = {"code": "daily", "name": "Daily", "event_types": ["visit"], "period": "daily"}
    create_streak(tenant=tenant, data=daily, now=timezone.now())


def test_a_rule_whose_points_trigger_it_is_refused(admin_api, nothing_written):
    with nothing_written():
        answer = admin_api.post(RULES, body("loop", changes=["points.awarded"]))

    assert refused_fields(answer) == ["then"]
    assert "Triggers this rule again without end (loop → loop). Set a limit" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        (["tier.upgraded"], {}),
        (["badge.awarded"], {"then": [*POINTS, *VIP]}),
        (["tier.assigned"], {"then": [{"type": "tier", "code": "gold"}]}),
        (["streak.incremented"], {"then": [{"type": "streak_tick", "code": "daily"}]}),
        (["points.awarded"], {"limits": {"per_day": 1}}),
        (["points.awarded"], {"when": {"changes": ["points.awarded"], "expression": LARGE}}),
        (["points.awarded"], {"is_active": False}),
    ],
)
def test_a_circle_that_ends_is_allowed(admin_api, changes, fields):
    assert admin_api.post(RULES, body("bonus", changes=changes, **fields)).status_code == 201


def test_a_reward_for_a_claim_is_allowed(tenant, admin_api):
    reward = create_reward(tenant=tenant, data={"name": "Mug", "reward_type": "physical"}, now=timezone.now())
    then = [{"type": "reward", "id": str(reward.pk)}]

    assert admin_api.post(RULES, body("more", changes=["reward.claimed"], then=then)).status_code == 201


def test_a_change_that_closes_a_circle_is_refused_and_other_changes_are_not(tenant, admin_api, nothing_written):
    rule = RuleFactory(tenant=tenant, code="a", changes=["points.awarded"], grants=VIP)

    with nothing_written():
        refused = admin_api.patch(f"{RULES}/{rule.pk}", {"then": POINTS})
    assert refused_fields(refused) == ["then"]

    Rule.objects.update(grants=POINTS)  # as an earlier release allowed
    assert admin_api.patch(f"{RULES}/{rule.pk}", {"name": "Renamed"}).status_code == 200
    assert admin_api.patch(f"{RULES}/{rule.pk}", {"limits": {"ever": 1}}).status_code == 200


def test_a_change_is_checked_against_the_stored_rule_and_not_against_an_earlier_copy(tenant):
    RuleFactory(tenant=tenant, code="a", event_types=["buy"], grants=VIP)
    mine, theirs = Rule.objects.get(), Rule.objects.get()
    update_rule(theirs, tenant=tenant, changes={"grants": POINTS}, now=timezone.now())

    with pytest.raises(InvalidFields):
        update_rule(mine, tenant=tenant, changes={"changes": ["points.awarded"]}, now=timezone.now())


def test_activating_a_rule_that_closes_a_circle_is_refused(tenant, admin_api, nothing_written):
    rule = RuleFactory(tenant=tenant, code="a", changes=["points.awarded"], is_active=False)
    console = Console(tenant)
    with nothing_written():
        refused = admin_api.patch(f"{RULES}/{rule.pk}", {"is_active": True})
    console.post(LIST, action="activate", confirmed="yes", _selected_action=[str(rule.pk)])

    assert refused_fields(refused) == ["then"]
    assert "Triggers this rule again without end" in text_of(console.get(LIST))
    assert not Rule.objects.get().is_active


def test_the_form_refuses_a_circle_at_what_the_rule_gives(tenant):
    rule = RuleFactory(tenant=tenant, code="a", changes=["tier.upgraded"])
    answer = Console(tenant).edit(CHANGE, rule.pk, changes=["points.awarded"])

    assert "Triggers this rule again without end (a → a)" in text_of(answer)
    assert Rule.objects.get().changes == ["tier.upgraded"]


TWO = """\
version: 1
rules:
  - code: a
    name: A
    when: {changes: [points.awarded]}
    then:
      - {type: points, amount: 1}
  - code: b
    name: B
    when: {changes: [tier.upgraded]}
    then: [{type: points, amount: 1}]
"""


def test_a_file_is_refused_at_each_rule_that_closes_a_circle(tenant, nothing_written):
    text = TWO.replace("tier.upgraded", "points.awarded")
    with nothing_written(), pytest.raises(InvalidProgramme) as error:
        imported(tenant, text)

    assert [(line, path) for line, path, _ in faults_of(error)] == [(6, "rules.0.then"), (11, "rules.1.then")]


def test_a_file_that_changes_nothing_about_a_circle_is_accepted(tenant):
    RuleFactory(tenant=tenant, code="old", changes=["points.awarded"])
    imported(tenant, programme_text(tenant))
    with pytest.raises(InvalidProgramme):
        imported(tenant, TWO)
