"""Codes are added in the browser: from a file, with a preview, then confirmed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rewards.models import Reward
from rewards.services import add_codes, create_reward
from tests.factories import TenantFactory
from tests.gamify_project.test_console_browser import chromium, complaints, log_in, page, site

__all__ = ["chromium", "complaints", "page", "site"]  # fixtures

pytestmark = pytest.mark.browser
NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)


@pytest.fixture
def reward(site: str) -> Reward:
    """Create the reward before the browser runs: Django refuses database calls inside its event loop."""
    tenant = TenantFactory(name="Acme")
    created = create_reward(tenant=tenant, data={"name": "Coupon", "reward_type": "coupon"}, now=NOW)
    add_codes(tenant=tenant, reward_id=str(created.pk), codes=["SAVE10-ABC123"], now=NOW)
    return created


def test_a_file_of_codes_is_previewed_then_stored(
    site: str, reward: Reward, page: Page, complaints: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "codes.csv"
    file.write_bytes(b"\xef\xbb\xbfcode\r\nSAVE10-ABC123\r\nSAVE10-ABC124\r\nA,B\r\n")
    log_in(page, site, tells="Acme, live")
    page.goto(f"{site}/console/rewards/reward/{reward.pk}/change/")
    page.click("a:has-text('Add codes')")

    page.set_input_files("[name=file]", file)
    page.click("button:has-text('Preview')")
    expect(page.locator("[data-preview] li")).to_have_text(
        [
            "New codes: 1.",
            "Already in stock or handed out, ignored: 1 (SAVE10-ABC123).",
            "Invalid lines, ignored: 1.",
            "Line 4: Has 2 fields; give one code in each line.",
        ]
    )
    page.click("button:has-text('Add codes')")

    page.wait_for_selector("text=Added 1 codes.")
    page.click(".console-head a:has-text('Codes') >> nth=-1")
    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    assert complaints == []
