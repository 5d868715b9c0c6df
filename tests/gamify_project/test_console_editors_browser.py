"""The form of a definition in the browser: the summary follows the input, a changed form warns, and a lost session loses no input."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from playwright.sync_api import Dialog, Page, expect

from rewards.services import create_reward
from tests.factories import TenantFactory, raw_key
from tests.gamify_project.test_console_browser import PASSWORD, chromium, complaints, log_in, page, site
from tests.gamify_project.test_console_definitions_browser import call

__all__ = ["chromium", "complaints", "page", "site"]  # fixtures

pytestmark = pytest.mark.browser

SENTENCE = "3 × workout a week, weeks start on Monday in UTC; 1 missed week is forgiven; at 4 weeks: Coupon 10 % off."


@pytest.fixture
def key(site: str) -> str:
    """Rows created before the browser starts, because Django refuses queries while its event loop runs."""
    tenant = TenantFactory(name="Acme")
    data = {"code": "coupon", "name": "Coupon 10 % off", "reward_type": "coupon"}
    create_reward(tenant=tenant, data=data, now=datetime.now(UTC))
    return raw_key(tenant, "admin")


def test_an_edited_form_warns_and_a_lost_session_keeps_the_input(
    site: str, key: str, page: Page, complaints: list[str]
) -> None:
    log_in(page, site, tells="Acme, live")

    fill_in(page, site)
    expect(page.locator(".console-sentence")).to_have_text(SENTENCE)
    expect(page.locator(".console-problems")).to_have_count(0)
    assert asked_before_leaving(page, site)

    lose_the_session(page, site)
    page.click("[data-restore]")
    expect(page.locator(".console-sentence")).to_have_text(SENTENCE)
    page.click("button:has-text('Save') >> nth=0")
    page.wait_for_selector("text=was added successfully")
    page.click("#result_list a:has-text('Weekly workout')")
    expect(page.locator(".console-sentence")).to_have_text(SENTENCE)
    expect(page.locator("[data-lost-input]")).to_be_hidden()

    assert complaints == []


def test_a_weekly_streak_with_a_coupon_is_tried_published_ticked_and_claimed(
    site: str, key: str, page: Page, complaints: list[str]
) -> None:
    log_in(page, site, tells="Acme, live")
    fill_in(page, site)
    page.click("button:has-text('Save') >> nth=0")
    page.wait_for_selector("text=was added successfully")

    try_it(page)
    page.click(".console-head a:has-text('Activate')")
    page.click("button:has-text('Activate')")
    page.wait_for_selector("text=Activated Weekly workout.")
    for at in workouts():
        call(site, key, "events", participant_id="ada", event_name="workout", timestamp=at.isoformat())

    page.goto(f"{site}/console/rewards/claim/")
    expect(page.locator("#result_list")).to_contain_text("Coupon 10 % off")
    expect(page.locator("#result_list")).to_contain_text("ada")
    assert complaints == []


def try_it(page: Page) -> None:
    page.click("#result_list a:has-text('Weekly workout')")
    page.click(".console-head a:has-text('Would it count?')")
    page.fill("[name=event_name]", "workout")
    page.click("button:has-text('Try it')")
    expect(page.locator(".console-verdict h2")).to_have_text("It would count (0 in a row).")
    page.click("a:has-text('Back')")


def workouts() -> Iterator[datetime]:
    """Three days in each of the last four whole weeks."""
    now = datetime.now(UTC)
    monday = now.replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=now.weekday())
    yield from (monday - timedelta(weeks=week) + timedelta(days=day) for week in (4, 3, 2, 1) for day in (0, 1, 2))


def fill_in(page: Page, site: str) -> None:
    page.goto(f"{site}/console/streaks/streak/add/")
    page.fill("[name=code]", "weekly_workout")
    page.fill("[name=name]", "Weekly workout")
    page.select_option("[name=status]", "draft")
    page.fill("[name=event_types]", "workout")
    page.select_option("[name=period]", "weekly")
    page.fill("[name=condition_min]", "3")
    page.fill("[name=grace_periods]", "1")
    page.fill("[name=milestones-threshold]", "4")
    page.select_option("[name=milestones-reward]", label="Coupon 10 % off")


def asked_before_leaving(page: Page, site: str) -> bool:
    """Try to leave the form, and stay."""
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stay)
    page.evaluate("location.assign('/console/')")
    page.wait_for_timeout(500)
    return asked == ["beforeunload"] and page.url.endswith("/streak/add/")


def lose_the_session(page: Page, site: str) -> None:
    """The session ends, the form is saved, and the member of staff logs in again."""
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.click("button:has-text('Save') >> nth=0")
    page.fill("[name=username]", "ops")
    page.fill("[name=password]", PASSWORD)
    page.click("text=Log in")
    page.wait_for_selector("text=Your session had ended when you saved.")
