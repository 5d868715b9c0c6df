"""A tour of the console in a real browser: the steps of a new user, without violations of the content policy."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests import browsers

PASSWORD = "correct horse battery"

pytestmark = pytest.mark.browser


@pytest.fixture
def site(transactional_db: None, live_server: Any) -> str:
    User.objects.create_superuser("ops", password=PASSWORD)
    return str(live_server.url)


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """Not the fixture of pytest-playwright: its event loop would stay in this thread, and Django would refuse later tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browsers.browser(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """Messages of the browser: policy violations, script errors, missing files."""
    return []


@pytest.fixture
def page(chromium: Browser, complaints: list[str]) -> Page:
    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"{message.text} ({message.location.get('url')})")

    page = chromium.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_default_timeout(15_000)
    return page


def test_from_the_login_to_the_ledger(site: str, page: Page, complaints: list[str]) -> None:
    log_in(page, site)
    add_tenant(page, site)
    secret = make_key(page, site)
    award(site, secret)

    see_participant(page, site)
    give_attribute(page)
    award_in_console(page)
    see_ledger(page)
    read_docs(page, site)

    assert complaints == []


def log_in(page: Page, site: str, *, tells: str = "No tenant chosen") -> None:
    page.goto(f"{site}/console/")
    page.fill("[name=username]", "ops")
    page.fill("[name=password]", PASSWORD)
    page.click("text=Log in")
    page.wait_for_selector(f"text={tells}")


def add_tenant(page: Page, site: str) -> None:
    page.click("text=add a tenant")
    page.fill("[name=name]", "Acme")
    page.fill("[name=slug]", "acme")
    page.click("button:has-text('Save') >> nth=0")
    page.wait_for_selector("text=was added successfully")


def make_key(page: Page, site: str) -> str:
    """The secret is shown once: a reload shows the key without it."""
    page.goto(f"{site}/console/participants/apikey/add/")
    page.fill("[name=name]", "shop")
    page.click("button:has-text('Save')")
    secret = page.inner_text("#secret")
    page.click("[data-copy]")
    page.reload()
    assert page.inner_text("header.console-head h2") == f"{secret[:14]}…"
    assert secret not in page.content()
    return secret


def award(site: str, secret: str) -> None:
    body = json.dumps({"participant_id": "user_123", "amount": 250, "reason": "Completed onboarding"}).encode()
    headers = {"X-API-Key": secret, "Content-Type": "application/json"}
    with urlopen(Request(f"{site}/api/v1/gamify/points/award", body, headers)) as answer:
        assert json.load(answer)["new_balance"] == 250


def see_participant(page: Page, site: str) -> None:
    page.goto(f"{site}/console/participants/participant/")
    page.click("text=user_123")
    page.wait_for_selector("text=+250 points")


def give_attribute(page: Page) -> None:
    page.click("text=Edit profile")
    page.fill("[data-row] [name$=-key]", "plan")
    page.fill("[data-row] [name$=-value]", "gold")
    page.click("[data-add]")
    page.locator("[data-row] [name$=-key]").nth(1).fill("beta")
    page.locator("[data-row] select").nth(1).select_option("yes")
    page.click("button:has-text('Save')")
    page.wait_for_selector("text=was changed successfully")
    expect(page.get_by_label("Profile", exact=True)).to_contain_text("gold")


def award_in_console(page: Page) -> None:
    page.click("text=Award points")
    page.fill("[name=amount]", "50")
    page.fill("[name=reason]", "Goodwill")
    page.click("button:has-text('Award')")
    page.wait_for_selector("text=the balance is 300")


def see_ledger(page: Page) -> None:
    page.click("summary:has-text('More')")
    page.click(".console-head a:has-text('Ledger')")
    rows = page.locator("#result_list .data-row")
    expect(rows).to_contain_text(["Goodwill", "Completed onboarding"])


def read_docs(page: Page, site: str) -> None:
    page.goto(f"{site}/api/docs")
    page.wait_for_selector("text=award-batch", timeout=60_000)  # a long page
