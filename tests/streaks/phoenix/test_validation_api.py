"""Bodies that the admin gateway refuses, and the messages. The pattern is "config: event_types cannot be empty"."""

from dataclasses import replace
from uuid import uuid4

import pytest

from gamify.facts.services import grant_kinds
from participants.errors import FieldError
from streaks.models import Streak
from streaks.services import create_streak
from tests.client import phoenix_refusal
from tests.streaks.phoenix.conftest import NOW
from tests.streaks.phoenix.happening import CONFIG, define, with_value

LIST = "/tenants/acme/streaks"
BODY = {"name": "Daily", "config": CONFIG}
REWARD = "0c7f4be1-4d1c-4f2c-8c3f-5a5e5a5e5a5e"
ALPHANUMERIC = "name: must be alphanumeric; spaces, hyphens and underscores are allowed"
SUM = {"type": "sum", "field": "attrs.points", "min": 5}

# A path into the body, its value (... for a missing key), and the message.
OF_THE_NAME = [
    ("name", ..., "name: is required"),
    ("name", None, "name: cannot be null"),
    ("name", "", "name: cannot be empty"),
    ("name", "   ", "name: cannot be empty"),
    ("name", [], "name: must be a string"),
    ("name", True, "name: must be a string"),
    ("name", "x" * 256, "name: must not be longer than 255"),
    ("name", "Daily!", ALPHANUMERIC),
    ("name", "a.b", ALPHANUMERIC),
    ("name", "a\tb", ALPHANUMERIC),
    ("name", "a\u00a0b", ALPHANUMERIC),
    ("name", "🔥", ALPHANUMERIC),
    ("name", "-_ -", ALPHANUMERIC),
    ("name", "½", ALPHANUMERIC),
    ("description", 5 * ["x"], "description: must be a string"),
    ("description", "x" * 2001, "description: must not be longer than 2000"),
]
OF_THE_CONFIG = [
    ("config", ..., "config: is required"),
    ("config", None, "config: cannot be null"),
    ("config", [], "config: must be an object"),
    ("config", "x", "config: must be an object"),
    ("config.event_types", ..., "config: event_types is required"),
    ("config.event_types", None, "config: event_types cannot be null"),
    ("config.event_types", [], "config: event_types cannot be empty"),
    ("config.event_types", "user.login", "config: event_types must be a list"),
    ("config.event_types", [""], "config: event_types.0 cannot be empty"),
    ("config.event_types", ["a", None], "config: event_types.1 cannot be null"),
    ("config.event_types", ["a,b"], "config: event_types.0 must not contain commas"),
    ("config.event_types", ["a\nb"], "config: event_types.0 must not contain control characters"),
    ("config.event_types", ["x" * 101], "config: event_types.0 must not be longer than 100 characters"),
    ("config.event_types", ["x"] * 51, "config: event_types must not be longer than 50"),
    ("config.expression", [], "config: expression must be an object"),
    ("config.window", ..., "config: window is required"),
    ("config.window", None, "config: window cannot be null"),
    ("config.window", "daily", "config: window must be an object"),
    ("config.window.type", "sliding", "config: window.type must be calendar or rolling"),
    ("config.window.period", ..., "config: window.period is required for calendar windows"),
    ("config.window.period", "yearly", "config: window.period must be one of hourly, daily, weekly, monthly"),
    ("config.window.timezone", "Mars/Olympus", "config: window.timezone must be a valid IANA timezone"),
    ("config.window.timezone", "localtime", "config: window.timezone must be a valid IANA timezone"),
    ("config.window.timezone", "", "config: window.timezone cannot be empty"),
    ("config.window.timezone", None, "config: window.timezone cannot be null"),
    ("config.window.reset_time", "24:00", "config: window.reset_time must be a time such as 04:00"),
    ("config.window.reset_time", "4:00", "config: window.reset_time must be a time such as 04:00"),
    ("config.window.reset_time", "\u0660\u0664:00", "config: window.reset_time must be a time such as 04:00"),
    ("config.window.reset_time", "04:0\u0660", "config: window.reset_time must be a time such as 04:00"),
    ("config.window.week_start", "mo", "config: window.week_start must be one of "),
    ("config.window", {"type": "rolling"}, "config: window.duration_seconds is required for rolling windows"),
    (
        "config.window",
        {"type": "rolling", "duration_seconds": 0},
        "config: window.duration_seconds must be positive",
    ),
    (
        "config.window",
        {"type": "rolling", "duration_seconds": 1.5},
        "config: window.duration_seconds must be a whole number",
    ),
    (
        "config.window",
        {"type": "rolling", "duration_seconds": 366 * 86400 + 1},
        "config: window.duration_seconds must not be more than 31622400 seconds, 366 days",
    ),
    ("config.condition", None, "config: condition cannot be null"),
    ("config.condition", [], "config: condition must be an object"),
    ("config.condition.type", ..., "config: condition.type is required"),
    ("config.condition.type", "average", "config: condition.type must be count, sum or distinct"),
    ("config.condition.min", ..., "config: condition.min is required"),
    ("config.condition.min", 0, "config: condition.min must be positive"),
    ("config.condition.min", -1, "config: condition.min must be positive"),
    ("config.condition.min", 1.5, "config: condition.min must be a whole number"),
    ("config.condition.min", "1", "config: condition.min must be a number"),
    ("config.condition.min", True, "config: condition.min must be a number"),
    ("config.condition.min", 1_000_001, "config: condition.min must not be more than 1000000"),
    ("config.condition", SUM | {"field": None}, "config: condition.field "),
    ("config.condition", {"type": "sum", "min": 5}, "config: condition.field "),
    ("config.condition", SUM | {"min": 0}, "config: condition.min must be positive"),
    ("config.condition", SUM | {"type": "distinct", "min": 101}, "config: condition.min must not be more than 100"),
    ("config.milestones", None, "config: milestones cannot be null"),
    ("config.milestones", {}, "config: milestones must be a list"),
    ("config.milestones", [7], "config: milestones.0 must be an object"),
    ("config.milestones", [{}], "config: milestones.0.threshold is required"),
    ("config.milestones", [{"threshold": 0}], "config: milestones.0.threshold must be positive"),
    ("config.milestones", [{"threshold": -7}], "config: milestones.0.threshold must be positive"),
    ("config.milestones", [{"threshold": "x"}], "config: milestones.0.threshold must be a whole number"),
    (
        "config.milestones",
        [{"threshold": 1_000_001}],
        "config: milestones.0.threshold must not be more than 1000000",
    ),
    ("config.milestones", [{"threshold": 7}, {"threshold": 7}], "config: milestones thresholds must be unique"),
    (
        "config.milestones",
        [{"threshold": 7, "reward_item_id": "gold"}],
        "config: milestones.0.reward_item_id must be the id of a reward",
    ),
    (
        "config.milestones",
        [{"threshold": 7, "repeatable": "often"}],
        "config: milestones.0.repeatable must be true or false",
    ),
    ("config.at_risk_seconds", -1, "config: at_risk_seconds must not be negative"),
    ("config.at_risk_seconds", "soon", "config: at_risk_seconds must be a whole number"),
]


