"""Streaks in the console. The behaviour that all definitions have in common is tested here."""

import json
from dataclasses import replace

import pytest
from django.utils import timezone

from gamify.facts.services import grant_kinds
from participants.errors import FieldError
from participants.ids import new_id
from streaks.admin.words import COUNTS_CARRIED_OVER
from streaks.models import Streak, StreakRevision
from streaks.selectors.configs import config_of
from streaks.services import create_streak, update_streak
from tests.console import Console, errors_of, sent_by, staff, text_of, trail

IS = (("plan", "eq", "pro"), ("amount", "gte", 10))
LIST, ADD, CHANGE = "streaks_streak_changelist", "streaks_streak_add", "streaks_streak_change"
SETTINGS = {
    "name": "Daily login",
    "event_types": "",
    "fact_filter-shown": "{}",
    "period": "daily",
    "week_start": "0",
    "condition_type": "count",
    "condition_min": "1",
    "grace_periods": "0",
    "reset_on_miss": "on",
    "milestones-shown": "[]",
    "display_order": "0",
}


def make_streak(tenant, code="daily_login", **data):
    data = {"name": "Daily login", "event_types": [code], **data}
    return create_streak(tenant=tenant, data={"code": code, **data}, now=timezone.now())


def conditions(*rows: tuple[str, str, str, str], shown: dict | None = None) -> dict:
    columns = zip(*rows, strict=True) if rows else ([], [], [], [])
    names = ("field", "operator", "kind", "value")
    cells = {f"fact_filter-{name}": list(column) for name, column in zip(names, columns, strict=True)}
    return {**cells, "fact_filter-shown": json.dumps(shown or {})}


def new(tenant, **fields) -> dict:
    return {**SETTINGS, "code": "daily_login", "status": "active", "opened_for": str(tenant.pk), **fields}


def milestones(*rows: tuple[str, str, str], shown: str = "[]") -> dict:
    columns = zip(*rows, strict=True) if rows else ([], [], [])
    names = ("threshold", "reward", "paid")
    cells = {f"milestones-{name}": list(column) for name, column in zip(names, columns, strict=True)}
    return {**cells, "milestones-shown": shown}


def test_a_streak_is_defined_with_all_its_settings(tenant, admin_api):
    console = Console(tenant)
    rows = conditions(("plan", "eq", "text", "pro"), ("amount", "gte", "number", "10"), ("", "eq", "text", ""))
    settings = {
        "description": "Log in\r\nevery week.",
        "event_types": "login, app opened ,",
        "period": "weekly",
        "grace_periods": "2",
        "icon_url": "https://cdn.example/fire.png",
        "color": "#0891B2",
        "display_order": "3",
    }

    answer = console.post(ADD, **new(tenant, **settings, **rows))

    streak = Streak.objects.of(tenant).get()
    assert answer.url == "/console/streaks/streak/"
    shown = admin_api.get(f"/admin/streaks/{streak.pk}").json()
    wanted = {
        "code": "daily_login",
        "name": "Daily login",
        "description": "Log in\nevery week.",
        "fact_type": "login,app opened",
        "fact_filter": {"plan": "pro", "amount": {"gte": 10}},
        "period": "weekly",
        "grace_periods": 2,
        "reset_on_miss": True,
        "icon_url": "https://cdn.example/fire.png",
        "color": "#0891B2",
        "display_order": 3,
        "is_active": True,
    }
    assert {name: shown[name] for name in wanted} == wanted
    assert trail() == [("Daily login", 1, "Added.")]


