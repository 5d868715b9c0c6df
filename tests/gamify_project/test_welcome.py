"""The banner that is printed at every start, and its first-use data."""

import json
import re
import stat
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import authenticate, get_user_model

from gamify_project.quickstart import NAME
from gamify_project.welcome import prepare
from participants.models import ApiKey, Tenant
from participants.services.callers import revoke
from participants.services.keys import digest_of
from participants.services.tenants import create_tenant
from tests.client import Api

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def var(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    return tmp_path


def start(now=NOW, host="127.0.0.1"):
    return prepare(host=host, port=8000, now=now)


def keys_in(banner):
    return re.findall(r"key +(bq_\w+_\S+)", banner)


def test_the_keys_have_the_access_that_the_banner_says():
    demo_admin, demo_sandbox, quickstart, quickstart_admin = keys_in(start())

    owners = {key: ApiKey.objects.get(digest=digest_of(key)) for key in keys_in(start())}
    found = [(row.tenant.slug, row.tenant.environment, row.scopes) for row in owners.values()]
    assert found == [
        ("demo", "live", ["admin"]),
        ("demo", "sandbox", []),
        ("quickstart", "live", []),
        ("quickstart", "live", ["admin"]),
    ]
    assert list(owners) == [demo_admin, demo_sandbox, quickstart, quickstart_admin]
    assert Api(quickstart_admin).get("/admin/participants").json()["total"] == 1


def test_every_start_prints_the_same_keys_and_password(var):
    first = start()

    assert start(NOW + timedelta(days=1)) == first
    assert stat.S_IMODE((var / "welcome.json").stat().st_mode) == 0o600


def test_a_stored_key_that_is_no_longer_valid_is_replaced():
    before = keys_in(start())
    revoke(ApiKey.objects.get(digest=digest_of(before[2])), now=NOW)

    after = keys_in(start())

    assert [old == new for old, new in zip(before, after, strict=True)] == [True, True, False, True]


def test_the_password_opens_the_console(rf):
    password = re.search(r"login admin, password (\S+)", start())

    assert authenticate(rf.post("/console/login/"), username="admin", password=password[1]).is_superuser


def test_an_ipv6_address_is_printed_in_brackets():
    assert "http://[::1]:8000/console/" in start(host="::1")


def test_a_tenant_that_the_user_created_gets_no_key(var):
    create_tenant(slug="quickstart", name="Quickstart GmbH", now=NOW)

    banner = start()

    assert f'the tenant quickstart has another name than "{NAME}", so it was not reset' in banner
    assert not ApiKey.objects.filter(tenant__slug="quickstart").exists()
    assert "curl" not in banner
    assert set(json.loads((var / "welcome.json").read_text())) == {"admin", "sandbox", "password"}


def test_production_creates_nothing_and_prints_no_secret(settings, var):
    settings.PRODUCTION = True

    banner = start()

    assert "http://127.0.0.1:8000/console/" in banner
    assert "password" not in banner
    assert not Tenant.objects.exists()
    assert not get_user_model().objects.exists()
    assert not (var / "welcome.json").exists()
