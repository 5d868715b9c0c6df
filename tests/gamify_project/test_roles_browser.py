"""Roles in the browser, on a wide and on a narrow screen."""

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect

from participants.models import Tenant
from tests.console import user_with_role
from tests.factories import ParticipantFactory, TenantFactory
from tests.gamify_project.test_console_browser import chromium, complaints, page, site

__all__ = ["chromium", "complaints", "page", "site"]  # fixtures

pytestmark = pytest.mark.browser

PICTURES = os.environ.get("ROLES_PICTURES", "")
CLOSED = "Failed to load resource: the server responded with a status of 403"

Sessions = dict[str, str]


@pytest.fixture
def sessions(site: str) -> Sessions:
    """Cookies by user name: a superuser, an owner and support of Acme. Paths by "participant" and "account"."""
    tenant = TenantFactory(slug="acme", name="Acme")
    TenantFactory(slug="globex", name="Globex")
    ada = ParticipantFactory(tenant=tenant, external_id="ada", points=250)
    users = [User.objects.create_superuser("boss"), *(user_with_role(role, tenant) for role in ("owner", "support"))]
    paths = {
        "participant": f"/console/participants/participant/{ada.pk}/",
        "account": f"/console/auth/user/{users[2].pk}/change/",
    }
    return {user.username: _session(user, tenant) for user in users} | paths


def _session(user: User, tenant: Tenant) -> str:
    client = Client()
    client.force_login(user)
    client.post("/console/tenant/", {"tenant": str(tenant.pk)})
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def is_as_wide_as_the_screen(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("width", [1280, 390])
def test_roles_are_given_used_and_refused(
    site: str, sessions: Sessions, page: Page, complaints: list[str], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})

    def open_as(user: str, path: str, name: str) -> None:
        page.context.clear_cookies()
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": sessions[user], "url": site}])
        page.goto(f"{site}{path}")
        picture(page, f"{name}-{width}")
        assert is_as_wide_as_the_screen(page), name

    open_as("boss", sessions["account"], "account")
    expect(page.locator("select[name$=-role]").first).to_be_attached()
    open_as("owner", "/console/participants/membership/", "members")
    open_as("owner", "/console/participants/membership/add/", "new-member")
    open_as("support", f"{sessions['participant']}change/", "participant")
    expect(page.locator("header.console-head")).to_contain_text("Adjust")
    expect(page.locator("header.console-head")).not_to_contain_text("Award points")
    open_as("support", f"{sessions['participant']}award/", "refused")
    expect(page.locator("[data-error='403']")).to_contain_text("owner can give it to you")

    assert [each for each in complaints if CLOSED not in each] == []