def test_empty_fields_get_the_defaults_of_the_api(tenant):
    Console(tenant).post(ADD, **new(tenant, display_order="", grace_periods=""))

    streak = Streak.objects.get()
    assert (streak.event_types, streak.fact_filter, streak.description) == (["daily_login"], None, None)
    assert (streak.icon_url, streak.color, streak.display_order, streak.grace_periods) == (None, None, 0, 0)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("code", "x" * 51, "Ensure this field has no more than 50 characters."),
        ("code", "", "This field is required."),
        ("code", "taken", "Streak with code 'taken' already exists"),
        ("name", "x" * 101, "Ensure this field has no more than 100 characters."),
        ("name", "two\u2028lines", "Must not contain control characters."),
        ("period", "yearly", "Select a valid choice. yearly is not one of the available choices."),
        ("status", "paused", "Select a valid choice. paused is not one of the available choices."),
        ("timezone", "Mars/Olympus", "Time zone must be a valid IANA timezone."),
        ("reset_time", "4h", "Time of day must be a time such as 04:00."),
        ("condition_min", "0", "At least must be positive."),
        ("condition_min", "1.5", "At least must be a whole number."),
        ("condition_min", "many", "Enter a number."),
        ("condition_min", "1000001", "At least must not be more than 1000000."),
        ("at_risk_seconds", "8785", "At-risk lead must not be more than 31622400 seconds, 366 days."),
        ("at_risk_seconds", "9" * 300, "At-risk lead must not be more than 31622400 seconds, 366 days."),
        ("at_risk_seconds", "soon", "Enter a whole number."),
        ("grace_periods", "-1", "Ensure this value is greater than or equal to 0."),
        ("grace_periods", "1001", "Ensure this value is less than or equal to 1000."),
        ("grace_periods", "many", "Enter a whole number."),
        ("display_order", "2147483648", "Ensure this value is less than or equal to 2147483647."),
        ("icon_url", "javascript:alert(1)", "Must be an http or https URL."),
        ("color", "x" * 21, "Ensure this field has no more than 20 characters."),
        ("description", "x" * 2001, "Ensure this field has no more than 2000 characters."),
        ("event_types", "a," + "x" * 101, "No. 2 must not be longer than 100 characters."),
        ("event_types", ",".join(map(str, range(51))), "Events must not be longer than 50."),
    ],
)
def test_the_form_refuses_what_the_api_refuses_on_the_field(tenant, nothing_written, field, value, message):
    make_streak(tenant, "taken")
    console = Console(tenant)

    with nothing_written():
        answer = console.post(ADD, **new(tenant, **{field: value}))

    assert errors_of(answer) == {field: [message]}
    assert trail() == []


PHOENIX = {
    "status": "draft",
    "event_types": "purchase, *",
    "period": "weekly",
    "timezone": "participant",
    "reset_time": "04:30",
    "week_start": "6",
    "condition_type": "sum",
    "condition_field": "order.total",
    "condition_min": "49.5",
    "at_risk_seconds": "36",
    "at_risk_seconds-unit": "hours",
}


def test_a_streak_is_defined_with_all_settings_of_the_other_dialect(tenant):
    rows = milestones(("4", "", "ever"), ("12", "", "run"), ("", "", "ever"))

    Console(tenant).post(ADD, **new(tenant, **PHOENIX, **rows))

    streak = Streak.objects.get()
    assert (streak.status, streak.is_active) == ("draft", False)
    assert config_of(streak, tenant_zone="UTC") == {
        "event_types": ["purchase", "*"],
        "window": {
            "type": "calendar",
            "period": "weekly",
            "timezone": "participant",
            "reset_time": "04:30",
            "week_start": "sunday",
        },
        "condition": {"type": "sum", "field": "order.total", "min": 49.5},
        "milestones": [
            {"threshold": 4, "reward_item_id": None, "repeatable": False},
            {"threshold": 12, "reward_item_id": None, "repeatable": True},
        ],
        "at_risk_seconds": 36 * 3600,
    }


def test_a_lead_of_zero_is_stored_and_shown_as_zero(tenant):
    console = Console(tenant)
    console.post(ADD, **new(tenant, at_risk_seconds="0"))

    streak = Streak.objects.get()
    assert streak.at_risk_seconds == 0
    assert 'name="at_risk_seconds-shown" value="0"' in console.get(CHANGE, streak.pk).text


