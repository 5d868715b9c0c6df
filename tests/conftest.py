from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gamify_project.postgres import limits as database_limits
from participants import actors, catalog, limits
from participants.actors import Actor
from participants.api import key_cache
from participants.breakers import redis_breaker
from participants.models import ApiKey, HmacSecret, Tenant
from tests.client import Api
from tests.documented_events import documented_event
from tests.factories import TenantFactory, raw_key

TRANSACTION_CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
CALLERS = (ApiKey, HmacSecret)
TESTS = Actor("command:tests", "tests")
OWN_PACKAGES = ("participants.", "gamify.", "streaks.", "rewards.")


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process keeps in memory. Counters need no reset: keys, tenants and addresses are new in every test."""
    catalog._catalogs.clear()
    key_cache._keys.clear()
    monkeypatch.setattr(redis_breaker, "_is_open", False)
    monkeypatch.setattr(database_limits, "_kind", database_limits.COMMANDS)  # importing the WSGI application changes it


@pytest.fixture(autouse=True)
def acting_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that call services act by themselves, in all threads. Requests, tasks and imports begin without this actor."""
    monkeypatch.setattr(actors, "_actor", ContextVar("actor", default=TESTS))


@pytest.fixture(autouse=True)
def documented_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test has the product tell anything that the document does not describe."""
    monkeypatch.setattr("participants.work.unit.domain_event", documented_event)


@pytest.fixture
def tenant(db: None) -> Tenant:
    return TenantFactory(slug="acme", name="Acme")


@pytest.fixture
def other_tenant(db: None) -> Tenant:
    return TenantFactory(slug="globex", name="Globex")


@pytest.fixture
def api(tenant: Tenant) -> Api:
    """Any active key of the tenant."""
    return Api(raw_key(tenant))


@pytest.fixture
def admin_api(tenant: Tenant) -> Api:
    return Api(raw_key(tenant, "admin"))


@pytest.fixture
def sandbox_api(tenant: Tenant) -> Api:
    """A key of the tenant's sandbox twin."""
    return Api(raw_key(tenant.sandbox))


@pytest.fixture
def other_api(other_tenant: Tenant) -> Api:
    """Any active key of another tenant."""
    return Api(raw_key(other_tenant))


@pytest.fixture
def other_admin_api(other_tenant: Tenant) -> Api:
    return Api(raw_key(other_tenant, "admin"))


@pytest.fixture
def queries() -> Callable[[int], AbstractContextManager[None]]:
    """`with queries(3):` runs exactly so many statements, not counting those that begin and end transactions."""

    @contextmanager
    def expect(number: int) -> Iterator[None]:
        with CaptureQueriesContext(connection) as captured:
            yield
        statements = [query["sql"] for query in captured if not query["sql"].startswith(TRANSACTION_CONTROL)]
        assert len(statements) == number, "\n".join(statements)

    return expect


@pytest.fixture
def nothing_written(db: None) -> Callable[[], AbstractContextManager[None]]:
    """`with nothing_written():` leaves every row of every table of ours as it was."""

    @contextmanager
    def watch() -> Iterator[None]:
        before = all_rows()
        yield
        assert all_rows() == before

    return watch


def all_rows() -> dict[str, list[Any]]:
    """Every row; of keys and partners' secrets only how many, since each use is noted on them."""
    ours = [model for model in apps.get_models() if model.__module__.startswith(OWN_PACKAGES) and model not in CALLERS]
    rows = {model._meta.label: list(model._default_manager.order_by("pk").values_list()) for model in ours}
    return rows | {model._meta.label: [model._default_manager.count()] for model in CALLERS}


@pytest.fixture
def memory_limits(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counters in this process's memory, whose clock time-machine moves; Redis has a clock of its own."""
    settings.REDIS_URL = ""
    monkeypatch.setattr(limits, "_counters", cache(limits._counters.__wrapped__))


@pytest.fixture
def broken_redis(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that is configured and does not answer: nothing listens on port 1."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(limits, "_counters", cache(limits._counters.__wrapped__))
