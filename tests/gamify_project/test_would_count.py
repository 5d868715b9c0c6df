"""The page "Would it count?": drafts are tried by the engine that would process the event. Nothing is written."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from gamify.badges.services import create_badge
from gamify.challenges.models import Challenge
from gamify.facts.engine.events import EventInput
from gamify.facts.models import Event
from gamify.facts.services import emit
from gamify.rules.models import Rule
from participants.services.definitions import create_definition
from streaks.models import Streak
from streaks.services import create_streak
from tests.console import Console, member, text_of
from tests.factories import objective

pytestmark = pytest.mark.any_database

BIG = {"condition": {"field": "amount", "operator": "gte", "value": 10}}


def draft_of(tenant: Any, kind: str) -> Any:
    now, named = timezone.now(), {"code": "draft", "name": "Draft", "is_active": False}
    if kind == "streak":
        data = {**named, "event_types": ["buy"], "status": "draft"}
        return create_streak(tenant=tenant, data=data, now=now)
    if kind == "badge":
        criteria = {"metric": "event_count", "event_name": "buy", "min": 1}
        return create_badge(tenant=tenant, data={**named, "criteria": criteria}, now=now)
    if kind == "rule":
        grants = [{"type": "points", "amount": 5}]
        data = {**named, "event_types": ["buy"], "expression": BIG, "grants": grants}
        return create_definition(Rule, noun="rule", tenant=tenant, data=data, now=now)
    objectives = [objective("buy")]
    return create_definition(
        Challenge, noun="challenge", tenant=tenant, data={**named, "objectives": objectives}, now=now
    )


def try_it(console: Console, row: Any, event: str = "buy", **amount: Any) -> str:
    """Return the verdict."""
    fields = {
        "event_name": event,
        "properties-shown": "{}",
        "timestamp_0": "",
        "timestamp_1": "",
        "participant_id": "ada",
    }
    cells = {"properties-key": "amount", "properties-kind": "number", "properties-value": str(amount.get("amount", 10))}
    name = f"{row._meta.app_label}_{row._meta.model_name}_would_count"
    verdict: str = console.post(name, row.pk, **fields, **cells).context["verdict"]
    return verdict


@pytest.mark.parametrize("kind", ["streak", "badge", "rule", "challenge"])
def test_a_draft_says_whether_it_would_count_and_stays_a_draft(tenant, nothing_written, kind):
    row, console = draft_of(tenant, kind), Console(tenant)

    with nothing_written():
        counts, other = try_it(console, row), try_it(console, row, event="login")

    assert counts.startswith("It would count")
    assert other == "It would not count: the definition does not listen to this event."


def test_a_condition_that_does_not_hold_is_named(tenant):
    row, console = draft_of(tenant, "rule"), Console(tenant)

    assert try_it(console, row, amount=9) == "It would not count: a condition does not hold."


def test_what_the_participant_has_already_is_considered(tenant):
    now = timezone.now()
    row = create_streak(tenant=tenant, data={"code": "buyer", "name": "Buyer", "event_types": ["buy"]}, now=now)
    emit(tenant=tenant, event=EventInput("ada", "buy", now - timedelta(seconds=1), {}), now=now)

    assert try_it(Console(tenant), row) == "It would not count: already counted (1 in a row)."


def test_a_stored_event_fills_in_the_form_for_those_who_may_see_events(tenant):
    now = timezone.now()
    emit(tenant=tenant, event=EventInput("ada", "buy", now, {"amount": 12}), now=now)
    row, event = draft_of(tenant, "rule"), Event.objects.get()

    editor = member("editor", tenant).get("rules_rule_would_count", row.pk, like=str(event.pk))
    developer = member("developer", tenant).get("rules_rule_would_count", row.pk, like=str(event.pk))

    assert editor.context["form"].initial == {
        "participant_id": "ada",
        "event_name": "buy",
        "properties": {"amount": 12},
    }
    assert developer.context["form"].initial == {}
    assert "participant_id" not in developer.context["form"].fields
    assert "ada" not in text_of(developer)


def test_drafts_are_not_in_use_after_they_were_tried(tenant):
    row, console = draft_of(tenant, "streak"), Console(tenant)
    try_it(console, row)

    emit(tenant=tenant, event=EventInput("ada", "buy", timezone.now(), {}), now=timezone.now())

    assert Streak.objects.get().status == "draft"
    assert Event.objects.get().trace is None