def test_fields_that_the_chosen_period_does_not_use_are_ignored(tenant):
    hidden = {"timezone": "Mars/Olympus", "reset_time": "4h", "week_start": "3", "condition_field": "..."}
    rolling = {"period": "rolling", "duration_seconds": "36", "duration_seconds-unit": "hours"}

    Console(tenant).post(ADD, **new(tenant, **rolling, **hidden))

    streak = Streak.objects.get()
    assert (streak.period, streak.duration_seconds, streak.timezone) == ("rolling", 36 * 3600, None)
    assert (streak.reset_time, streak.week_start) == ("00:00", 0)
    assert streak.condition == {"type": "count", "min": 1}


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"period": "rolling"}, {"duration_seconds": ["Length of a period is required for rolling windows."]}),
        (
            {"condition_type": "distinct", "condition_min": "101"},
            {"condition_min": ["At least must not be more than 100."]},
        ),
        ({"condition_type": "sum"}, {"condition_field": ["Property must be the dotted path of a property."]}),
        (
            milestones(("7", "", "ever"), ("0", "gold", "run"), ("many", "", "ever")),
            {
                "milestones": [
                    "No. 2: the length must be positive.",
                    "No. 2: the reward must be the id of a reward.",
                    "No. 3: the length must be a whole number.",
                ]
            },
        ),
        (
            milestones(("7", "", "ever"), ("7", "", "run")),
            {"milestones": ["Milestones thresholds must be unique."]},
        ),
        (
            milestones(("7", "", "ever"), ("14", str(new_id()), "ever")),
            {"milestones": ["No. 2: the reward does not exist."]},
        ),
    ],
)
def test_contradictory_settings_are_refused_on_their_field(tenant, nothing_written, fields, errors):
    console = Console(tenant)

    with nothing_written():
        answer = console.post(ADD, **new(tenant, **fields))

    assert errors_of(answer) == errors


def test_a_milestone_accepts_only_rewards_of_the_tenant(tenant, other_tenant, monkeypatch, nothing_written):
    mine = str(new_id())
    kind = replace(
        grant_kinds["reward"],
        give=lambda work, participant, grant: (),
        problem=lambda owner, spec: None if (owner, spec["id"]) == (tenant, mine) else FieldError("id", "is unknown"),
    )
    monkeypatch.setitem(grant_kinds._entries, "reward", kind)
    row = milestones(("7", mine, "ever"))

    console = Console(other_tenant, user=staff("streaks.add_streak"))
    with nothing_written():
        refused = console.post(ADD, **new(other_tenant, **row))

    assert errors_of(refused) == {"milestones": ["No. 1: the reward does not exist."]}
    Console(tenant).post(ADD, **new(tenant, **row))
    assert Streak.objects.get().milestones == [{"threshold": 7, "reward_item_id": mine, "repeatable": False}]


def test_empty_conditions_are_refused(tenant, nothing_written):
    console = Console(tenant)

    with nothing_written():
        answer = console.post(ADD, **new(tenant, **conditions(("amount", "gt", "number", "many"))))

    assert errors_of(answer) == {"fact_filter": ["“amount”: “many” is not a number."]}
    assert 'value="many"' in text_of(answer)


def test_an_edit_goes_through_the_service_and_carries_the_counts(tenant):
    streak = make_streak(tenant, fact_filter={"plan": "pro"})
    rows = conditions(("plan", "in", "text", "pro, max"), shown={"plan": "pro"})

    Console(tenant).edit(CHANGE, streak.pk, **rows, grace_periods="1")

    streak.refresh_from_db()
    assert (streak.grace_periods, streak.fact_filter, streak.revision) == (1, {"plan": {"in": ["pro", "max"]}}, 2)
    assert StreakRevision.objects.get().grace_periods == 0
    ((name, flag, message),) = trail()
    assert (name, flag, message) == ("Daily login", 2, "Changed Only events where and Grace.")


def test_an_edit_does_not_change_the_code_and_empty_events_default_to_it(tenant):
    streak = make_streak(tenant, event_types=["login", "app_opened"])

    Console(tenant).edit(CHANGE, streak.pk, event_types="", code="other", reset_on_miss=None)

    streak.refresh_from_db()
    assert (streak.code, streak.event_types, streak.reset_on_miss) == ("daily_login", ["daily_login"], False)


def test_saving_unchanged_writes_nothing(tenant, nothing_written):
    shown = {"plan": {"not": {"x": 1}}, "at": {"exists": True}, "n": {"lt": 1.5}}
    streak = make_streak(
        tenant,
        fact_filter=shown,
        description="a\nb",
        color="gold",
        is_active=False,
        condition={"type": "sum", "field": "amount", "min": 0.1},
        at_risk_seconds=5400,
        timezone="participant",
        period="weekly",
        week_start=6,
        reset_time="04:00",
    )
    milestone = {"threshold": 7, "reward_item_id": str(new_id()), "repeatable": True}  # a reward that no longer exists
    Streak.objects.update(milestones=[milestone])
    console = Console(tenant)

    with nothing_written():
        answer = console.edit(CHANGE, streak.pk)

    assert answer.status_code == 302


