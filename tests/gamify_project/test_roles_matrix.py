"""Every role on every page of the console: it opens exactly what it declares, and nothing of another tenant."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.template.response import SimpleTemplateResponse
from django.urls import URLPattern, URLResolver, reverse

from gamify_project.exports.models import Export
from gamify_project.refusal import declared_by
from gamify_project.undo.models import Undo
from participants.models import ROLES, Tenant
from tests.conftest import all_rows
from tests.console import Console, member
from tests.gamify_project.console_world import make_tenant, make_world

pytestmark = pytest.mark.any_database

OPEN = {
    "account", "app_list", "autocomplete", "index", "jsi18n", "login", "login_code", "log_out_everywhere", "logout", "password_change",
    "password_change_done", "pick_tenant", "recovery_codes", "search", "set_up_second_factor", "view_on_site", None,
}  # fmt: skip
"""Pages that declare nothing, because they show nothing of a tenant, or only what other pages allow. None: the page for unknown paths."""

ARGUMENTS = {
    "export_new": lambda tenant: {"kind": "ledger"},
    "exports_export_file": lambda tenant: {"object_id": Export.objects.get(tenant=tenant).pk},
    "undo_report": lambda tenant: {"undo_id": Undo.objects.get(tenant=tenant).pk},
    "auth_user_password_change": lambda tenant: {"id": User.objects.get(username="owner").pk},
}
"""Arguments of routes that are not those of an object of a model."""


@dataclass(frozen=True)
class Page:
    """A route, with arguments for one tenant: those of `row`, or of something else of the tenant (`is_about_row`)."""

    name: str
    url: str
    view: Any
    row: Any
    is_about_row: bool

    @property
    def has_form(self) -> bool:
        return self.name.rpartition("_")[2] in {"add", "change", "delete"} or hasattr(self.view, "object_page")

    def is_open(self, method: str, role: str) -> bool:
        return declared_by(self.view, self.name, method=method, row=self.row) in ROLES[role].capabilities


def routes(patterns: Any) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns)
        else:
            yield pattern


def pages_of(tenant: Tenant) -> Iterator[Page]:
    for route in routes(admin.site.urls[0]):
        if route.name not in OPEN:
            yield page_of(route, tenant)


def page_of(route: URLPattern, tenant: Tenant) -> Page:
    names, row = set(route.pattern.converters), None
    arguments = ARGUMENTS[route.name](tenant) if route.name in ARGUMENTS else {}
    if names == {"object_id"} and not arguments:
        row = row_of(route.callback.model_admin.model, tenant)
        arguments = {"object_id": row.pk}
    assert names == set(arguments), f"this test does not know the arguments of {route.name}"
    is_about_row = bool(arguments) and route.name != "export_new"
    return Page(route.name, reverse(f"admin:{route.name}", kwargs=arguments), route.callback, row, is_about_row)


def is_declared(view: Any) -> bool:
    """Whether the page says what it needs. Django's redirect from an old address of an object leads to a page that does."""
    return hasattr(view, "need") or hasattr(view, "model_admin")


def row_of(model: Any, tenant: Tenant) -> Any:
    if model is Tenant:
        return tenant
    names = {field.name for field in model._meta.fields}
    rows = model.objects.filter(tenant=tenant) if "tenant" in names else model.objects.all()
    return rows.order_by("pk")[0]


@pytest.fixture
def unrendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer without rendering templates and menus: this takes most of the time, and `test_console_walk` looks at the pages."""
    monkeypatch.setattr("gamify_project.console.ConsoleSite.each_context", lambda site, request: {})
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")
    monkeypatch.setattr("gamify_project.error_pages.answer", lambda page, request: HttpResponse(status=page.status))


def test_every_page_declares_what_it_needs() -> None:
    undeclared = {route.name for route in routes(admin.site.urls[0]) if not is_declared(route.callback)}

    assert undeclared == OPEN


def test_every_action_of_a_list_declares_a_permission() -> None:
    admins = [admin.site.get_model_admin(model) for model in filter(admin.site.is_registered, apps.get_models())]
    actions = [getattr(each, name) for each in admins for name in each.actions or ()]

    assert actions
    assert all(action.allowed_permissions for action in actions)


@pytest.mark.timeout(900)
def test_a_role_opens_exactly_the_pages_that_it_may(db: None, unrendered: None) -> None:
    """One test for all roles, because making the rows takes as long as walking through the pages."""
    ours = make_world()
    consoles, pages = {name: member(name, ours, name=f"the-{name}") for name in ROLES}, list(pages_of(ours))
    before = all_rows()

    wrong = [
        f"{name}: {each}"
        for name, console in consoles.items()
        for page in pages
        for each in problems_with(console, page, name)
    ]

    assert "\n".join(wrong) == ""
    assert all_rows() == before
    assert len(pages) > 150


def test_no_page_about_a_row_of_another_tenant_opens(db: None, unrendered: None) -> None:
    """The owner of one tenant, who may do everything there, gets 404 for the rows of another one, and 403 for what no owner may do."""
    ours, theirs = make_world(), make_tenant("globex")
    console, pages = member("owner", ours, name="the-owner"), [page for page in pages_of(theirs) if page.is_about_row]
    before = all_rows()

    leaks = [each for page in pages for each in leaks_of(console, page)]

    assert "\n".join(leaks) == ""
    assert all_rows() == before
    assert len(pages) > 100


def problems_with(console: Console, page: Page, role: str) -> Iterator[str]:
    """Open the page if the role may, and send its form if the role may not. If it may, that would act."""
    if page.is_open("GET", role) or not page.has_form:
        expected = {200, 302} if page.is_open("GET", role) else {403}
        yield from unless(console.client.get(page.url), expected, f"GET {page.name}")
    if page.has_form and not page.is_open("POST", role):
        yield from unless(console.client.post(page.url), {403}, f"POST {page.name}")


def leaks_of(console: Console, page: Page) -> Iterator[str]:
    """Open a page about a row of another tenant, and send its form."""
    for method in ("GET", "POST") if page.has_form else ("GET",):
        answer = console.client.generic(method, page.url)
        yield from unless(answer, {404} if page.is_open(method, "owner") else {403, 404}, f"{method} {page.name}")


def unless(answer: Any, expected: set[int], request: str) -> Iterator[str]:
    if answer.status_code not in expected:
        yield f"{request} answered {answer.status_code}"
