from datetime import UTC, datetime

import pytest

from participants.catalog import bump_catalog_version, catalog_of, catalog_parts
from participants.models import Tenant
from participants.services.tenants import create_tenant, update_tenant

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant():
    return create_tenant(slug="acme", name="Acme", now=NOW)


@pytest.fixture
def loads(monkeypatch):
    """A catalog part that counts how often it is loaded."""
    loads = []
    monkeypatch.setitem(catalog_parts._entries, "zone", lambda tenant: loads.append(tenant.slug) or tenant.timezone)
    return loads


def test_a_part_is_loaded_once_while_definitions_do_not_change(tenant, loads):
    assert [catalog_of(tenant).part("zone") for _ in range(3)] == ["UTC"] * 3

    assert loads == ["acme"]


def test_a_change_is_noticed_with_the_next_read_of_the_tenant(tenant, loads):
    catalog_of(tenant).part("zone")
    tenant.timezone = "Europe/Berlin"
    update_tenant(tenant, now=NOW)

    fresh = Tenant.objects.get(pk=tenant.pk)

    assert catalog_of(fresh).part("zone") == "Europe/Berlin"
    assert len(loads) == 2


def test_tenants_do_not_share_a_catalog(tenant, loads):
    other = create_tenant(slug="other", name="Other", timezone="Asia/Tokyo", now=NOW)

    assert [catalog_of(one).part("zone") for one in (tenant, other, tenant.sandbox)] == ["UTC", "Asia/Tokyo", "UTC"]


def test_a_change_raises_the_version_of_that_tenant_only(tenant):
    other = create_tenant(slug="other", name="Other", now=NOW)

    bump_catalog_version(tenant)

    versions = dict(Tenant.objects.live().values_list("slug", "catalog_version"))
    assert versions == {"acme": 2, "other": other.catalog_version}


def test_an_unknown_part_is_a_programming_error(tenant):
    with pytest.raises(LookupError, match="Catalog part 'nothing' is not registered"):
        catalog_of(tenant).part("nothing")