def test_changes_that_were_made_meanwhile_are_not_overwritten(tenant):
    streak = make_streak(tenant, description="old")
    console = Console(tenant)
    page = sent_by(console.get(CHANGE, streak.pk))

    console.edit(CHANGE, streak.pk, name="New name", **conditions(("plan", "eq", "text", "pro")))
    console.post(CHANGE, streak.pk, **page | {"description": "new"})

    streak.refresh_from_db()
    assert (streak.name, streak.description, streak.fact_filter) == ("New name", "new", {"plan": "pro"})


def test_milestones_that_a_client_changed_meanwhile_are_not_overwritten(tenant):
    streak = make_streak(tenant, milestones=[{"threshold": 7, "reward_item_id": None, "repeatable": False}])
    console = Console(tenant)
    page = sent_by(console.get(CHANGE, streak.pk))

    update_streak(streak, tenant=tenant, changes={"milestones": [], "at_risk_seconds": 60}, now=timezone.now())
    console.post(CHANGE, streak.pk, **page | {"name": "New name"})

    streak.refresh_from_db()
    assert (streak.name, streak.milestones, streak.at_risk_seconds) == ("New name", [], 60)


@pytest.mark.parametrize(
    ("change", "is_carried"),
    [({"grace_periods": "2"}, True), ({"timezone": "Europe/Berlin"}, True), ({"name": "Other"}, False)],
)
def test_after_a_change_of_the_rules_the_page_says_that_counts_are_carried_over(tenant, change, is_carried):
    streak = make_streak(tenant)
    console = Console(tenant)

    console.edit(CHANGE, streak.pk, **change)

    assert (COUNTS_CARRIED_OVER in text_of(console.get(CHANGE, streak.pk))) is is_carried


def test_a_named_zone_does_not_follow_the_tenants_zone(tenant):
    streak = make_streak(tenant)
    console = Console(tenant)

    console.edit(CHANGE, streak.pk, timezone="UTC")

    streak.refresh_from_db()
    assert streak.timezone == "UTC"
    console.edit(CHANGE, streak.pk, timezone="")
    streak.refresh_from_db()
    assert streak.timezone is None


PRO, BIG = ({"condition": {"field": field, "operator": operator, "value": value}} for field, operator, value in IS)
MORE = {"or": [PRO, {"not": BIG}]}


def test_an_expression_that_rows_can_express_is_edited_in_rows(tenant):
    streak = make_streak(tenant, expression={"and": [PRO, BIG]})
    console = Console(tenant)
    page = sent_by(console.get(CHANGE, streak.pk))

    console.post(CHANGE, streak.pk, **page | {"fact_filter-value": ["max", "10", ""]})

    streak.refresh_from_db()
    assert (streak.fact_filter, streak.expression) == ({"plan": "max", "amount": {"gte": 10}}, None)


def test_an_expression_that_rows_cannot_express_is_shown_in_words_and_stays(tenant):
    streak = make_streak(tenant, expression=MORE)
    console = Console(tenant)

    shown = text_of(console.get(CHANGE, streak.pk))
    console.edit(CHANGE, streak.pk, name="Other")

    streak.refresh_from_db()
    assert "plan is “pro” or not (amount is at least 10)" in shown
    assert "fact_filter-field" not in shown
    assert (streak.name, streak.expression) == ("Other", MORE)


def test_an_expression_that_rows_cannot_express_can_be_removed(tenant):
    streak = make_streak(tenant, expression=MORE)
    console = Console(tenant)

    console.edit(CHANGE, streak.pk, drop_expression="on")

    streak.refresh_from_db()
    assert (streak.expression, streak.fact_filter) == (None, None)
    assert trail() == [("Daily login", 2, "Changed Remove these conditions.")]
    assert "fact_filter-field" in text_of(console.get(CHANGE, streak.pk))


def test_the_form_of_a_streak_cannot_change_its_status(tenant, nothing_written):
    streak = make_streak(tenant)
    console = Console(tenant)

    with nothing_written():
        console.edit(CHANGE, streak.pk, status="archived", is_active=None)


