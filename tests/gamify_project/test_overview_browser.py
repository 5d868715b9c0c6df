"""The overview in a real browser: the first steps of an empty tenant, up to its first award, and the charts of a tenant with figures."""

import json
from datetime import timedelta
from typing import Any
from urllib.request import Request, urlopen

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from participants.figures import figures, today_of
from participants.models import DailyFigure, FigureRun
from tests.factories import TenantFactory
from tests.gamify_project.test_console_browser import (  # noqa: F401 - fixtures
    add_tenant,
    chromium,
    complaints,
    log_in,
    make_key,
    page,
    site,
)

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}


def test_first_steps_of_an_empty_tenant_up_to_the_first_award(site: str, page: Page, complaints: list[str]) -> None:  # noqa: F811
    log_in(page, site)
    add_tenant(page, site)
    expect_ticks(page, site, 0)

    page.click("text=Create an API key")
    page.wait_for_selector("[name=name]")
    secret = make_key(page, site)
    expect_ticks(page, site, 1)

    page.click("text=Define something to earn")
    page.fill("[name=code]", "first_steps")
    page.fill("[name=name]", "First Steps")
    page.click("button:has-text('Save') >> nth=0")
    page.wait_for_selector("text=was added successfully")
    expect_ticks(page, site, 2)

    post(site, secret, "points/award", amount=250)
    expect_ticks(page, site, 3)

    post(site, secret, "badges/award", badge_code="first_steps")
    page.goto(f"{site}/console/")
    page.wait_for_selector("text=Acme, live")
    assert page.locator(".console-first-steps").count() == 0
    assert complaints == []


def expect_ticks(page: Page, site: str, number: int) -> None:  # noqa: F811
    page.goto(f"{site}/console/")
    expect(page.locator(".console-first-steps li")).to_have_count(4)
    expect(page.locator(".console-first-steps li.is-done")).to_have_count(number)


def post(site: str, secret: str, path: str, **body: Any) -> None:  # noqa: F811
    headers = {"X-API-Key": secret, "Content-Type": "application/json"}
    content = json.dumps({"participant_id": "ada", **body}).encode()
    with urlopen(Request(f"{site}/api/v1/gamify/{path}", content, headers)) as answer:
        assert answer.status in {200, 201}


@pytest.fixture
def measured(site: str) -> None:  # noqa: F811
    """A tenant with figures. It is the only one, so it need not be chosen."""
    tenant = TenantFactory(slug="acme", name="Acme")
    today = today_of(tenant, timezone.now())
    FigureRun.objects.create(tenant=tenant, computed_at=timezone.now())
    DailyFigure.objects.bulk_create(
        DailyFigure(tenant=tenant, figure=name, day=today - timedelta(days=age), value=10**9 + age)
        for name in figures()
        for age in range(61)
    )


def test_charts_need_nothing_from_elsewhere_and_fit_a_phone(
    measured: None,
    site: str,  # noqa: F811
    page: Page,  # noqa: F811
    complaints: list[str],  # noqa: F811
) -> None:
    log_in(page, site, tells="Acme, live")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size(PHONE)

    page.goto(f"{site}/console/")
    page.click("text=What is counted >> nth=0")

    charts = page.locator("svg.console-chart[role=img][aria-label]")
    expect(charts).to_have_count(sum(figure.is_listed for figure in figures().values()))
    expect(page.locator(".console-figure details[open] p")).to_contain_text("Different participants")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert all(url.startswith((site, "data:")) for url in asked)
    assert complaints == []
