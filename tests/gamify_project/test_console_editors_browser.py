"""The form of a definition in the browser: the summary follows the input, a changed form warns, and a lost session loses no input."""

from datetime import UTC, datetime

import pytest
from django.conf import settings
from playwright.sync_api import Dialog, Page, expect

from rewards.services import create_reward
from tests.factories import TenantFactory
from tests.gamify_project.test_console_browser import PASSWORD, chromium, complaints, log_in, page, site

__all__ = ["chromium", "complaints", "page", "site"]  # fixtures

pytestmark = pytest.mark.browser

SENTENCE = "3 × workout a week, weeks start on Monday in UTC; 1 missed week is forgiven; at 4 weeks: Coupon 10 % off."


@pytest.fixture
def tenant(site: str) -> None:
    """Rows created before the browser starts, because Django refuses queries while its event loop runs."""
    tenant = TenantFactory(name="Acme")
    data = {"code": "coupon", "name": "Coupon 10 % off", "reward_type": "coupon"}
    create_reward(tenant=tenant, data=data, now=datetime.now(UTC))


def test_an_edited_form_warns_and_a_lost_session_keeps_the_input(
    site: str, tenant: None, page: Page, complaints: list[str]
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
