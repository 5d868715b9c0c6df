"""The calls that the page "As curl" shows do what it says: sent to the API, they change nothing, or make the same definition again."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from gamify_project.calls import Call, calls_for
from participants.models import Definition, Tenant
from streaks.models import Streak
from streaks.selectors.configs import filter_of
from tests.console import Console, text_of
from tests.factories import TenantFactory, raw_key
from tests.gamify_project.console_world import make_tenant
from tests.gamify_project.test_console_editors import editors, name_of, rows_of

pytestmark = pytest.mark.any_database

OF_A_ROW = {"id", "tenant_id", "created_at", "updated_at", "claimed", "free_codes", "has_codes", "revision", "built_at"}


def send(key: str, call: Call) -> Any:
    body, headers = json.dumps(call.body, default=str), {"X-API-Key": key}
    return Client().generic(call.method, call.path, body, content_type="application/json", headers=headers)


def settings_of(row: Definition) -> dict[str, Any]:
    """The settings of a definition. The dialects store the same filter of a streak in two forms."""
    names = {field.attname for field in row._meta.fields} - OF_A_ROW
    if isinstance(row, Streak):
        filters = {"filter": filter_of(row) or row.expression}
        return filters | {name: getattr(row, name) for name in names - {"fact_filter", "expression"}}
    return {name: getattr(row, name) for name in names}


def test_the_calls_that_change_a_definition_find_nothing_to_change(db: None) -> None:
    tenant = make_tenant("acme")
    key, wrong = raw_key(tenant, "admin"), []

    for row in [row for page in editors() for row in rows_of(page, tenant)]:
        before = settings_of(row)
        for call in list(calls_for(row))[:-1]:
            answer = send(key, call)
            if answer.status_code != 200:
                wrong.append((row, call.title, answer.content))
        row.refresh_from_db()
        if settings_of(row) != before:
            wrong.append((row, before, settings_of(row)))

    assert wrong == []


def test_the_call_that_creates_a_definition_makes_it_in_another_tenant(db: None) -> None:
    """Except for definitions that name a reward by its id: ids belong to one tenant."""
    tenant, other = make_tenant("acme"), TenantFactory(slug="globex")
    key, refused = raw_key(other, "admin"), set()

    for row in [row for page in editors() for row in rows_of(page, tenant)]:
        *_, call = calls_for(row)
        answer = send(key, replace(call, path=call.path.replace("tenants/acme/", "tenants/globex/")))
        if answer.status_code != 201:
            refused.add(row.code)

    assert refused == {"gift", "tour", "weekly"}


def test_the_page_shows_the_calls_with_a_placeholder_for_the_key(tenant: Tenant) -> None:
    world = make_tenant("world")
    page = next(page for page in editors() if page.opts.model_name == "streak")
    row = next(rows_of(page, world))

    shown = text_of(Console(world).get(name_of(page, "curl"), row.pk))

    assert f"curl -X PATCH http://testserver/api/v1/gamify/admin/streaks/{row.pk}" in shown
    assert "-H 'X-API-Key: YOUR_ADMIN_KEY'" in shown
