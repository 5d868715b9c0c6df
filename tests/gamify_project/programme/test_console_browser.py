"""The programme in the browser, on a wide and on a narrow screen."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.factories import BadgeAwardFactory, BadgeFactory, ParticipantFactory, TenantFactory
from tests.gamify_project.programme.worlds import EVERYTHING, imported
from tests.gamify_project.test_console_browser import chromium, complaints, log_in, page, site

__all__ = ["chromium", "complaints", "page", "site"]  # fixtures

pytestmark = pytest.mark.browser

PICTURES = os.environ.get("PROGRAMME_PICTURES", "")


@pytest.fixture
def sandbox_with_everything(site: str) -> None:
    tenant = TenantFactory(name="Acme")
    imported(tenant.sandbox, EVERYTHING)
    badge = BadgeFactory(tenant=tenant, code="on", name="First", rarity="common")
    BadgeAwardFactory(badge=badge, participant=ParticipantFactory(tenant=tenant))
    BadgeFactory(tenant=tenant, code="old", name="Old")


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def is_as_wide_as_the_screen(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("width", [1280, 390])
def test_the_sandbox_is_copied_to_live(
    site: str, sandbox_with_everything: None, page: Page, complaints: list[str], width: int
) -> None:
    log_in(page, site, tells="Acme, live")
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{site}/console/programme/")
    picture(page, f"overview-{width}")
    assert is_as_wide_as_the_screen(page)

    page.locator("section[aria-label='Import a file'] textarea").fill(
        "version: 1\nbadges:\n  - {code: a, nam: A}\nfoo: 1\n"
    )
    page.locator("section[aria-label='Import a file'] button:has-text('Show the differences')").click()
    expect(page.locator(".console-faults")).to_contain_text("Line 4")
    picture(page, f"faults-{width}")

    copying = page.locator("section[aria-label='Copy from another tenant']")
    copying.locator("label:has-text('Also archive'), input[name=prunes]").first.click()
    copying.locator("button:has-text('Show the differences')").click()
    expect(page.locator("form.console-box h2")).to_contain_text("What changes in Acme")
    page.locator(".console-changes summary").first.click()
    picture(page, f"differences-{width}")
    assert is_as_wide_as_the_screen(page)

    page.click("button:has-text('What would it have done?')")
    expect(page.locator("section.console-box h2")).to_contain_text("in the last 30 days")
    picture(page, f"impact-{width}")

    page.click("button:has-text('Make the chosen changes')")
    expect(page.locator("body")).to_contain_text("The programme was imported")
    expect(page.locator("section[aria-label='Roll back']")).to_be_visible()
    picture(page, f"done-{width}")
    assert complaints == []
