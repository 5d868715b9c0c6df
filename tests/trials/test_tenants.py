"""Tenant isolation over every route of the resolver: an id of another tenant is answered like a random one, and changes nothing.

Ids come from one table: the arguments of routes, and where another tenant has rows of that kind (`FOREIGN`, and the models of the
console). A new route with an argument that is not in the table fails.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import models, transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from gamify.badges.models import Badge
from gamify.facts.models import Event
from gamify.leaderboards.models import Leaderboard
from gamify.points.models import LedgerEntry
from gamify.webhooks.api.streaming import _slots
from gamify.webhooks.models import Delivery, Endpoint
from gamify_project.exports.models import Export
from gamify_project.undo.models import Undo
from participants import catalog
from participants.admin.base import TenantDataAdmin
from participants.models import Participant, Tenant
from participants.models.definitions import DefinitionQuerySet
from participants.models.participants import ParticipantQuerySet
from rewards.models import Claim, Reward
from streaks.models import Amnesty, Streak
from tests.client import Api
from tests.conftest import OWN_PACKAGES
from tests.console import Console
from tests.factories import TenantFactory, raw_key
from tests.gamify_project.console_world import make_staff, make_world
from tests.gamify_project.test_schema import document

pytestmark = pytest.mark.any_database

MARK = "zz-of-another-tenant"
VOLATILE = re.compile(
    r'(?<="request_id":")[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f-]{27}|(?<=-)[0-9a-f]{12}\b|\d{4}-\d\d-\d\dT[\d:.]+Z|whsec_[\w+/=]+'
)
FORM_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="\w+"|nonce="[^"]+"|value="[0-9a-f]{32}"')

FOREIGN: Mapping[str, Callable[[], Any]] = {
    "participant_id": lambda: Participant.objects.get(display_name="Ada").external_id,
    "user_id": lambda: Participant.objects.get(display_name="Ada").external_id,
    "event_id": lambda: Event.objects.first().pk,
    "transaction_id": lambda: LedgerEntry.objects.first().pk,
    "webhook_id": lambda: Endpoint.objects.first().pk,
    "delivery_id": lambda: Delivery.objects.first().pk,
    "reward_id": lambda: Reward.objects.get(name=f"{MARK} Coupon").pk,
    "export_id": lambda: Export.objects.first().pk,
    "claim_id": lambda: Claim.objects.first().pk,
    "amnesty_id": lambda: Amnesty.objects.first().pk,
    "tenant_id": lambda: "globex",
    "undo_id": lambda: Undo.objects.first().pk,
}
CODES: Mapping[str, type[models.Model]] = {
    "challenges": apps.get_model("challenges", "Challenge"),
    "leaderboards": Leaderboard,
}
"""Models whose rows a route names by `code`, by the segment before it; elsewhere it is a streak."""

SHARED = {"auth.user", "auth.group", "axes.accessattempt", "admin.logentry", "participants.tenant"}
"""Models of the console that belong to the installation, not to a tenant: staff of all tenants see them."""

ARGUMENTS = (set(), {"object_id"}, {"id"})
"""The arguments of the console's routes: none, or the id of a row."""

SHOWS_ALL_TENANTS = {"pick_tenant", "participants_tenant_changelist"}

WITHOUT_ROWS = {
    "undo_report": "the console has no list of undos (tests/gamify_project/undo/test_console.py asks for another tenant's)",
    "export_new": "the form of an export of one kind",
    "view_on_site": "redirects to the public page of a row; no model has one",
    "reset_password": "a link for one account, not a row",
}


@pytest.fixture
def theirs(db: None) -> Tenant:
    """Another tenant, which has rows of every kind whose names contain MARK."""
    tenant = make_world()
    Tenant.objects.filter(pk=tenant.pk).update(slug="globex")
    for model in own_models():
        if any(field.name == "name" for field in model._meta.fields) and model is not Tenant:
            for row in model._base_manager.filter(tenant_id=tenant.pk):
                model._base_manager.filter(pk=row.pk).update(name=f"{MARK} {row.name}"[:100])
    Participant.objects.filter(external_id="ada").update(external_id=f"{MARK}-ada", display_name="Ada")
    tenant.refresh_from_db()
    return tenant


@pytest.fixture
def ours(theirs: Tenant) -> Tenant:
    return TenantFactory(slug="initech", name="Initech")


def own_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model.__module__.startswith(OWN_PACKAGES)]


def rows_of(tenant: Tenant) -> dict[str, list[Any]]:
    """Every row of the tenant."""
    return {
        model._meta.label: list(model._base_manager.filter(tenant_id=tenant.pk).order_by("pk").values_list())
        for model in own_models()
        if any(field.name == "tenant" for field in model._meta.fields)
    }


# --- the API ------------------------------------------------------------------------------------------------------------


def api_routes() -> Iterator[tuple[str, str, type]]:
    """(method, path with names in braces, view class) of every route of both dialects."""
    for route, pattern in routes_below(get_resolver()):
        actions = getattr(pattern.callback, "actions", None)
        path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
        for method in sorted({*(actions or ())} - {"head"}):  # which the first request adds
            yield method.upper(), path, pattern.callback.cls


