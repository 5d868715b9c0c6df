"""Challenges in the browser: staff define one in cards and enrol a participant."""

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.factories import ParticipantFactory, TenantFactory, raw_key
from tests.gamify_project.test_console_browser import chromium, complaints, log_in, page, site

__all__ = ["chromium", "complaints", "page", "site"]  # fixtures

pytestmark = pytest.mark.browser


@pytest.fixture
def key(site: str) -> str:
    """Rows created before the browser starts, because Django refuses queries while its event loop runs."""
    tenant = TenantFactory(name="Acme")
    ParticipantFactory(tenant=tenant, external_id="user_1")
    return raw_key(tenant, "admin")


def test_challenges_are_defined_in_cards_and_started_by_staff(
    site: str, key: str, page: Page, complaints: list[str]
) -> None:
    log_in(page, site, tells="Acme, live")

    define(page, site)
    assert [each["code"] for each in defined(site, key)["objectives"]] == ["login", "spend"]
    edit(page)
    enrol(page, site)

    assert complaints == []
    shown = defined(site, key)
    assert [(each["code"], each["condition"]["min"], each["prerequisites"]) for each in shown["objectives"]] == [
        ("spend", 50, []),
        ("review", 1, ["spend"]),
    ]
    only_pro = {"condition": {"field": "plan", "operator": "eq", "value": "pro"}}
    assert [each["expression"] for each in shown["objectives"]] == [only_pro, None]
    assert shown["milestones"] == [{"objectives": 1, "grants": [{"type": "points", "amount": 10}]}]
    assert shown["duration_days"] == 7


def define(page: Page, site: str) -> None:
    """Fields that a choice makes useless are hidden. Cards and their rows are added one by one."""
    page.goto(f"{site}/console/challenges/challenge/add/")
    page.fill("[name=code]", "quest")
    page.fill("[name=name]", "Quest")
    expect(page.locator("[name=starts_at]")).to_be_hidden()
    page.select_option("[name=duration_type]", "rolling")
    page.fill("[name=duration_days]", "7")
    objective(page, 0, code="login", label="Log in", events="login")
    expect(card(page, 1)).to_be_hidden()
    page.click("text=+ Add an objective")
    objective(page, 1, code="spend", label="Spend", events="purchase", minimum="50", prerequisites="login")
    card(page, 1).locator("select[name$=-kind]").first.select_option("sum")
    card(page, 1).locator("[name=objectives-1-of]").fill("amount")
    condition(page, 1)
    milestone = page.locator("[name=milestones-0-objectives]")
    milestone.fill("1")
    page.locator("[name=milestones-0-grants-amount]").first.fill("10")
    page.click("button:has-text('Save') >> nth=0")
    page.wait_for_selector("text=was added successfully")
    expect(page.locator("#result_list")).to_contain_text("7 days each")


def edit(page: Page) -> None:
    """A removed card is replaced by a blank one. Blank cards are not saved."""
    page.click("#result_list a:has-text('Quest')")
    card(page, 0).locator("[data-remove-card]").click()
    expect(card(page, 0)).to_be_hidden()
    page.fill("[name=objectives-1-prerequisites]", "")
    page.click("text=+ Add an objective")
    expect(page.locator("[name=objectives-0-code]")).to_have_value("")
    page.click("text=+ Add an objective")
    objective(page, 2, code="review", label="Review", events="review", prerequisites="spend")
    page.click("button:has-text('Save') >> nth=0")
    page.wait_for_selector("text=was changed successfully")


def enrol(page: Page, site: str) -> None:
    page.goto(f"{site}/console/participants/participant/")
    page.click("#result_list a:has-text('user_1')")
    page.click("text=Enrol in challenge")
    page.select_option("[name=code]", "quest")
    page.fill("[name=audit_reason]", "Asked by mail")
    page.click("button:has-text('Enrol')")
    page.wait_for_selector("text=Enrolled in Quest.")
    expect(page.locator("text=Spend 0 of 50, Review 0 of 1")).to_be_visible()


def card(page: Page, index: int) -> Locator:
    return page.locator(f"[data-card]:has([name=objectives-{index}-code])")


def objective(page: Page, index: int, **said: str) -> None:
    for name, value in said.items():
        page.fill(f"[name=objectives-{index}-{name}]", value)


def condition(page: Page, index: int) -> None:
    card(page, index).locator("text=+ Add a condition").click()
    rows = card(page, index).locator("[data-row]")
    rows.last.locator("[name$=-field]").fill("plan")
    rows.last.locator("[name$=-value]").fill("pro")


def defined(site: str, key: str) -> dict[str, Any]:
    """Return the definition from the API."""
    request = Request(f"{site}/api/v1/gamify/admin/challenges", headers={"X-API-Key": key})
    with urlopen(request) as answer:
        challenge: dict[str, Any] = json.load(answer)["items"][0]
    return challenge
