"""A badge, a tier and a streak that staff define in the browser are used by the API immediately."""

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, expect

from tests.factories import TenantFactory, raw_key
from tests.gamify_project.test_console_browser import chromium, complaints, log_in, page, site

__all__ = ["chromium", "complaints", "page", "site"]  # fixtures

pytestmark = pytest.mark.browser


@pytest.fixture
def key(site: str) -> str:
    """Rows created before the browser starts, because Django refuses queries while its event loop runs."""
    return raw_key(TenantFactory(name="Acme"))


def test_definitions_made_in_the_console_are_used_by_the_api(
    site: str, key: str, page: Page, complaints: list[str]
) -> None:
    log_in(page, site, tells="Acme, live")

    make_badge(page, site)
    make_tier(page, site)
    make_streak(page, site)
    use(site, key)

    see_what_came_of_it(page, site)
    assign_tier(page)
    switch_off(page, site)
    assert complaints == []


def make_badge(page: Page, site: str) -> None:
    page.goto(f"{site}/console/badges/badge/add/")
    page.fill("[name=code]", "first_steps")
    page.fill("[name=name]", "First steps")
    page.select_option("[name=rarity]", "rare")
    save(page)


def make_tier(page: Page, site: str) -> None:
    """The first attempt is refused with the message of the API."""
    page.goto(f"{site}/console/tiers/tier/add/")
    page.fill("[name=code]", "gold")
    page.fill("[name=name]", "Gold")
    page.fill("[name=level]", "3")
    page.fill("[name=benefits]", "Free shipping\nA cake")
    page.click("button:has-text('Save') >> nth=0")
    page.wait_for_selector("text=Required for an automatic tier.")
    page.fill("[name=min_points]", "200")
    page.fill("[data-color-picker]", "#ffd700")
    expect(page.locator("[name=color]")).to_have_value("#FFD700")
    save(page)


def make_streak(page: Page, site: str) -> None:
    page.goto(f"{site}/console/streaks/streak/add/")
    page.fill("[name=code]", "daily_login")
    page.fill("[name=name]", "Daily login")
    page.fill("[name=event_types]", "login, app_opened")
    page.fill("[name=fact_filter-field]", "plan")
    page.fill("[name=fact_filter-value]", "pro")
    page.click("[data-add]")
    second = page.locator("[data-row]").nth(1)
    second.locator("[name=fact_filter-field]").fill("coupon")
    second.locator("[name=fact_filter-operator]").select_option("missing")
    expect(second.locator("[name=fact_filter-value]")).to_be_hidden()
    save(page)


def save(page: Page) -> None:
    page.click("button:has-text('Save') >> nth=0")
    page.wait_for_selector("text=was added successfully")


def use(site: str, key: str) -> None:
    awarded = call(site, key, "points/award", participant_id="user_123", amount=250)
    assert awarded["tier_upgrade"]["code"] == "gold"
    given = call(site, key, "badges/award", participant_id="user_123", badge_code="first_steps")
    assert (given["badge_name"], given["rarity"]) == ("First steps", "rare")
    assert call(site, key, "streaks/record", participant_id="user_123", streak_code="daily_login")["new_count"] == 1


def call(site: str, key: str, path: str, **body: Any) -> Any:
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    with urlopen(Request(f"{site}/api/v1/gamify/{path}", json.dumps(body).encode(), headers)) as answer:
        return json.load(answer)


def see_what_came_of_it(page: Page, site: str) -> None:
    page.goto(f"{site}/console/participants/participant/")
    page.click("text=user_123")
    expect(page.get_by_label("Tier", exact=True)).to_contain_text("Gold (level 3)")
    expect(page.get_by_label("Badges")).to_contain_text("First steps")
    expect(page.get_by_label("Streaks")).to_contain_text("alive")


def assign_tier(page: Page) -> None:
    page.click("text=Assign tier")
    page.fill("[name=reason]", "Goodwill")
    page.click("button:has-text('Assign')")
    page.wait_for_selector("text=Assigned by hand.")


def switch_off(page: Page, site: str) -> None:
    page.goto(f"{site}/console/streaks/streak/")
    page.check("[name=_selected_action]")
    page.select_option("select[name=action]", "deactivate")
    page.click("button[name=index]")
    page.wait_for_selector("text=Deactivate 1 streak")
    page.click("button:has-text('Deactivate')")
    page.wait_for_selector("text=Deactivated 1 streak.")