@pytest.mark.parametrize(("path", "value", "message"), [*OF_THE_NAME, *OF_THE_CONFIG])
def test_an_invalid_definition_is_400_with_the_reason(admin, nothing_written, path, value, message):
    with nothing_written():
        answer = admin.post(LIST, with_value(path, value, of=BODY))

    status, code, text = phoenix_refusal(answer)
    assert (status, code) == (400, "VALIDATION_ERROR")
    assert text.startswith(message)
    assert text == message or message.endswith(" ")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [each for each in [*OF_THE_NAME, *OF_THE_CONFIG] if each[0].count(".") or each[1] != ...],
)
def test_a_change_is_refused_with_the_same_messages(admin, nothing_written, path, value, message):
    record = define(admin, "Other")

    with nothing_written():
        answer = admin.patch(f"{LIST}/{record['id']}", with_value(path, value, of=BODY))

    assert phoenix_refusal(answer)[2].startswith(message)


def test_the_documented_error_is_answered_word_for_word(admin, example):
    answer = admin.post(LIST, with_value("config.event_types", [], of=BODY))

    assert answer.json() == example("admin_error.json")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "Request body is not valid JSON"),
        (b"[]", "Request body must be a JSON object"),
        (b"", "name: is required"),
        (b'{"name": "a\\u0000"}', "name"),
        (b'{"name": "\\ud800"}', "name"),
        (b'{"name": "a", "config": {"condition": {"min": NaN}}}', "Request body is not valid JSON"),
        (b'{"name": "a", "config": {"condition": {"min": 1e999}}}', "config"),
        (b'{"name": "a", "config": {"condition": {"min": 99999999999999999999}}}', "config"),
    ],
)
def test_an_invalid_body_is_400(admin, nothing_written, body, message):
    with nothing_written():
        answer = admin.post(LIST, body)

    status, code, text = phoenix_refusal(answer)
    assert (status, code) == (400, "VALIDATION_ERROR")
    assert text.startswith(message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "status: is required"),
        ({"status": None}, "status: cannot be null"),
        ({"status": ""}, "status: must be active, paused or archived"),
        ({"status": "draft"}, "status: must be active, paused or archived"),
        ({"status": "ACTIVE"}, "status: must be active, paused or archived"),
        ({"status": ["active"]}, "status: must be active, paused or archived"),
        ({"status": {}}, "status: must be active, paused or archived"),
    ],
)
def test_an_invalid_status_is_400(admin, nothing_written, body, message):
    record = define(admin)

    with nothing_written():
        answer = admin.send("PUT", f"{LIST}/{record['id']}/status", body)

    assert phoenix_refusal(answer) == (400, "VALIDATION_ERROR", message)


