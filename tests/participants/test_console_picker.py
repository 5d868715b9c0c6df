import pytest
from django.urls import reverse

from tests.console import Console, text_of
from tests.factories import ParticipantFactory, TenantFactory

PEOPLE = "/console/participants/participant/"
AN_ID = "01a20042-77f7-709e-b6d0-69e013c64664"
TENANT_PAGES = [
    "participants_participant_changelist",
    "participants_participant_add",
    "participants_apikey_changelist",
    "participants_apikey_add",
    "points_ledgerentry_changelist",
]


@pytest.mark.parametrize("page", TENANT_PAGES)
def test_pages_of_a_tenants_data_ask_for_the_tenant_first(tenant, other_tenant, page):
    answer = Console().get(page)

    assert answer.status_code == 302
    assert answer.url == f"/console/tenant/?next={reverse(f'admin:{page}').replace('/', '%2F')}"


def test_the_only_live_tenant_is_picked_automatically(tenant):
    answer = Console().get("participants_participant_changelist")

    assert answer.status_code == 200
    assert answer.context["picked_tenant"] == tenant


def test_the_picked_tenant_is_shown_on_every_page(tenant, other_tenant):
    shown = text_of(Console(tenant.sandbox).get("index"))

    assert "Acme" in shown
    assert "sandbox" in shown


def test_switching_shows_the_other_tenants_data(tenant, other_tenant):
    ours = ParticipantFactory(tenant=tenant, external_id="ours")
    ParticipantFactory(tenant=other_tenant, external_id="theirs")
    console = Console(tenant)

    console.pick(other_tenant)

    shown = text_of(console.get("participants_participant_changelist"))
    assert "theirs" in shown
    assert f"{ours.pk}" not in shown


@pytest.mark.parametrize(
    ("asked", "goes_to"),
    [
        ("/console/points/ledgerentry/?q=u1", "/console/points/ledgerentry/?q=u1"),
        (f"{PEOPLE}{AN_ID}/change/", PEOPLE),
        (f"{PEOPLE}{AN_ID}/award/", PEOPLE),
        (f"{PEOPLE}add/", f"{PEOPLE}add/"),
        ("https://evil.example/console/", PEOPLE),
        ("//evil.example", PEOPLE),
        ("/nowhere", "/console/"),
        ("", PEOPLE),
    ],
)
def test_picking_leads_back_but_never_away_nor_to_an_object_just_left(tenant, asked, goes_to):
    answer = Console().post("pick_tenant", tenant=str(tenant.pk), next=asked)

    assert answer.url == goes_to


@pytest.mark.parametrize("unknown", ["", "x", "\0", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_tenant_is_not_found(tenant, unknown):
    assert Console().post("pick_tenant", tenant=unknown).status_code == 404


def test_tenants_are_searched_by_name_and_slug(tenant, other_tenant):
    console = Console()

    assert [row.slug for row, _ in console.get("pick_tenant", q="LOBE").context["tenants"]] == ["globex"]
    assert "No tenant has “nobody”" in text_of(console.get("pick_tenant", q="nobody"))


def test_the_picker_needs_a_constant_number_of_queries(tenant, queries):
    console = Console(tenant)

    for number_of_new in (0, 60):
        TenantFactory.create_batch(number_of_new)
        with queries(5):  # session, user, second factor, picked tenant, the tenants with their sandboxes
            assert console.get("pick_tenant").status_code == 200


def test_a_deleted_tenant_is_no_longer_picked(tenant, other_tenant):
    console = Console(tenant)
    tenant.sandbox.delete()
    tenant.delete()

    assert console.get("participants_participant_changelist").status_code == 302
