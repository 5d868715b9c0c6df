"""Streaks in the browser: staff define one with milestones, preview and pause it, and repair runs."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, expect

from streaks.services import create_streak, record
from tests.factories import TenantFactory, raw_key
from tests.gamify_project.test_console_browser import chromium, complaints, log_in, page, site

__all__ = ["chromium", "complaints", "page", "site"]  # fixtures

pytestmark = pytest.mark.browser


@pytest.fixture
def key(site: str) -> str:
    """Rows created before the browser starts, because Django refuses queries while its event loop runs.

    user_1 had a run of three days, which broke a week ago.
    """
    now = datetime.now(UTC)
    tenant = TenantFactory(name="Acme")
    create_streak(tenant=tenant, data={"code": "daily_login", "name": "Daily login", "event_types": ["login"]}, now=now)
    for days in (9, 8, 7):
        at = now - timedelta(days=days)
        record(tenant=tenant, participant_id="user_1", streak_code="daily_login", at=at, now=now)
    return raw_key(tenant, "admin")


def test_streaks_are_defined_deactivated_and_repaired(site: str, key: str, page: Page, complaints: list[str]) -> None:
    log_in(page, site, tells="Acme, live")

    define(page, site)
    assert defined(site, key) == {"period": "weekly", "grace_periods": 1, "fact_type": "purchase", "is_active": True}
    pause_and_resume(page, site)
    restore(page, site)
    freeze(page)
    amnesty(page, site)

    assert complaints == []


def define(page: Page, site: str) -> None:
    """Fields that a choice makes useless are hidden. Errors are shown beside their field."""
    page.goto(f"{site}/console/streaks/streak/add/")
    page.fill("[name=code]", "weekly_spend")
    page.fill("[name=name]", "Weekly spend")
    page.fill("[name=event_types]", "purchase")
    expect(page.locator("[name=duration_seconds]")).to_be_hidden()
    expect(page.locator("[name=condition_field]")).to_be_hidden()
    page.select_option("[name=period]", "rolling")
    expect(page.locator("[name=duration_seconds]")).to_be_visible()
    expect(page.locator("[name=reset_time]")).to_be_hidden()
    page.select_option("[name=period]", "weekly")
    page.select_option("[name=condition_type]", "sum")
    page.fill("[name=condition_min]", "50")
    page.fill("[name=grace_periods]", "1")
    milestone(page, 0, "4")
    page.click("text=+ Add a milestone")
    milestone(page, 1, "four", paid="run")
    page.click("button:has-text('Save') >> nth=0")
    page.wait_for_selector("text=Property must be the dotted path of a property.")
    page.wait_for_selector("text=No. 2: the length must be a whole number.")
    page.fill("[name=condition_field]", "amount")
    milestone(page, 1, "12", paid="run")
    page.click("button:has-text('Save') >> nth=0")
    page.wait_for_selector("text=was added successfully")
    expect(page.locator("#result_list")).to_contain_text("amount adds up to 50")


def milestone(page: Page, index: int, threshold: str, *, paid: str = "ever") -> None:
    page.locator("[name=milestones-threshold]").nth(index).fill(threshold)
    page.locator("[name=milestones-paid]").nth(index).select_option(paid)


def defined(site: str, key: str) -> dict[str, Any]:
    """Return the streak from the API."""
    request = Request(f"{site}/api/v1/gamify/admin/streaks", headers={"X-API-Key": key})
    with urlopen(request) as answer:
        streaks = {streak["code"]: streak for streak in json.load(answer)["items"]}
    names = ("period", "grace_periods", "fact_type", "is_active")
    return {name: streaks["weekly_spend"][name] for name in names}


def pause_and_resume(page: Page, site: str) -> None:
    page.goto(f"{site}/console/streaks/streak/")
    page.click("#result_list a:has-text('Daily login')")
    page.click(".console-head a:has-text('Pause')")
    expect(page.locator("[data-preview]")).to_contain_text("1 participant has it.")
    page.click("button:has-text('Pause')")
    page.wait_for_selector("text=Paused Daily login.")
    expect(page.locator(".console-head")).to_contain_text("paused")
    page.click(".console-head a:has-text('Resume')")
    expect(page.locator("[data-preview]")).to_contain_text("0 runs are alive")
    page.click("button:has-text('Resume')")
    page.wait_for_selector("text=Resumed Daily login.")


def restore(page: Page, site: str) -> None:
    page.goto(f"{site}/console/participants/participant/")
    page.click("text=user_1")
    streaks = page.get_by_label("Streaks", exact=True)
    expect(streaks).to_contain_text("broken")
    expect(streaks.locator("li.is-kept")).to_have_count(3)
    page.click(".console-head a:has-text('Restore streak')")
    expect(page.locator("[name=streak_code]")).to_contain_text("Daily login (a run of 3 broke)")
    page.fill("[name=reason]", "Our outage")
    page.click("button:has-text('Restore')")
    page.wait_for_selector("text=Restored Daily login; the run is 3 long.")
    expect(streaks.locator("li.is-excused")).not_to_have_count(0)
    expect(page.get_by_label("Freezes")).to_contain_text("Our outage")


def freeze(page: Page) -> None:
    """The first attempt has the dates reversed, which the service refuses."""
    today = datetime.now(UTC).date()
    page.click(".console-head a:has-text('Freeze streak')")
    page.fill("[name=begin]", str(today + timedelta(days=3)))
    page.fill("[name=end]", str(today))
    page.fill("[name=reason]", "On holiday")
    page.click("button:has-text('Freeze')")
    page.wait_for_selector("text=Must not be before “From”.")
    page.fill("[name=begin]", str(today))
    page.fill("[name=end]", str(today + timedelta(days=3)))
    page.click("button:has-text('Freeze')")
    page.wait_for_selector("text=Excused in Daily login")
    expect(page.get_by_label("Streaks", exact=True)).to_contain_text("frozen")
    expect(page.get_by_label("Freezes")).to_contain_text("On holiday")


def amnesty(page: Page, site: str) -> None:
    page.goto(f"{site}/console/streaks/amnesty/")
    page.click("a[href$='/console/streaks/amnesty/add/'] >> nth=0")
    page.fill("[name=name]", "Outage")
    page.fill("[name=from_on]", "2026-02-14")
    page.fill("[name=to_on]", "2026-02-15")
    page.check("[name=streak_codes][value=daily_login]")
    page.fill("[name=reason]", "The database was down.")
    page.click("button:has-text('Preview')")
    expect(page.locator("[data-preview] li").last).to_have_text(
        "Daily login: 1 participant, 1 run alive, 0 at risk now."
    )
    page.click("button:has-text('Change it')")
    page.fill("[name=to_on]", "2026-02-16")
    page.click("button:has-text('Preview')")
    page.click("button:has-text('Declare it')")
    page.wait_for_selector("text=Declared: Outage.")
    page.click(".console-head a:has-text('Undo')")
    page.click("button:has-text('Undo')")
    page.wait_for_selector("text=Undone: Outage.")
    expect(page.locator(".console-head")).to_contain_text("undone")
