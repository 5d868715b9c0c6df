"""Rules in the browser: staff define one in rows, try it on an event, and replay the past."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, expect

from tests.factories import BadgeFactory, EventFactory, ParticipantFactory, TenantFactory, raw_key
from tests.gamify_project.test_console_browser import chromium, complaints, log_in, page, site

__all__ = ["chromium", "complaints", "page", "site"]  # fixtures

pytestmark = pytest.mark.browser


@pytest.fixture
def key(site: str) -> str:
    """Rows created before the browser starts, because Django refuses queries while its event loop runs.

    user_1 bought something for 120 yesterday.
    """
    tenant = TenantFactory(name="Acme")
    BadgeFactory(tenant=tenant, code="vip", name="V.I.P.")
    buyer = ParticipantFactory(tenant=tenant, external_id="user_1")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    EventFactory(participant=buyer, name="purchase", properties={"amount": 120}, occurred_at=yesterday)
    return raw_key(tenant, "admin")


def test_rules_are_defined_tried_and_replayed(site: str, key: str, page: Page, complaints: list[str]) -> None:
    log_in(page, site, tells="Acme, live")

    define(page, site)
    assert given(site, key) == [
        {"type": "points", "field": "amount", "factor": 1.5, "max": 150},
        {"type": "badge", "code": "vip"},
    ]
    try_an_event(page)
    play_the_past(page, site)

    assert complaints == []


def define(page: Page, site: str) -> None:
    """A row shows the inputs of its kind, with suggestions. Errors are shown beside it."""
    page.goto(f"{site}/console/rules/rule/add/")
    page.fill("[name=code]", "big_spender")
    page.fill("[name=name]", "Big spender")
    page.fill("[name=event_types]", "purchase")
    page.fill("[name=conditions-field]", "amount")
    page.select_option("[name=conditions-operator]", "gte")
    page.select_option("[name=conditions-kind]", "number")
    page.fill("[name=conditions-value]", "100")
    expect(page.locator("[name=grants-field]")).to_be_hidden()
    page.select_option("[name=grants-kind]", "points_by")
    expect(page.locator("[name=grants-amount]")).to_be_hidden()
    page.fill("[name=grants-field]", "amount")
    page.fill("[name=grants-factor]", "1.5")
    page.fill("[name=grants-max]", "150")
    page.click("text=+ Add a grant")
    badge = page.locator("[name=grants-named]").nth(1)
    page.locator("[name=grants-kind]").nth(1).select_option("badge")
    expect(badge).to_have_attribute("list", "grants-badge")
    expect(page.locator("#grants-badge option")).to_have_attribute("value", "vip")
    badge.fill("gone")
    page.click("button:has-text('Save') >> nth=0")
    page.wait_for_selector("text=No. 2: the code must be the code of an active badge.")
    page.locator("[name=grants-named]").nth(1).fill("vip")
    page.click("button:has-text('Save') >> nth=0")
    page.wait_for_selector("text=was added successfully")
    expect(page.locator("#result_list")).to_contain_text("1.5 × amount points, at most 150; badge vip")


def given(site: str, key: str) -> Any:
    """Return the rule from the API."""
    with urlopen(Request(f"{site}/api/v1/gamify/admin/rules", headers={"X-API-Key": key})) as answer:
        return json.load(answer)["items"][0]["then"]


def try_an_event(page: Page) -> None:
    page.click("#result_list a:has-text('Big spender')")
    page.click(".console-head a:has-text('Try an event')")
    expect(page.locator("[name=event_name]")).to_have_value("purchase")
    page.fill("[name=properties-key]", "amount")
    page.select_option("[name=properties-kind]", "number")
    page.fill("[name=properties-value]", "60")
    page.click("button:has-text('Try it')")
    page.wait_for_selector("text=✗ amount is at least 100")
    page.locator("[name=properties-value]").nth(0).fill("110")
    page.click("button:has-text('Try it')")
    page.wait_for_selector("text=✓ amount is at least 100")
    expect(page.get_by_label("What it would lead to")).to_contain_text("150 points")


def play_the_past(page: Page, site: str) -> None:
    page.goto(f"{site}/console/rules/rule/")
    page.click("#result_list a:has-text('Big spender')")
    page.click(".console-head a:has-text('What if')")
    page.locator("[name=grants-max]").nth(0).fill("100")
    page.click("button:has-text('Show')")
    expect(page.get_by_label("What would have been given")).to_contain_text("150")
    expect(page.get_by_label("Who would lose")).to_contain_text("-50")
