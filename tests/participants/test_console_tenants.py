import pytest

from participants.models import Tenant
from tests.client import Api
from tests.console import Console, errors_of, staff, text_of, trail
from tests.factories import TenantFactory

LIMITS = {"participant_writes_per_minute": 300, "key_requests_per_minute": 60_000, "support_points_per_day": 1000}


def test_a_tenant_is_added_with_its_sandbox(db):
    answer = Console().post("participants_tenant_add", name="Acme", slug="acme", timezone="Europe/Berlin")

    assert answer.status_code == 302
    live = Tenant.objects.live().get()
    assert (live.slug, live.sandbox.slug, live.sandbox.timezone) == ("acme", "acme", "Europe/Berlin")
    assert trail() == [("Acme", 1, "Added.")]


def test_a_new_tenant_is_chosen(tenant):
    console = Console(tenant)

    console.post("participants_tenant_add", name="Globex", slug="globex", timezone="UTC")

    assert console.client.session["console_tenant"] == str(Tenant.objects.live().get(slug="globex").pk)


@pytest.mark.parametrize(
    ("slug", "message"),
    [
        ("acme", "Tenant with slug 'acme' already exists"),
        ("users", "'users' is reserved."),
        ("No!", "Must be 1 to 64 of a-z, 0-9, '-' and '_', and begin with a letter or a digit."),
    ],
)
def test_a_slug_the_service_refuses_is_an_error_of_its_field(tenant, nothing_written, slug, message):
    console = Console()

    with nothing_written():
        answer = console.post("participants_tenant_add", name="Acme", slug=slug, timezone="UTC")

    assert errors_of(answer) == {"slug": [message]}
    assert trail() == []


def test_a_zone_the_service_refuses_is_an_error_of_its_field(tenant, nothing_written):
    console = Console()

    with nothing_written():
        answer = console.post("participants_tenant_change", tenant.pk, name="Acme", timezone="Mars/Olympus", **LIMITS)

    assert errors_of(answer) == {"timezone": ["'Mars/Olympus' is not an IANA time zone."]}


def test_an_edit_reaches_every_process_by_the_catalog_version(tenant):
    data = {"name": "Acme Ltd", "timezone": "Asia/Tokyo", **LIMITS, "key_requests_per_minute": 10, "slug": "other"}

    Console().post("participants_tenant_change", tenant.pk, **data)

    edited = Tenant.objects.get(pk=tenant.pk)
    assert (edited.name, edited.timezone, edited.key_requests_per_minute) == ("Acme Ltd", "Asia/Tokyo", 10)
    assert edited.slug == "acme"
    assert edited.catalog_version == tenant.catalog_version + 1
    assert [flag for _, flag, _ in trail()] == [2]


def test_disabling_and_enabling_include_the_sandbox(tenant, api: Api, sandbox_api: Api):
    console = Console()

    console.post("participants_tenant_disable", tenant.sandbox.pk)
    while_disabled = [client.get("/participants/u/points").status_code for client in (api, sandbox_api)]
    console.post("participants_tenant_enable", tenant.pk)

    assert while_disabled == [403, 403]
    assert [client.get("/participants/u/points").status_code for client in (api, sandbox_api)] == [200, 200]
    assert [message for _, _, message in trail()] == ["Disabled, with its sandbox.", "Enabled, with its sandbox."]


def test_viewing_the_confirmation_changes_nothing(tenant, nothing_written):
    console = Console()

    with nothing_written():
        answer = console.get("participants_tenant_disable", tenant.pk)

    assert "Disable live and sandbox" in text_of(answer)
    assert trail() == []


def test_disabling_twice_reports_that_nothing_is_left_to_do(tenant):
    console = Console()
    console.post("participants_tenant_disable", tenant.pk)

    answer = console.post("participants_tenant_disable", tenant.pk)

    assert answer.status_code == 302
    assert len(trail()) == 1


def test_no_tenant_is_ever_deleted(tenant):
    console = Console()

    assert console.post("participants_tenant_delete", tenant.pk, post="yes").status_code == 403
    console.post("participants_tenant_changelist", action="delete_selected", _selected_action=[str(tenant.pk)])
    assert Tenant.objects.count() == 2


def test_staff_who_may_only_view_cannot_disable(tenant):
    console = Console(user=staff("participants.view_tenant"))

    assert console.get("participants_tenant_change", tenant.pk).status_code == 200
    assert console.post("participants_tenant_disable", tenant.pk).status_code == 403
    assert Tenant.objects.get(pk=tenant.pk).is_active


def test_the_list_of_tenants_needs_a_constant_number_of_queries(tenant, queries):
    console = Console(tenant)
    console.get("participants_tenant_changelist")

    for number_of_new in (0, 10):
        TenantFactory.create_batch(number_of_new)
        with queries(7):  # session, user, second factor, picked tenant, count of matches and of all, the tenants
            assert console.get("participants_tenant_changelist", q="").status_code == 200


def test_tenants_are_found_by_name_and_slug(tenant, other_tenant):
    found = text_of(Console(tenant).get("participants_tenant_changelist", q="glob"))

    assert str(other_tenant.pk) in found
    assert f"/{tenant.pk}/" not in found
