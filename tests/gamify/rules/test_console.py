"""Rules in the console; what all definitions have in common is in tests/streaks/test_console.py."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from gamify.rules.models import Rule
from participants.models import Participant
from tests.console import Console, errors_of, fields_of, sent_by, staff, text_of, trail
from tests.factories import BadgeFactory, EventFactory, ParticipantFactory, RuleFactory

LIST, ADD, CHANGE, TRY = "rules_rule_changelist", "rules_rule_add", "rules_rule_change", "rules_rule_try"
NO_GRANT = dict.fromkeys(
    (f"grants-{name}" for name in ("amount", "field", "factor", "rounding", "max", "named", "kept")), ""
)
SETTINGS = {
    "name": "Big spender",
    "event_types": "purchase, refund",
    "conditions-shown": "{}",
    "grants-shown": "[]",
    **NO_GRANT,
    "grants-kind": "points",
    "grants-amount": "10",
    "priority": "0",
    "is_active": "on",
    "cooldown_seconds": "",
    "cooldown_seconds-unit": "minutes",
}
BIG = {"condition": {"field": "amount", "operator": "gte", "value": 100}}
PRO = {"condition": {"field": "participant.plan", "operator": "eq", "value": "pro"}}


def new(tenant, **fields) -> dict:
    return {**SETTINGS, "code": "big_spender", "opened_for": str(tenant.pk), **fields}


def condition(*rows):
    columns = ("field", "operator", "kind", "value")
    return {f"conditions-{column}": [row[index] for row in rows] for index, column in enumerate(columns)}


def test_a_rule_is_defined_with_all_its_settings(tenant, admin_api):
    BadgeFactory(tenant=tenant, code="vip")
    fields = {
        "changes": ["tier.upgraded", "badge.awarded"],
        **condition(("amount", "gte", "number", "100"), ("participant.plan", "eq", "text", "pro")),
        "grants-kind": ["points_by", "badge"],
        "grants-amount": ["", ""],
        "grants-field": ["amount", ""],
        "grants-factor": ["1.5", ""],
        "grants-rounding": ["ceil", ""],
        "grants-max": ["500", ""],
        "grants-named": ["", "vip"],
        "grants-kept": ["", ""],
        "starts_at_0": "2026-02-01",
        "starts_at_1": "10:00:00",
        "ends_at_0": "2036-02-01",
        "ends_at_1": "00:00",
        "priority": "7",
        "per_day": "3",
        "ever": "10",
        "cooldown_seconds": "10",
    }

    answer = Console(tenant).post(ADD, **new(tenant, **fields))

    rule = Rule.objects.of(tenant).get()
    assert answer.url == "/console/rules/rule/"
    shown = admin_api.get(f"/admin/rules/{rule.pk}").json()
    wanted = {
        "code": "big_spender",
        "priority": 7,
        "is_active": True,
        "starts_at": "2026-02-01T10:00:00Z",
        "ends_at": "2036-02-01T00:00:00Z",
        "when": {
            "event_types": ["purchase", "refund"],
            "changes": ["badge.awarded", "tier.upgraded"],
            "expression": {"and": [BIG, PRO]},
        },
        "then": [
            {"type": "points", "field": "amount", "factor": 1.5, "rounding": "ceil", "max": 500},
            {"type": "badge", "code": "vip"},
        ],
        "limits": {"per_day": 3, "per_week": None, "ever": 10, "cooldown_seconds": 600},
    }
    assert {name: shown[name] for name in wanted} | {
        "when": {**shown["when"], "changes": sorted(shown["when"]["changes"])}
    } == wanted
    assert trail() == [("Big spender", 1, "Added.")]


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"code": "taken"}, "code", "Rule with code 'taken' already exists"),
        ({"event_types": ""}, "event_types", "Name at least one event type or change."),
        ({"event_types": "a," + "x" * 101}, "event_types", "No. 2: must not be longer than 100 characters."),
        (
            {"changes": ["tier.melted"]},
            "changes",
            "Select a valid choice. tier.melted is not one of the available choices.",
        ),
        ({"grants-amount": "0"}, "grants", "No. 1: the number of points must be a whole number from 1 to 1000000."),
        ({"grants-amount": "ten"}, "grants", "No. 1: the number of points must be a whole number from 1 to 1000000."),
        ({"grants-amount": ""}, "grants", "Is required."),
        (
            {"grants-kind": "badge", "grants-named": "gone", "grants-amount": ""},
            "grants",
            "No. 1: the code must be the code of an active badge.",
        ),
        (
            {"grants-kind": "points_by", "grants-field": "a..b", "grants-amount": ""},
            "grants",
            "No. 1: the property must not have an empty name between dots.",
        ),
        (condition(("a" * 201, "eq", "text", "x")), "conditions", "Must not be longer than 200 characters."),
        (condition(("", "eq", "text", "x")), "conditions", "The value “x” needs a property."),
        ({"per_day": "-1"}, "per_day", "Must not be negative."),
        ({"ever": "1000001"}, "ever", "Must not be more than 1000000."),
        ({"cooldown_seconds": "soon"}, "cooldown_seconds", "Enter a whole number."),
        ({"priority": "9999999999"}, "priority", "Ensure this value is less than or equal to 2147483647."),
        (
            {"starts_at_0": "2026-02-02", "starts_at_1": "00:00", "ends_at_0": "2026-02-02", "ends_at_1": "00:00"},
            "ends_at",
            "Must be later than the start.",
        ),
        ({"starts_at_0": "tomorrow", "starts_at_1": ""}, "starts_at", "Must be a date, such as 2026-02-14."),
    ],
)
def test_the_form_refuses_what_the_api_refuses_on_the_field(tenant, nothing_written, fields, field, message):
    RuleFactory(tenant=tenant, code="taken")
    BadgeFactory(tenant=tenant, code="gone", is_active=False)
    console = Console(tenant)

    with nothing_written():
        answer = console.post(ADD, **new(tenant, **fields))

    assert errors_of(answer)[field][0] == message
    assert trail() == []


FULL = {
    "expression": {"and": [BIG, PRO]},
    "changes": ["badge.awarded"],
    "limits": {"per_day": 3, "cooldown_seconds": 90},
    "starts_at": datetime(2026, 2, 1, 10, 30, 15, 999, UTC),
    "grants": [{"type": "points", "field": "n", "rounding": "floor"}, {"type": "points", "amount": 1, "x": 1}],
    "priority": 3,
}


@pytest.mark.parametrize("expression", [FULL["expression"], {"or": [BIG, PRO]}, {"not": BIG}, BIG, None])
def test_saving_unchanged_writes_nothing(tenant, nothing_written, expression):
    rule = RuleFactory(tenant=tenant, **{**FULL, "expression": expression})
    console = Console(tenant)

    with nothing_written():
        assert console.edit(CHANGE, rule.pk).status_code == 302


def test_an_edit_keeps_conditions_that_rows_cannot_express(tenant):
    rule = RuleFactory(tenant=tenant, name="Buy", **{**FULL, "expression": {"or": [BIG, PRO]}})

    Console(tenant).edit(CHANGE, rule.pk, event_types="*", per_week="5")

    changed = Rule.objects.get()
    assert (changed.event_types, changed.changes) == (["*"], ["badge.awarded"])
    assert changed.expression == {"or": [BIG, PRO]}
    assert changed.limits == {"per_day": 3, "per_week": 5, "cooldown_seconds": 90}
    assert (changed.grants, changed.starts_at) == (FULL["grants"], FULL["starts_at"])
    assert trail() == [("Buy", 2, "Changed Events and In a week.")]


def test_two_edits_of_one_rule_do_not_revert_each_other(tenant):
    rule = RuleFactory(tenant=tenant, expression=BIG, limits={"per_day": 3})
    console = Console(tenant)
    opened = sent_by(console.get(CHANGE, rule.pk))
    Rule.objects.update(expression={"not": PRO}, changes=["badge.awarded"], limits={"per_day": 3, "ever": 5})

    console.post(CHANGE, rule.pk, **opened | {"event_types": "login", "per_day": "4"})

    changed = Rule.objects.get()
    assert (changed.event_types, changed.changes) == (["login"], ["badge.awarded"])
    assert (changed.expression, changed.limits) == ({"not": PRO}, {"per_day": 4, "ever": 5})


def test_conditions_that_rows_cannot_express_are_shown_in_words_and_can_be_removed(tenant):
    rule = RuleFactory(tenant=tenant, expression={"or": [BIG, PRO]})
    console = Console(tenant)

    assert "amount is at least 100 or participant.plan is “pro”" in text_of(console.get(CHANGE, rule.pk))
    console.edit(CHANGE, rule.pk, drop_expression="on")

    assert Rule.objects.get().expression is None


def test_conditions_can_be_taken_away_in_their_rows(tenant):
    rule = RuleFactory(tenant=tenant, expression=BIG)

    Console(tenant).edit(CHANGE, rule.pk, **dict.fromkeys(condition(), ()))

    assert Rule.objects.get().expression is None


def test_an_edit_is_validated_together_with_stored_values(tenant, nothing_written):
    rule = RuleFactory(tenant=tenant, starts_at=datetime(2026, 2, 1, tzinfo=UTC))
    console = Console(tenant)

    with nothing_written():
        answer = console.edit(CHANGE, rule.pk, ends_at_0="2026-01-01", ends_at_1="00:00:00")

    assert errors_of(answer) == {"ends_at": ["Must be later than the start."]}


def test_the_list_shows_what_rules_do_and_their_findings_in_one_query(tenant, queries):
    limits = {"per_day": 3, "ever": 1000, "cooldown_seconds": 600}
    RuleFactory(tenant=tenant, code="good", changes=["streak.broken"], limits=limits)
    RuleFactory(tenant=tenant, code="over", ends_at=timezone.now() - timedelta(days=1))
    RuleFactory(tenant=tenant, code="any", event_types=["*"], grants=[{"type": "badge", "code": "vip"}] * 2)
    RuleFactory(tenant=tenant, code="never", limits={"ever": 0}, ends_at=timezone.now() - timedelta(days=1))
    RuleFactory(tenant=tenant, code="off", limits={"ever": 0}, is_active=False)
    console = Console(tenant)

    with queries(6):  # session, user, second factor, picked tenant, the rules; those that are active
        shown = text_of(console.get(LIST))

    for words in (
        "purchase, streak.broken",
        "3 a day, 1,000 ever, once in 10 minutes",
        "any event",
        "badge vip; badge vip",
    ):
        assert words in shown
    table = shown[shown.index('id="changelist"') :]  # without the menu, which has an icon called “warning”
    assert re.findall(r"^\s*(error|warning|note)\s*$", table, re.MULTILINE) == ["error", "warning"]


def test_a_rules_page_lists_all_findings(tenant):
    rule = RuleFactory(tenant=tenant, grants=[{"type": "badge", "code": "<gone>"}], limits={"ever": 0}, is_active=False)
    good = RuleFactory(tenant=tenant)
    console = Console(tenant)

    shown = text_of(console.get(CHANGE, rule.pk))

    assert "must be the code of an active badge" in shown
    assert "is 0: it never fires" in shown
    assert "Findings" not in text_of(console.get(CHANGE, good.pk))


def test_rules_are_switched_off_and_on(tenant):
    rule = RuleFactory(tenant=tenant)
    console = Console(tenant)

    for action in ("deactivate", "activate"):
        console.post(LIST, action=action, confirmed="yes", _selected_action=[str(rule.pk)])

    assert [message for _, _, message in trail()] == ["Deactivated.", "Activated."]


def test_rules_of_other_tenants_are_out_of_reach(tenant, other_tenant):
    theirs = RuleFactory(tenant=other_tenant, code="theirs")
    console = Console(tenant)

    assert console.get(CHANGE, theirs.pk).status_code == 302
    assert "theirs" not in text_of(console.get(LIST))


def test_rules_need_a_permission_of_their_own(tenant):
    clerk = Console(tenant, user=staff("badges.view_badge"))

    assert [clerk.get(page).status_code for page in (LIST, ADD, TRY)] == [403] * 3


# --- an event that is tried -------------------------------------------------------------------------------------------


def tried(console, **fields):
    return console.post(TRY, **{"event_name": "purchase", "properties-shown": "{}", **fields})


def property_rows(*rows):
    return {
        f"properties-{column}": [row[index] for row in rows] for index, column in enumerate(("key", "kind", "value"))
    }


def test_the_try_page_explains_an_event_and_writes_nothing(tenant, nothing_written):
    ParticipantFactory(tenant=tenant, external_id="ada", attributes={"plan": "pro"})
    RuleFactory(tenant=tenant, code="big", expression={"and": [BIG, PRO]}, limits={"ever": 1})
    console = Console(tenant)

    with nothing_written():
        answers = [
            text_of(tried(console, participant_id=who, **property_rows(("amount", "number", "120"))))
            for who in ("ada", "")
        ]

    assert "10 points" in answers[0]
    assert "✓ participant.plan is “pro”" in answers[0]
    assert "10 points" not in answers[1]
    assert "✗ participant.plan is “pro”" in answers[1]


def test_the_try_page_says_that_no_definition_listens(tenant):
    assert "None of your definitions listens to it." in text_of(tried(Console(tenant)))


def test_a_time_may_be_given(tenant):
    RuleFactory(tenant=tenant, ends_at=datetime(2026, 2, 14, tzinfo=UTC))
    console = Console(tenant)

    assert "10 points" in text_of(tried(console, timestamp_0="2026-02-13", timestamp_1="23:59:59"))
    assert "10 points" not in text_of(tried(console, timestamp_0="2026-02-14", timestamp_1="00:00:00"))


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"event_name": ""}, {"event_name": ["This field is required."]}),
        ({"event_name": "x" * 101}, {"event_name": ["Must be 1 to 100 characters long."]}),
        ({"participant_id": "x" * 256}, {"participant_id": [...]}),
        ({"timestamp_0": "2199-01-01", "timestamp_1": "00:00"}, {"timestamp": [...]}),
        (property_rows(("amount", "number", "many")), {"properties": ["“amount”: “many” is not a number."]}),
    ],
)
def test_errors_of_an_event_are_shown_on_the_field(tenant, nothing_written, fields, errors):
    console = Console(tenant)

    with nothing_written():
        answer = tried(console, **fields)

    found = errors_of(answer)
    assert set(found) == set(errors)
    assert [... in errors[field] or found[field] == errors[field] for field in errors] == [True]


def test_a_rules_page_links_to_its_event(tenant):
    console = Console(tenant)
    rule = RuleFactory(tenant=tenant, event_types=["sign up", "x"])

    assert "/console/rules/rule/try/?event=sign+up" in text_of(console.get(CHANGE, rule.pk))
    assert 'value="sign up"' in text_of(console.get(TRY, event="sign up"))


def test_the_sidebar_marks_only_the_current_page(tenant):
    console, rule = Console(tenant), RuleFactory(tenant=tenant)

    marked = [
        [item["title"] for group in answer.context["sidebar_navigation"] for item in group["items"] if item["active"]]
        for answer in (console.get(TRY), console.get(LIST), console.get(CHANGE, rule.pk))
    ]

    assert marked == [["Try an event"], ["Rules"], ["Rules"]]


def test_events_are_tried_on_the_rules_of_the_picked_tenant_only(tenant, other_tenant):
    RuleFactory(tenant=other_tenant)

    assert "None of your definitions listens to it." in text_of(tried(Console(tenant)))
    assert not Participant.objects.exists()


# --- a rule over past events ------------------------------------------------------------------------------------------

WHAT_IF = "rules_rule_what_if"


def bought(tenant, *amounts, external_id="ada"):
    participant = ParticipantFactory(tenant=tenant, external_id=external_id)
    for number, amount in enumerate(amounts):
        at = timezone.now() - timedelta(hours=1 + number)
        EventFactory(participant=participant, name="purchase", properties={"amount": amount}, occurred_at=at)


def rows_of(answer):
    return {box.title: box.rows for box in answer.context["boxes"]}


def replayed(console, rule, **changes):
    """The page opened, some fields changed, sent as a browser would."""
    opened = console.get(WHAT_IF, rule.pk)
    html = text_of(opened)
    assert opened.status_code == 200, html
    sent = fields_of(html[html.index('<form method="post" class="console-box"') :])
    return console.post(WHAT_IF, rule.pk, **sent | changes)


def test_a_rule_as_it_is_gives_what_the_active_one_gives(tenant, nothing_written):
    rule = RuleFactory(tenant=tenant, **{**FULL, "expression": BIG, "grants": [{"type": "points", "amount": 10}]})
    bought(tenant, 100, 99)
    ParticipantFactory(tenant=tenant, external_id="without_events")
    console = Console(tenant)

    with nothing_written():
        answer = replayed(console, rule)

    assert rows_of(answer) == {
        "What would have been given": [
            ["This rule", *["1", "1", "0", "10", "1"]],
            ["The active one", *["1", "1", "0", "10", "1"]],
        ],
        "Who would gain": [],
        "Who would lose": [],
    }
    assert "Played: 2 events of 1 participant." in text_of(answer)
    assert "Changes are not played: badge.awarded." in text_of(answer)


def test_a_changed_rule_shows_who_would_gain_and_who_would_lose(tenant, nothing_written):
    rule = RuleFactory(tenant=tenant, limits={"ever": 1})
    bought(tenant, 100, 50, 10)
    bought(tenant, 5, external_id="bob")
    console = Console(tenant)

    with nothing_written():
        answer = replayed(console, rule, **condition(("amount", "gte", "number", "10")), ever="2", days="7")

    assert rows_of(answer)["What would have been given"] == [
        ["This rule", *["3", "2", "1", "20", "1"]],
        ["The active one", *["4", "2", "2", "20", "2"]],
    ]
    assert rows_of(answer)["Who would gain"] == [["ada", "+10"]]
    assert rows_of(answer)["Who would lose"] == [["bob", "-10"]]


def test_the_page_begins_with_the_current_rule(tenant):
    rule = RuleFactory(tenant=tenant, expression=BIG, limits={"ever": 1})

    shown = text_of(Console(tenant).get(WHAT_IF, rule.pk))

    for value in ("purchase", "amount", "100", "10"):
        assert f'value="{value}"' in shown


def test_an_inactive_rule_is_compared_with_nothing(tenant):
    rule = RuleFactory(tenant=tenant, is_active=False, expression={"or": [BIG, PRO]})
    bought(tenant, 100, 50)
    console = Console(tenant)

    assert rows_of(replayed(console, rule))["Who would gain"] == [["ada", "+10"]]
    assert rows_of(replayed(console, rule, drop_expression="on"))["Who would gain"] == [["ada", "+20"]]
    assert "Who would lose" not in rows_of(replayed(console, rule))


def test_the_page_says_when_events_were_left_out(tenant, settings):
    settings.REPLAY_MAX_EVENTS = 1
    rule = RuleFactory(tenant=tenant)
    bought(tenant, 100, 50)

    assert "There are more events; these are a part of them." in text_of(replayed(Console(tenant), rule))


def test_errors_of_a_changed_rule_are_shown_on_the_field(tenant):
    rule = RuleFactory(tenant=tenant)
    console = Console(tenant)

    assert errors_of(replayed(console, rule, event_types="")) == {
        "event_types": ["Name at least one event type or change."]
    }
    assert set(errors_of(replayed(console, rule, days="0"))) == {"days"}
    assert set(errors_of(replayed(console, rule, **{"grants-amount": ["0", ""]}))) == {"grants"}


def test_only_staff_who_may_see_rules_of_the_picked_tenant_can_play_past_events(tenant, other_tenant):
    ours, theirs = RuleFactory(tenant=tenant), RuleFactory(tenant=other_tenant)

    assert Console(tenant).get(WHAT_IF, theirs.pk).status_code == 302
    assert Console(tenant, user=staff("badges.view_badge")).get(WHAT_IF, ours.pk).status_code == 403


def test_changes_that_concern_no_participant_are_not_offered(tenant):
    shown = text_of(Console(tenant).get(ADD))

    assert "tier.upgraded –" in shown
    assert "webhook.test" not in shown
