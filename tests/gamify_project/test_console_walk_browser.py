"""Every page of the console in a real browser, opened once.

Each visit looks for scripts that fail, violations of the content policy, requests to other sites, obstacles that axe calls serious
or critical (light and dark), and content beyond the edge of a phone and of a laptop. New pages are found by themselves.

A superuser opens every route, and the change page of several rows. Staff who may only view open the change pages, which show them
other widgets. `test_console_walk` opens all pages as all kinds of staff, without a browser.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Error, Page, Response

from participants.models import Definition, Tenant
from tests.gamify_project import test_roles_matrix as matrix
from tests.gamify_project.console_world import REGISTERED, make_staff, make_world
from tests.gamify_project.test_console_browser import chromium, complaints, page

__all__ = ["chromium", "complaints", "page"]  # fixtures

pytestmark = [pytest.mark.browser, pytest.mark.any_database, pytest.mark.timeout(900)]

PARTS = 4
"""The walk is this number of tests, so that workers share it."""
ROWS_OF_EACH = 3
"""Of each kind of definition, because these pages differ from row to row. Of other kinds, one row is opened."""
OF_NO_TENANT = ("account", "index", "login", "password_change", "pick_tenant", "recovery_codes", "set_up_second_factor")
SAME_ON_EVERY_PAGE = ("#nav-sidebar",)
"""Axe looks at it on the first page only."""
CLOSED = "Failed to load resource: the server responded with a status of 403"
DOWNLOAD = "Download is starting"

WIDTHS = (1280, 390)  # of a laptop and of a phone, in CSS pixels
OVERFLOW = """() => {
    const page = document.documentElement, edge = window.innerWidth;
    if (page.scrollWidth <= edge) return null;
    const scrolls = each => each && (getComputedStyle(each).overflowX !== "visible" || scrolls(each.parentElement));
    const isBeyond = each => each.getBoundingClientRect().right > edge + 1 && !scrolls(each.parentElement);
    const wide = [...document.querySelectorAll("body *")].filter(isBeyond);
    return [page.scrollWidth, wide.slice(0, 3).map(each => each.tagName + "." + each.className)];
}"""
OBSTACLES = """async ([rules, leftOut]) => {
    const only = rules.length ? {runOnly: {type: "rule", values: rules}} : {};
    const found = await axe.run({exclude: leftOut}, {resultTypes: ["violations"], preload: false, rules: {region: {enabled: false}}, ...only});
    const grave = found.violations.filter(each => ["serious", "critical"].includes(each.impact));
    return grave.map(each => `${each.id}: ` + each.nodes.slice(0, 3).map(node => `${node.html} ${node.failureSummary}`).join(" | "));
}"""
TURN_DARK = """() => {
    const style = document.createElement("style");
    style.textContent = "* { transition: none !important; }";
    document.head.append(style);
    document.documentElement.classList.add("dark");
}"""
ALL_RULES: list[str] = []
RULES_OF_COLORS = ["color-contrast"]


@dataclass(frozen=True)
class Visit:
    session: str
    path: str


@pytest.fixture(params=range(PARTS))
def visits(request: pytest.FixtureRequest, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> list[Visit]:
    """Created before the browser starts, because Django refuses queries while its event loop runs."""
    monkeypatch.setattr("gamify_project.undo.console.page.REFRESH_SECONDS", 3600)  # reloads would interrupt axe
    tenant = make_world()
    superuser, viewer = (_session(role, tenant) for role in ("superuser", "viewer"))
    rows = list(_change_pages())
    routes = [each.url for each in matrix.pages_of(tenant)] + [reverse(f"admin:{name}") for name in OF_NO_TENANT]
    every = [Visit(superuser, path) for path in dict.fromkeys(routes + rows)] + [Visit(viewer, path) for path in rows]
    return every[request.param :: PARTS]


def _change_pages() -> Iterator[str]:
    for model in REGISTERED:
        page = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        number = ROWS_OF_EACH if issubclass(model, Definition) else 1
        yield from (reverse(page, args=[row.pk]) for row in model.objects.order_by("pk")[:number])


def _session(role: str, tenant: Tenant) -> str:
    client = Client()
    client.force_login(make_staff(role))
    client.post("/console/tenant/", {"tenant": str(tenant.pk)})
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def test_every_page_works_for_everyone(
    visits: list[Visit], live_server: object, page: Page, complaints: list[str]
) -> None:
    site, found = str(live_server), dict[str, list[str]]()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    for visit in visits:
        complaints.clear()
        requested.clear()
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": visit.session, "url": site}])
        if answer := _open(page, f"{site}{visit.path}"):
            left_out = SAME_ON_EVERY_PAGE if visit is not visits[0] else ()
            problems = [
                *_problems_of(page, left_out=left_out),
                *_noted(answer, complaints),
                *_from_elsewhere(requested, site),
            ]
            found |= {visit.path: problems} if problems else {}

    assert not found, "\n".join(f"{path}: {problem}" for path, problems in found.items() for problem in problems)


def _open(page: Page, url: str) -> Response | None:
    """Return the answer, or nothing if it is a file."""
    page.set_viewport_size({"width": WIDTHS[0], "height": 844})
    try:
        answer = page.goto(url)
    except Error as error:
        if DOWNLOAD in error.message:
            return None
        raise
    assert answer is not None
    return answer


def _problems_of(page: Page, *, left_out: Collection[str] = ()) -> Iterator[str]:
    """Everything is looked at in the same visit: loading a page takes longer than changing the window.

    `left_out` are the selectors of parts that axe need not look at.
    """
    page.evaluate(AXE_SCRIPT)
    yield from (f"light: {each}" for each in page.evaluate(OBSTACLES, [ALL_RULES, [*left_out]]))
    page.evaluate(TURN_DARK)
    yield from (f"dark: {each}" for each in page.evaluate(OBSTACLES, [RULES_OF_COLORS, [*left_out]]))
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        if beyond := page.evaluate(OVERFLOW):
            yield f"wider than {width}: {beyond}"


def _noted(answer: Response, complaints: list[str]) -> Iterator[str]:
    if answer.status not in {200, 403, 405}:
        yield f"status {answer.status}"
    yield from (each for each in complaints if not (answer.status == 403 and each.startswith(CLOSED)))


def _from_elsewhere(requested: list[str], site: str) -> Iterator[str]:
    yield from (f"requests {url}" for url in requested if not url.startswith((site, "data:")))


BAD = """<!doctype html><html lang="en"><head><title>Bad</title><style>p { color: #aaa; background: #fff; } .dark p { color: #666; background: #555; }</style></head>
<body><main><h1>Bad</h1><p>Hardly visible</p><input><div style="width: 1000px">Wide</div></main></body></html>"""


def test_the_walk_finds_what_it_looks_for(page: Page) -> None:
    page.set_content(BAD)

    found = {each.partition(": ")[0] + ": " + each.split(": ")[1] for each in _problems_of(page)}

    assert {each.split(":")[0] for each in found} == {"light", "dark", "wider than 390"}
    assert {"light: color-contrast", "light: label", "dark: color-contrast"} <= found
