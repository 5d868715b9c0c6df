"""Every page of the console in a real browser: no script errors, no policy violations, and nothing beyond the edge of the window.

A superuser opens all kinds of pages, and the change page of several rows. Staff who may only view open the change pages, which show
them other widgets. `test_console_walk` opens all pages as all kinds of staff, without a browser.
"""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page

from participants.models import Tenant
from tests.gamify_project.console_world import APPS, make_staff, make_world
from tests.gamify_project.test_console_browser import chromium, complaints, page
from tests.gamify_project.test_console_walk import pages_of

__all__ = ["chromium", "complaints", "page"]  # fixtures

pytestmark = [pytest.mark.browser, pytest.mark.any_database, pytest.mark.timeout(600)]
CLOSED = "Failed to load resource: the server responded with a status of 403"

WIDTHS = (390, 1280)  # of a phone and of a laptop, in CSS pixels
OVERFLOW = """() => {
    const page = document.documentElement, edge = window.innerWidth;
    if (page.scrollWidth <= edge) return null;
    const scrolls = each => each && (getComputedStyle(each).overflowX !== "visible" || scrolls(each.parentElement));
    const isBeyond = each => each.getBoundingClientRect().right > edge + 1 && !scrolls(each.parentElement);
    const wide = [...document.querySelectorAll("body *")].filter(isBeyond);
    return [page.scrollWidth, wide.slice(0, 3).map(each => each.tagName + "." + each.className)];
}"""

Visit = tuple[str, str, list[str]]


@pytest.fixture(params=APPS)
def visits(request: pytest.FixtureRequest, transactional_db: None) -> list[Visit]:
    """Role, session and pages, created before the browser starts, because Django refuses queries while its event loop runs."""
    tenant = make_world()
    paths = list(dict.fromkeys(pages_of([request.param], rows_of_each=1)))
    every_row = [path for path in dict.fromkeys(pages_of([request.param])) if path.endswith("/change/")]
    return [
        ("superuser", _session("superuser", tenant), list(dict.fromkeys(paths + every_row))),
        ("viewer", _session("viewer", tenant), every_row),
    ]


def _session(role: str, tenant: Tenant) -> str:
    client = Client()
    client.force_login(make_staff(role))
    client.post("/console/tenant/", {"tenant": str(tenant.pk)})
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def test_no_page_has_a_script_that_fails(
    visits: list[Visit], live_server: object, page: Page, complaints: list[str]
) -> None:
    site = str(live_server)
    for role, session, paths in visits:
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site}])
        for path in paths:
            answer = page.goto(f"{site}{path}")
            assert answer is not None
            assert answer.status in {200, 403}, (role, path)
            found = [said for said in complaints if not (answer.status == 403 and said.startswith(CLOSED))]
            assert found == [], (role, path)
            complaints.clear()


@pytest.fixture
def all_pages(transactional_db: None) -> tuple[str, list[str]]:
    """The session of a superuser, and every kind of page once."""
    tenant = make_world()
    paths = [*pages_of(APPS, rows_of_each=1), reverse("admin:activity"), reverse("admin:account")]
    return _session("superuser", tenant), [path for path in dict.fromkeys(paths) if not path.endswith("/logout/")]


def test_no_page_is_wider_than_the_window(all_pages: tuple[str, list[str]], live_server: object, page: Page) -> None:
    site, (session, paths) = str(live_server), all_pages
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site}])
    wide = {}
    for path in paths:
        page.goto(f"{site}{path}")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 844})
            if found := page.evaluate(OVERFLOW):
                wide[path, width] = found

    assert not wide, "\n".join(f"{where}: {found}" for where, found in wide.items())
