"""Two stories of operations staff in the browser: a rule that does not fire, and streaks that are about to break."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit
from gamify.rules.models import Rule
from participants.models import Tenant
from participants.services.definitions import create_definition
from streaks.services import create_streak, record
from tests.factories import TenantFactory
from tests.gamify_project.test_console_browser import chromium, complaints, log_in, page, site

__all__ = ["chromium", "complaints", "page", "site"]  # fixtures

pytestmark = pytest.mark.browser


@pytest.fixture
def silent_rule(site: str) -> Tenant:
    """A rule that expects 100, and an event that had 60. Created before the browser starts, which refuses queries."""
    now, tenant = datetime.now(UTC), TenantFactory(name="Acme")
    condition = {"condition": {"field": "amount", "operator": "gte", "value": 100}}
    rule = {
        "code": "big_spender",
        "name": "Big spender",
        "event_types": ["purchase"],
        "expression": condition,
        "grants": [{"type": "points", "amount": 10}],
    }
    create_definition(Rule, noun="rule", tenant=tenant, data=rule, now=now)
    tenant.refresh_from_db()
    emit(tenant=tenant, event=EventInput("ada", "purchase", now, {"amount": 60}), now=now)
    return tenant


def test_a_rule_that_does_not_fire_is_found_and_mended(
    site: str, silent_rule: Tenant, page: Page, complaints: list[str]
) -> None:
    log_in(page, site, tells="Acme, live")

    page.goto(f"{site}/console/facts/event/")
    page.click("#result_list tbody th a, #result_list tbody td a")
    expect(page.locator(".console-trace").first).to_contain_text("✗ amount is at least 100 (found: 60)")

    page.click(".console-trace a:has-text('rule big_spender')")
    page.fill("[name=conditions-value]", "50")
    page.click("button:has-text('Save') >> nth=0")
    page.wait_for_selector("text=was changed successfully")

    page.click("#result_list a:has-text('Big spender')")
    page.click(".console-head a:has-text('Try an event')")
    page.fill("[name=properties-key]", "amount")
    page.select_option("[name=properties-kind]", "number")
    page.fill("[name=properties-value]", "60")
    page.click("button:has-text('Try it')")
    page.wait_for_selector("text=✓ amount is at least 50")
    expect(page.get_by_label("What it would lead to")).to_contain_text("10 points")
    assert complaints == []


@pytest.fixture
def at_risk(site: str) -> None:
    """Runs of Ada and Bob that break at the next midnight. They are at risk all day long."""
    now, tenant = datetime.now(UTC), TenantFactory(name="Acme")
    data = {"code": "daily", "name": "Daily login", "event_types": ["login"], "at_risk_seconds": 86_400}
    create_streak(tenant=tenant, data=data, now=now - timedelta(days=3))
    for who in ("ada", "bob"):
        for days in (2, 1):
            at = now - timedelta(days=days)
            record(tenant=tenant, participant_id=who, streak_code="daily", at=at, now=at)


def test_people_whose_streaks_are_at_risk_are_nudged(
    site: str, at_risk: None, page: Page, complaints: list[str]
) -> None:
    log_in(page, site, tells="Acme, live")

    page.click("a:has-text('Streaks at risk') >> nth=0")
    expect(page.locator("#result_list")).to_contain_text("Daily login")
    for box in page.locator("#result_list [name=_selected_action]").all():
        box.check()
    page.select_option("[name=action]", label="Nudge")
    page.click("button:has-text('Run')")
    expect(page.locator(".console-box h2")).to_have_text("Nudge 2 runs")
    page.click(".console-box button:has-text('Nudge')")
    expect(page.locator(".console-box")).to_contain_text("This field is required.")
    page.fill("[name=reason]", "Last call")
    page.click(".console-box button:has-text('Nudge')")

    page.wait_for_selector("text=Nudge: done for 2 of 2.")
    expect(page.locator("#result_list")).to_contain_text("nudged")
    page.click("#result_list a:has-text('ada')")
    expect(page.locator(".console-timeline")).to_contain_text("“Last call”")
    assert complaints == []
