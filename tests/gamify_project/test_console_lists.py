"""Every list of the console: what it says without rows, and that more rows need no more queries."""

from copy import deepcopy
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from participants.admin.empty import WhenEmpty
from tests.console import Console, staff, text_of
from tests.gamify_project.console_world import REGISTERED, make_staff, make_world

FEW, FULL_PAGE = 20, 50  # a list shows at most 50 rows, however many there are

pytestmark = pytest.mark.django_db


def of_every_list(test: Any) -> Any:
    return pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label_lower)(test)


def page_of(model: Any) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}_changelist"


@of_every_list
def test_an_empty_list_says_what_to_do(tenant, monkeypatch, model):
    model_admin: Any = admin.site._registry[model]
    monkeypatch.setattr(model_admin, "get_queryset", lambda request: model._default_manager.none())
    console = Console(tenant)

    shown = text_of(console.get(page_of(model)))

    assert model_admin.when_empty is not None, "declare `when_empty`: what to do if this list has no rows"
    target = model_admin.when_empty.url(console.user)
    assert model_admin.when_empty.sentence in shown
    assert f'href="{target}">{model_admin.when_empty.label}' in shown
    assert console.client.get(target).status_code == 200


def test_a_list_in_which_a_search_finds_nothing_offers_all_rows(tenant):
    shown = text_of(Console(tenant).get("badges_badge_changelist", q="nothing"))

    assert "No row matches the search and the filters." in shown
    assert 'href="?">Show all rows' in shown


def test_only_readers_who_may_open_the_page_get_the_link():
    when_empty = WhenEmpty("There is no badge yet.", "Add a badge", "badges_badge_add")

    assert when_empty.url(staff("badges.add_badge")) == reverse("admin:badges_badge_add")
    assert when_empty.url(make_staff("viewer")) is None


@of_every_list
def test_more_rows_need_no_more_queries(monkeypatch, model):
    console = Console(make_world(), user=make_staff("superuser"))
    console.get(page_of(model))  # fills the caches of the process

    few, full = (_queries(console, monkeypatch, model, rows=rows) for rows in (FEW, FULL_PAGE))

    assert few == full


def _queries(console: Console, monkeypatch: Any, model: Any, *, rows: int) -> list[str]:
    """Return the queries of the list with copies of its rows. Copies share nothing, so each loads what it needs."""
    original = ChangeList.get_results

    def get_results(changelist: ChangeList, request: Any) -> None:
        original(changelist, request)
        found = list(changelist.result_list) or list(changelist.apply_select_related(changelist.root_queryset))
        changelist.result_list = [deepcopy(found[number % len(found)]) for number in range(rows)]

    with monkeypatch.context() as patched, CaptureQueriesContext(connection) as captured:
        patched.setattr(ChangeList, "get_results", get_results)
        answer = console.get(page_of(model))
    assert text_of(answer).count('class="data-row') == rows
    return sorted(query["sql"].partition(" WHERE ")[0] for query in captured)