def test_the_list_shows_the_settings_in_display_order(tenant):
    make_streak(tenant, "late", name="Late", display_order=2, grace_periods=3)
    make_streak(tenant, "early", name="Early", display_order=1, reset_on_miss=False, is_active=False)

    shown = text_of(Console(tenant).get(LIST))

    assert shown.index(">Early<") < shown.index(">Late<")
    assert "never resets" in shown
    assert "paused" in shown


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "LOG"}, {"Log in"}),
        ({"q": "shop_"}, {"Buy"}),
        ({"status__exact": "paused"}, {"Buy"}),
        ({"period__exact": "daily"}, {"Log in"}),
    ],
)
def test_streaks_can_be_searched(tenant, query, found):
    make_streak(tenant, "sign_in", name="Log in")
    make_streak(tenant, "shop_often", name="Buy", is_active=False, period="weekly")

    shown = text_of(Console(tenant).get(LIST, **query))

    assert {name for name in ("Log in", "Buy") if f">{name}<" in shown} == found


def test_selected_streaks_are_deactivated_after_a_confirmation_and_activated_again(tenant, nothing_written):
    rows = [make_streak(tenant, code, name=code) for code in ("a", "b", "c")]
    console = Console(tenant)
    selected = {"_selected_action": [str(row.pk) for row in rows[:2]]}

    with nothing_written():
        question = console.post(LIST, action="deactivate", **selected)
    console.post(LIST, action="deactivate", confirmed="yes", **selected)

    assert "Deactivate 2 streaks" in text_of(question)
    assert [row.is_active for row in Streak.objects.order_by("code")] == [False, False, True]
    console.post(LIST, action="activate", confirmed="yes", **selected)
    assert Streak.objects.active().count() == 3
    assert trail() == [(name, 2, text) for text in ("Deactivated.", "Activated.") for name in ("a", "b")]


def test_streaks_that_have_the_status_already_do_not_change(tenant, nothing_written):
    streak = make_streak(tenant)
    console = Console(tenant)

    with nothing_written():
        console.post(LIST, action="activate", confirmed="yes", _selected_action=[str(streak.pk)])

    assert "Nothing to activate." in text_of(console.get(LIST))
    assert trail() == []


def test_streaks_cannot_be_deleted(tenant, nothing_written):
    streak = make_streak(tenant)
    console = Console(tenant)

    with nothing_written():
        answer = console.post("streaks_streak_delete", streak.pk, post="yes")
        console.post(LIST, action="delete_selected", post="yes", _selected_action=[str(streak.pk)])

    assert answer.status_code == 403


def test_streaks_of_other_tenants_are_not_accessible(tenant, other_tenant, nothing_written):
    strangers = [make_streak(owner, name="secret") for owner in (other_tenant, tenant.sandbox)]
    console = Console(tenant)

    with nothing_written():
        for stranger in strangers:
            assert console.post(CHANGE, stranger.pk, **SETTINGS).status_code == 302
            assert console.get("streaks_streak_history", stranger.pk).status_code == 302
            for action in ("activate", "deactivate"):
                console.post(LIST, action=action, confirmed="yes", _selected_action=[str(stranger.pk)])
        assert ">secret<" not in text_of(console.get(LIST, q="secret"))

    assert trail() == []


def test_a_form_opened_for_another_tenant_defines_nothing(tenant, other_tenant, nothing_written):
    console = Console(other_tenant)

    with nothing_written():
        answer = console.post(ADD, **new(tenant))

    assert "Another tenant was chosen meanwhile" in text_of(answer)


def test_each_permission_opens_one_thing(tenant, nothing_written):
    streak = make_streak(tenant)
    console = Console(tenant, user=staff("streaks.view_streak"))

    with nothing_written():
        assert console.get(LIST).status_code == 200
        assert console.post(ADD, **new(tenant)).status_code == 403
        assert console.post(CHANGE, streak.pk, **SETTINGS).status_code == 403
        console.post(LIST, action="deactivate", confirmed="yes", _selected_action=[str(streak.pk)])


def test_the_list_needs_as_many_queries_for_many_streaks_as_for_one(tenant, queries):
    console = Console(tenant)

    for codes in (("a",), ("b", "c", "d", "e")):
        for code in codes:
            make_streak(tenant, code)
        with queries(5):  # session, user, second factor, picked tenant, the streaks
            assert console.get(LIST).status_code == 200