def test_unknown_fields_are_ignored_with_a_warning(admin):
    answer = admin.post(LIST, BODY | {"code": "mine", "tenant_id": "other", "status": "paused"})

    assert (answer.status_code, answer.json()["tenant_id"], answer.json()["status"]) == (201, "acme", "active")
    assert answer.json()["config"] == CONFIG
    assert [warning["field"] for warning in answer.json()["warnings"]] == ["code", "tenant_id", "status"]


# --- rewards ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def reward_of(monkeypatch):
    """A registered reward domain in which the tenant has one reward, REWARD."""

    def register(tenant):
        def problem(asking, spec):
            return None if (asking.pk, spec["id"]) == (tenant.pk, REWARD) else FieldError("id", "no such reward")

        kind = replace(grant_kinds["reward"], give=lambda work, participant, grant: [], problem=problem)
        monkeypatch.setattr(grant_kinds, "_entries", {"reward": kind})

    return register


def with_reward(reward):
    return with_value("config.milestones", [{"threshold": 3}, {"threshold": 7, "reward_item_id": reward}], of=BODY)


REFUSED = (400, "VALIDATION_ERROR", "config: milestones.1.reward_item_id must be the id of a reward of this tenant")


def test_a_reward_of_the_tenant_is_accepted(admin, tenant, reward_of):
    reward_of(tenant)

    record = admin.post(LIST, with_reward(REWARD.upper())).json()

    assert record["config"]["milestones"][1] == {"threshold": 7, "reward_item_id": REWARD, "repeatable": False}
    assert admin.patch(f"{LIST}/{record['id']}", with_reward(REWARD)).status_code == 200


@pytest.mark.parametrize("whose", ["nobody's", "another tenant's"])
def test_any_other_reward_is_400_on_creation_and_on_change(
    admin, tenant, other_tenant, reward_of, nothing_written, whose
):
    reward_of(tenant if whose == "nobody's" else other_tenant)
    reward = str(uuid4()) if whose == "nobody's" else REWARD
    record = define(admin, "Other")

    with nothing_written():
        created = admin.post(LIST, with_reward(reward))
        patched = admin.patch(f"{LIST}/{record['id']}", with_reward(reward))

    assert phoenix_refusal(created) == phoenix_refusal(patched) == REFUSED


def test_without_the_rewards_domain_every_reward_is_refused(admin, monkeypatch, nothing_written):
    monkeypatch.setattr(grant_kinds, "_entries", {})

    with nothing_written():
        answer = admin.post(LIST, with_reward(REWARD))

    assert phoenix_refusal(answer) == REFUSED


def test_a_reward_that_no_longer_exists_does_not_block_other_changes(admin, tenant, reward_of, monkeypatch):
    reward_of(tenant)
    record = admin.post(LIST, with_reward(REWARD)).json()
    monkeypatch.setattr(grant_kinds, "_entries", {})

    answer = admin.patch(f"{LIST}/{record['id']}", {"config": record["config"] | {"at_risk_seconds": 60}})

    assert answer.status_code == 200
    assert answer.json()["config"]["at_risk_seconds"] == 60


def test_codes_are_made_from_names_and_never_reused(admin, tenant):
    create_streak(tenant=tenant, data={"code": "daily-login", "name": "x", "event_types": ["x"]}, now=NOW)
    first = define(admin, "Daily Login")
    admin.delete(f"{LIST}/{first['id']}")

    names = ["Daily Login", "Daily_Login", "日本語", "-- 5", "y" * 200, "y" * 201, "y" * 202]
    codes = [Streak.objects.get(pk=define(admin, name)["id"]).code for name in names]

    assert Streak.objects.get(pk=first["id"]).code == "daily-login-2"
    assert codes == ["daily-login-3", "daily_login", "streak", "5", "y" * 50, "y" * 42 + "-2", "y" * 42 + "-3"]
