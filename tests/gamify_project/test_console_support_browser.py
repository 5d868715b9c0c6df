"""A day in support, in the browser: adjust, reverse, freeze and lift in dialogs, and on pages if the script is missing."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from gamify.points.services import Change, award
from participants.models import Participant
from streaks.services import create_streak, record
from tests.factories import TenantFactory
from tests.gamify_project.test_console_browser import chromium, complaints, log_in, page, site

__all__ = ["chromium", "complaints", "page", "site"]  # fixtures

pytestmark = pytest.mark.browser
DIALOG = "dialog[open]"


@pytest.fixture
def person(site: str) -> str:
    """The page of Ada, who got 250 points and was active on the last three days but yesterday."""
    now = datetime.now(UTC)
    tenant = TenantFactory(name="Acme")
    create_streak(tenant=tenant, data={"code": "daily", "name": "Daily login", "event_types": ["login"]}, now=now)
    for days in (4, 3, 2):
        record(tenant=tenant, participant_id="ada", streak_code="daily", at=now - timedelta(days=days), now=now)
    award(tenant=tenant, change=Change(participant_id="ada", amount=250, reason="Onboarding"), now=now)
    Participant.objects.update(display_name="Ada Lovelace")
    return f"{site}/console/participants/participant/{Participant.objects.get().pk}/change/"


def test_support_adjusts_reverses_freezes_and_lifts(site: str, person: str, page: Page, complaints: list[str]) -> None:
    log_in(page, site, tells="Acme, live")
    page.goto(person)
    expect(page.locator(".console-head h2")).to_have_text("Ada Lovelace")

    adjust(page)
    reverse(page, person)
    freeze(page)
    lift(page)
    erase_is_out_of_sight(page)

    assert complaints == []


def adjust(page: Page) -> None:
    """The dialog shows what is wrong and stays open. Escape closes it, and the focus returns to the button."""
    page.click(".console-buttons a:has-text('Adjust')")
    expect(page.locator(f"{DIALOG} [name=delta]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator(".console-buttons a:has-text('Adjust')")).to_be_focused()

    page.keyboard.press("Enter")
    page.fill(f"{DIALOG} [name=delta]", "-50")
    page.click(f"{DIALOG} button:has-text('Adjust')")
    expect(page.locator(f"{DIALOG} .errors")).to_contain_text("This field is required.")
    expect(page.locator(f"{DIALOG} [name=reason]")).to_be_focused()
    page.fill(f"{DIALOG} [name=reason]", "Counted twice")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Adjusted by -50 points; the balance is 200.")
    expect(page.locator(".console-timeline li").first).to_contain_text("-50 points")
    expect(page.locator(".console-timeline li").first).to_contain_text("“Counted twice”")


def reverse(page: Page, person: str) -> None:
    """From the entry in the timeline to its page, and back. The entry then says that it is reversed."""
    page.click(".console-timeline li:has-text('-50 points') a:has-text('Points adjusted')")
    page.click(".console-buttons a:has-text('Reverse')")
    page.fill(f"{DIALOG} [name=reason]", "The first count was right")
    page.click(f"{DIALOG} button:has-text('Reverse the entry')")
    page.wait_for_selector("text=the balance is 250")
    page.goto(person)
    expect(page.locator(".console-timeline li:has-text('“Counted twice”')")).to_contain_text("Reversed")


def freeze(page: Page) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    page.click(".console-buttons a:has-text('Freeze streak')")
    page.fill(f"{DIALOG} [name=begin]", yesterday.isoformat())
    page.fill(f"{DIALOG} [name=reason]", "Ill")
    page.click(f"{DIALOG} button:has-text('Freeze')")
    page.wait_for_selector("text=Excused in Daily login")
    expect(page.locator(f"[title='{yesterday}: excused, run of 3']")).to_contain_text("❄")


def lift(page: Page) -> None:
    """What changes is shown first."""
    page.click("section[aria-label=Freezes] a:has-text('Lift')")
    page.fill(f"{DIALOG} [name=reason]", "The wrong person")
    page.click(f"{DIALOG} button:has-text('Show what changes')")
    expect(page.locator(f"{DIALOG} [data-preview]")).to_contain_text("The run of 3 breaks")
    page.click(f"{DIALOG} button:has-text('Lift it')")
    page.wait_for_selector("text=Lifted the freeze of Daily login; the run is 0 long.")
    expect(page.locator("section[aria-label=Freezes]")).to_have_count(0)
    expect(page.locator(".console-timeline")).to_contain_text("Freeze of streak Daily login lifted")


def erase_is_out_of_sight(page: Page) -> None:
    expect(page.locator("a:has-text('Delete')")).to_be_hidden()
    page.click("summary:has-text('More')")
    page.click("a:has-text('Delete')")
    expect(page.locator(DIALOG)).to_contain_text("This cannot be undone.")
    page.click(f"{DIALOG} a:has-text('Cancel')")
    expect(page.locator("dialog")).to_have_count(0)


def test_without_its_script_every_action_is_a_page_of_its_own(site: str, person: str, page: Page) -> None:
    page.route("**/dialogs.js", lambda route: route.abort())
    log_in(page, site, tells="Acme, live")
    page.goto(person)

    page.click(".console-buttons a:has-text('Adjust')")
    page.wait_for_url("**/adjust/")
    page.fill("[name=delta]", "5")
    page.fill("[name=reason]", "Goodwill")
    page.click("button:has-text('Adjust')")

    page.wait_for_selector("text=the balance is 255")
    assert page.url == person
