"""Exports in the browser: from a filtered list over the form to the downloaded file."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.factories import TenantFactory
from tests.gamify_project.exports.world import ME, plant, run
from tests.gamify_project.test_console_browser import chromium, complaints, log_in, page, site
from tests.threads import all_at_once

__all__ = ["chromium", "complaints", "page", "site"]  # fixtures

pytestmark = pytest.mark.browser

PICTURES = os.environ.get("EXPORT_PICTURES", "")


@pytest.fixture
def planted(site: str) -> None:
    plant(TenantFactory(name="Acme"))


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_filtered_ledger_is_exported_and_downloaded(
    site: str, planted: None, page: Page, complaints: list[str], width: int
) -> None:
    log_in(page, site, tells="Acme, live")
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{site}/console/points/ledgerentry/?q={ME}")
    picture(page, f"ledger-{width}")

    page.click("a:has-text('Export: Ledger')")
    expect(page.locator("[name=participant_id]")).to_have_value(ME)
    picture(page, f"form-{width}")
    page.click("button:has-text('Export')")
    expect(page.locator("body")).to_contain_text("The export was created")
    assert all_at_once([run]) == [None]  # this thread has the event loop of the browser
    page.reload()
    picture(page, f"list-{width}")

    with page.expect_download() as download:
        page.click("a:has-text('Download CSV')")
    assert ME in Path(download.value.path()).read_text()
    page.click("table tbody a >> nth=0")
    picture(page, f"export-{width}")
    assert complaints == []