def routes_below(resolver: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes_below(pattern, route)
        else:
            yield route, pattern


def foreign_values(path: str, view: Any) -> dict[str, Any]:
    """The other tenant's value for each argument of the path. Raises KeyError for an argument without a row in the table."""
    return {name: _foreign(name, path, view) for name in re.findall(r"{(\w+)}", path)}


def _foreign(name: str, path: str, view: Any) -> Any:
    if name == "definition_id":
        model = getattr(view, "model", None) or (Reward if "/rewards/" in path else Streak)
        return model._base_manager.first().pk
    if name == "code":
        before = path.partition("/{code}")[0].rpartition("/")[2]
        return CODES.get(before, Streak)._base_manager.first().code
    return FOREIGN[name]()


def random_values(foreign: Mapping[str, Any]) -> dict[str, Any]:
    return {name: uuid4() if isinstance(value, UUID) else f"random-{uuid4()}" for name, value in foreign.items()}


def body_of(method: str, path: str) -> Any:
    """The body of the first example in the OpenAPI document."""
    operation = document()["paths"][path][method.lower()]
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    examples = [each["value"] for each in content.get("examples", {}).values()]
    return examples[0] if examples else None


def mentions(method: str, path: str, foreign: Mapping[str, Any], random: Mapping[str, Any]) -> tuple[Any, Any]:
    """Two bodies: one whose references name rows of the other tenant, and one whose references name nothing."""
    body = body_of(method, path)
    return _replaced(body, foreign), _replaced(body, random)


def _replaced(body: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(body, dict):
        return {
            name: str(values[name]) if name in values and isinstance(value, str) else _replaced(value, values)
            for name, value in body.items()
        }
    return [_replaced(each, values) for each in body] if isinstance(body, list) else body


def references() -> dict[str, Any]:
    """Values of the other tenant for fields of bodies that name a row."""
    return {
        "badge_code": Badge.objects.first().code,
        "streak_code": Streak.objects.first().code,
        "tier_code": apps.get_model("tiers", "Tier").objects.first().code,
        "reward_item_id": Reward.objects.first().pk,
    } | {name: FOREIGN[name]() for name in ("participant_id", "user_id", "reward_id", "event_id")}


def leaks_of_api(caller: Api, theirs: Tenant) -> list[str]:
    """Call every route with ids of the other tenant and with random ones. Returns each route whose answers differ, or that leaks."""
    given = references()
    nothing, before = random_values(given), rows_of(theirs)
    found: list[str] = []
    for method, path, view in api_routes():
        foreign = foreign_values(path, view)
        pairs = zip((foreign, random_values(foreign)), mentions(method, path, given, nothing), strict=True)
        calls = [partial(answer_of, caller, method, path, values, body) for values, body in pairs]
        unchanged = (lambda: True) if method == "GET" else (lambda: rows_of(theirs) == before)
        found += [f"{method} {path}: {leak}" for leak in leaks(*calls, unchanged=unchanged)]
    return found if rows_of(theirs) == before else [*found, "a refused request changed rows of the other tenant"]


def leaks(foreign: "Call", random: "Call", *, unchanged: "Call") -> Iterator[str]:
    """How the answer about a foreign id differs from the one about a random id, and whether it shows or changes foreign rows."""
    about_foreign, has_changed = undone(foreign, check=unchanged)
    about_random, _ = undone(random, check=None)
    if about_foreign != about_random:
        yield difference(about_foreign, about_random)
    if MARK in about_foreign[1]:
        yield f"shows rows of the other tenant: {about_foreign}"
    if has_changed:
        yield "changes rows of the other tenant"


def difference(foreign: tuple[int, str], random: tuple[int, str]) -> str:
    """Both statuses, and the texts from where they begin to differ."""
    pairs = enumerate(zip(foreign[1], random[1], strict=False))
    same = next((at for at, (one, other) in pairs if one != other), min(len(foreign[1]), len(random[1])))
    seen = [f"{status} …{text[max(0, same - 40) : same + 200]}" for status, text in (foreign, random)]
    return f"{seen[0]!r}, but for a random id {seen[1]!r}"


Call = Callable[[], Any]


def undone(call: Call, *, check: Call | None) -> tuple[Any, bool]:
    """Make the call, and undo it if it was accepted. Returns the answer, and whether `check` failed before that.

    A refused call is not undone: what it changed is found when all calls were made.
    """
    with transaction.atomic():
        answer = call()
        is_accepted = answer[0] < 400
        has_changed = is_accepted and check is not None and not check()
        transaction.set_rollback(is_accepted)
    catalog._catalogs.clear()  # they may be those of definitions that are gone now
    return answer, has_changed


def answer_of(caller: Api, method: str, path: str, values: Mapping[str, Any], body: Any) -> tuple[int, str]:
    """Status and text of the answer, without what the request named itself, ids and times."""
    answer = caller.send(method, path.format(**values), body)
    text = "stream" if answer.streaming else answer.content.decode()
    if answer.streaming:
        list(answer)
    for value in sorted({*map(str, values.values()), *strings_in(body)}, key=len, reverse=True):
        text = text.replace(value, "…")
    return answer.status_code, VOLATILE.sub("…", text)


def strings_in(body: Any) -> Iterator[str]:
    if isinstance(body, str) and len(body) > 3:
        yield body
    elif isinstance(body, dict | list):
        for each in body.values() if isinstance(body, dict) else body:
            yield from strings_in(each)


@pytest.fixture
def short_streams(settings: Any) -> None:
    settings.FEED_STREAM_SECONDS, settings.FEED_STREAMS = 0, 1
    _slots.cache_clear()


def test_every_route_of_the_api_is_in_the_document() -> None:
    documented = {(method.upper(), path) for path, methods in document()["paths"].items() for method in methods}

    assert {(method, path) for method, path, _ in api_routes()} - documented == set()


@pytest.mark.parametrize("caller", ["another tenant", "its own sandbox"])
def test_no_api_route_answers_or_changes_anything_of_another_tenant(
    theirs: Tenant, ours: Tenant, caller: str, short_streams: None
) -> None:
    key = raw_key(ours if caller == "another tenant" else theirs.sandbox, "admin")

    assert leaks_of_api(Api(key, base=""), theirs) == []


def test_without_the_tenant_in_its_queries_the_api_leaks(
    theirs: Tenant, ours: Tenant, short_streams: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for queryset in (DefinitionQuerySet, ParticipantQuerySet):
        monkeypatch.setattr(queryset, "of", lambda self, tenant: self.all())

    assert len(leaks_of_api(Api(raw_key(ours, "admin"), base=""), theirs)) > 10


# --- the console --------------------------------------------------------------------------------------------------------


def console_routes() -> Iterator[tuple[str, type[models.Model] | None]]:
    """(name, model of the row it is about, or None) of every named route of the console."""
    for route, pattern in routes_below(get_resolver()):
        if route.startswith("console/") and pattern.name and pattern.name not in WITHOUT_ROWS:
            names = set(pattern.pattern.converters)
            assert names in ARGUMENTS, f"{route}: no row in the table"
            yield pattern.name, _model_of(pattern.name) if names else None


def _model_of(name: str) -> type[models.Model]:
    found = [
        model for model in admin.site._registry if name.startswith(f"{model._meta.app_label}_{model._meta.model_name}_")
    ]
    assert found, f"{name}: of which model?"
    return max(found, key=lambda model: len(model._meta.model_name or ""))


def leaks_of_console(console: Console, theirs: Tenant) -> list[str]:
    """Open and post every page, for rows of the other tenant and for random ones."""
    found, before = list[str](), rows_of(theirs)
    for name, model in console_routes():
        if model is None:
            found += [f"{name}: {leak}" for leak in leaks_of_page(console, name)]
        elif model._meta.label_lower not in SHARED:
            row = model._base_manager.filter(tenant_id=theirs.pk).first()
            assert row, f"the other tenant has no row of {model._meta.label}"
            random = uuid4() if isinstance(row.pk, UUID) else 10**9
            for method in ("get", "post"):
                calls = [partial(page_of, console, method, name, pk) for pk in (row.pk, random)]
                unchanged = (lambda: True) if method == "get" else (lambda: rows_of(theirs) == before)
                found += [f"{method} {name}: {leak}" for leak in leaks(*calls, unchanged=unchanged)]
    return found if rows_of(theirs) == before else [*found, "a refused request changed rows of the other tenant"]


def leaks_of_page(console: Console, name: str) -> Iterator[str]:
    """A page that is about no row shows none of the other tenant."""
    if name in SHOWS_ALL_TENANTS or "logout" in name:
        return
    if MARK in page_of(console, "get", name, None, app_label="participants")[1]:
        yield "shows rows of the other tenant"


def page_of(console: Console, method: str, name: str, pk: Any, **named: Any) -> tuple[int, str]:
    """Status and text of a page, without ids and form tokens; of a redirect, its target."""
    path = (
        reverse(f"admin:{name}", args=[pk])
        if pk
        else reverse(f"admin:{name}", kwargs=named if name == "app_list" else {})
    )
    console.client.cookies.pop("messages", None)  # a page also shows what earlier redirects left to say
    answer = (
        console.client.get(path) if method == "get" else console.client.post(path, {"post": "yes", "confirmed": "yes"})
    )
    text = answer.headers.get("Location", "") + answer.getvalue().decode()
    return answer.status_code, VOLATILE.sub("…", FORM_TOKEN.sub("…", text.replace(str(pk), "…")))


def test_no_page_of_the_console_shows_or_changes_a_row_of_a_tenant_that_is_not_chosen(
    theirs: Tenant, ours: Tenant
) -> None:
    console = Console(ours, user=make_staff("superuser"))

    found = leaks_of_console(console, theirs)
    assert found == [], "\n".join(found)


def test_without_the_tenant_in_its_queries_the_console_leaks(
    theirs: Tenant, ours: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TenantDataAdmin, "get_queryset", lambda self, request: self.model._base_manager.all())

    assert len(leaks_of_console(Console(ours, user=make_staff("superuser")), theirs)) > 10
