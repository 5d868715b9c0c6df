"""What stands beside the forms of definitions: the definition in words, warnings and suggestions. Stored and unsaved ones read the same."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit
from participants.admin.definitions import DefinitionAdmin
from participants.models import Definition, Tenant
from rewards.services import create_reward
from streaks.models import Streak
from streaks.services import create_streak
from tests.console import Console, member, sent_by, text_of
from tests.factories import EventFactory, ParticipantFactory
from tests.gamify_project.console_world import make_world

pytestmark = pytest.mark.any_database

FRAGMENT = {"HTTP_X_FRAGMENT": "1"}
CHOSEN = {"status": "active", "week_start": "0"}  # a browser sends the first choice of a select
WORKOUT = {"event_types": "workout", "period": "weekly", "condition_min": "3", "grace_periods": "1", **CHOSEN}


def editors() -> Iterator[Any]:
    yield from (page for page in admin.site._registry.values() if isinstance(page, DefinitionAdmin))


def rows_of(page: Any, tenant: Tenant) -> Iterator[Definition]:
    yield from page.model.objects.filter(tenant=tenant)


def name_of(page: Any, end: str) -> str:
    return f"{page.opts.app_label}_{page.opts.model_name}_{end}"


def sentence(answer: Any) -> str:
    return answer.context["beside"].sentence


def summary(console: Console, row: Any = None, **fields: Any) -> Any:
    """Send the form of a streak to its summary, as the script of the page does."""
    page = console.get("streaks_streak_add") if row is None else console.get("streaks_streak_change", row.pk)
    url = reverse("admin:streaks_streak_new_summary") if row is None else page.context["summary_url"]
    return console.client.post(url, sent_by(page) | fields, headers={"X-Fragment": "1"})


def test_every_definition_reads_the_same_on_its_page_and_in_the_summary_of_its_unchanged_form(db: None) -> None:
    tenant = make_world()
    console = Console(tenant)
    wrong = []

    for page in editors():
        for row in rows_of(page, tenant):
            shown = console.get(name_of(page, "change"), row.pk)
            sent = console.client.post(shown.context["summary_url"], sent_by(shown), headers={"X-Fragment": "1"})
            problems = sent.context["beside"].problems
            if not sentence(shown) or sentence(shown) != sentence(sent) or problems:
                wrong.append((row, sentence(shown), sentence(sent), problems))

    assert wrong == []


def test_a_form_under_way_is_worded_and_says_what_is_missing(tenant):
    reward = create_reward(tenant=tenant, data={"name": "Coupon", "reward_type": "coupon"}, now=timezone.now())
    milestones = {"milestones-threshold": "4", "milestones-reward": str(reward.pk), "milestones-paid": "ever"}

    answer = summary(Console(tenant), **WORKOUT, timezone="Europe/Berlin", **milestones)

    assert sentence(answer) == (
        "3 × workout a week, weeks start on Monday in Europe/Berlin; 1 missed week is forgiven; at 4 weeks: Coupon."
    )
    assert answer.context["beside"].problems == ["Code: This field is required.", "Name: This field is required."]
    assert str(reward.pk) not in text_of(answer)


def test_a_value_that_is_refused_leaves_the_rest_of_the_sentence(tenant):
    answer = summary(Console(tenant), **WORKOUT | {"grace_periods": "-1"}, code="gym", name="Gym")

    assert sentence(answer) == "3 × workout a week, weeks start on Monday in UTC; a missed week ends the run."


def test_the_summary_of_a_changed_form_writes_nothing_and_needs_the_token(tenant, nothing_written):
    row = create_streak(tenant=tenant, data={"code": "gym", "name": "Gym", "event_types": ["gym"]}, now=timezone.now())
    console = Console(tenant)
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(console.user)

    with nothing_written():
        answer = summary(console, row, **WORKOUT)
        refused = forged.post(reverse("admin:streaks_streak_summary", args=[row.pk]), {})

    assert sentence(answer).startswith("3 × workout a week")
    assert refused.status_code == 403


def test_without_javascript_the_summary_is_a_page_of_its_own(tenant):
    console = Console(tenant)
    fields = sent_by(console.get("streaks_streak_add")) | WORKOUT

    answer = console.post("streaks_streak_new_summary", **fields)

    assert "3 × workout a week" in text_of(answer)
    assert "Nothing was saved." in text_of(answer)


def test_a_viewer_reads_the_sentence_and_has_no_form_to_send(tenant):
    row = create_streak(tenant=tenant, data={"code": "gym", "name": "Gym", "event_types": ["gym"]}, now=timezone.now())
    viewer = member("viewer", tenant)

    shown = viewer.get("streaks_streak_change", row.pk)
    sent = viewer.post("streaks_streak_summary", row.pk, **WORKOUT)

    assert "1 × gym a day" in text_of(shown)
    assert shown.context["summary_url"] == ""
    assert sentence(sent) == sentence(shown)


def test_names_that_never_came_are_warned_of_and_those_that_came_are_suggested(tenant):
    event = EventInput("ada", "purchase", timezone.now(), {"amount": 5, "order": {"total": 7}})
    emit(tenant=tenant, event=event, now=timezone.now())
    console = Console(tenant)
    seen = {"condition_type": "sum", "condition_field": "order.total", "event_types": "purchase"}
    unseen = {"condition_type": "sum", "condition_field": "price", "event_types": "purchase, purchse"}

    without, warned = summary(console, **seen).context["beside"], summary(console, **unseen).context["beside"]

    assert without.warnings == []
    assert warned.warnings == [
        "No event “purchse” has come yet. Is the name right?",
        "No recent event had the property “price”.",
    ]
    assert without.suggestions == {"seen-events": ["purchase"], "seen-properties": ["amount", "order.total"]}


def test_nothing_is_warned_of_before_the_first_event(tenant):
    assert summary(Console(tenant), **WORKOUT).context["beside"].warnings == []


def test_the_summary_costs_the_same_for_many_events(tenant, django_assert_max_num_queries):
    console = Console(tenant)
    names = ", ".join(f"event_{number}" for number in range(30))
    EventFactory.create_batch(30, participant=ParticipantFactory(tenant=tenant))
    fields = sent_by(console.get("streaks_streak_add"))

    with django_assert_max_num_queries(20):
        console.client.post(
            reverse("admin:streaks_streak_new_summary"),
            fields | WORKOUT | {"event_types": names},
            headers={"X-Fragment": "1"},
        )


def test_no_editor_shows_the_id_of_a_reward(tenant):
    reward = create_reward(tenant=tenant, data={"name": "Coupon", "reward_type": "coupon"}, now=timezone.now())
    milestone = {"threshold": 7, "reward_item_id": str(reward.pk), "repeatable": False}
    data = {"code": "gym", "name": "Gym", "event_types": ["gym"], "milestones": [milestone]}
    row = create_streak(tenant=tenant, data=data, now=timezone.now())

    page = text_of(Console(tenant).get("streaks_streak_change", row.pk))

    assert f'<option value="{reward.pk}" selected>Coupon</option>' in page
    assert Streak.objects.get().milestones == [milestone]
