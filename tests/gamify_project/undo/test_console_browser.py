"""Undo in the browser, on a wide and on a narrow screen."""

import os
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from gamify.points.services import Change, award, deduct
from gamify_project.undo.models import Undo
from participants.actors import Actor, acting_as
from tests.factories import TenantFactory
from tests.gamify_project.test_console_browser import chromium, complaints, log_in, page, site
from tests.gamify_project.undo.worlds import finish
from tests.threads import all_at_once

__all__ = ["chromium", "complaints", "page", "site"]  # fixtures

pytestmark = pytest.mark.browser

PICTURES = os.environ.get("UNDO_PICTURES", "")
KEY = "01a20030-0b1c-7d2e-8f3a-4b5c6d7e8f90"


@pytest.fixture
def leaked_key(site: str) -> None:
    """A key that gave points to three participants. One of them has spent some."""
    tenant, now = TenantFactory(name="Acme"), timezone.now()
    with acting_as(Actor(f"api_key:{KEY}", "shop (bq_live_Ab3dE6…)", "req-1")):
        for who in ("ada", "bob", "cem"):
            award(tenant=tenant, change=Change(who, 100), now=now)
    deduct(tenant=tenant, change=Change("bob", 70), now=now)


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def is_as_wide_as_the_screen(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("width", [1280, 390])
def test_a_leaked_key_is_undone_from_the_activity(
    site: str, leaked_key: None, page: Page, complaints: list[str], width: int
) -> None:
    log_in(page, site, tells="Acme, live")
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{site}/console/activity/?actor=api_key:{KEY}")
    picture(page, f"activity-{width}")
    page.click("text=Undo…")
    expect(page.locator("input[name=actor_id]")).to_have_value(KEY)
    page.fill("input[name=reason]", "Leaked key")
    picture(page, f"form-{width}")
    assert is_as_wide_as_the_screen(page)

    page.click("button:has-text('Preview')")
    expect(page.locator("[role=status]").first).to_be_visible()
    picture(page, f"running-{width}")
    run_all(page)
    expect(page.locator("body")).to_contain_text("2 would be taken back, 1 would stay")
    picture(page, f"preview-{width}")
    assert is_as_wide_as_the_screen(page)

    page.click("button:has-text('Take it back for good')")
    run_all(page)
    expect(page.locator("body")).to_contain_text("2 were taken back, 1 stay")
    picture(page, f"done-{width}")
    assert complaints == []


def run_all(page: Page) -> None:
    """Run what waits, as a worker would, and load the page again."""
    assert all_at_once([_finish_all]) == [None]
    page.reload()


def _finish_all() -> None:
    for undo in Undo.objects.unfinished().select_related("tenant"):
        finish(undo)
