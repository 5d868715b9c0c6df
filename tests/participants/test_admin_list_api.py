from datetime import UTC, datetime

import pytest

from tests.client import like, refused_fields, segment
from tests.factories import LedgerEntryFactory, ParticipantFactory

LIST = "/admin/participants"


@pytest.fixture
def people(tenant):
    """Four participants with different values in every sort field; one has no name."""
    for day, (name, display_name, points, events) in enumerate(
        [("ann", "delta", 30, 2), ("bob", None, 10, 4), ("cid", "alpha", 40, 1), ("dee", "beta", 20, 3)], start=1
    ):
        person = ParticipantFactory(
            tenant=tenant,
            external_id=name,
            display_name=display_name,
            total_events=events,
            first_seen_at=datetime(2026, 1, day, tzinfo=UTC),
            last_seen_at=datetime(2026, 2, 29 - 5 * day, tzinfo=UTC),
            points=points,
        )
        LedgerEntryFactory(participant=person, delta=-(day * 2))


def ids(response):
    assert response.status_code == 200, response.content
    return [item["participant_id"] for item in response.json()["items"]]


def test_the_specs_list(tenant, admin_api):
    jane = ParticipantFactory(
        tenant=tenant, external_id="user_123", display_name="Jane Doe", tier_code="gold", total_events=156, points=5000
    )
    LedgerEntryFactory(participant=jane, delta=-3500)
    ParticipantFactory(tenant=tenant, display_name="John Doe")

    response = admin_api.get(LIST + "?search=jane&sort_by=total_points&sort_order=desc")

    assert response.status_code == 200
    assert like(
        response.json(),
        {
            "items": [
                {
                    "participant_id": "user_123",
                    "display_name": "Jane Doe",
                    "total_points": 5000,
                    "available_points": 1500,
                    "current_tier": "gold",
                    "total_events": 156,
                    "is_active": True,
                }
            ],
            "total": 1,
            "page": 1,
            "page_size": 50,
        },
    )


def test_an_item_of_a_new_participant(tenant, admin_api):
    ParticipantFactory(tenant=tenant, external_id="new", first_seen_at=datetime(2026, 2, 14, 10, tzinfo=UTC))

    assert admin_api.get(LIST).json()["items"] == [
        {
            "participant_id": "new",
            "display_name": None,
            "total_points": 0,
            "available_points": 0,
            "current_tier": None,
            "total_events": 0,
            "is_active": True,
            "first_seen_at": "2026-02-14T10:00:00Z",
            "last_seen_at": "2026-02-14T10:00:00Z",
        }
    ]


@pytest.mark.parametrize(
    ("sort_by", "ascending"),
    [
        ("participant_id", ["ann", "bob", "cid", "dee"]),
        ("total_points", ["bob", "dee", "ann", "cid"]),
        ("available_points", ["bob", "dee", "ann", "cid"]),
        ("total_events", ["cid", "ann", "dee", "bob"]),
        ("first_seen_at", ["ann", "bob", "cid", "dee"]),
        ("last_seen_at", ["dee", "cid", "bob", "ann"]),
    ],
)
def test_every_column_sorts_both_ways(people, admin_api, sort_by, ascending):
    assert ids(admin_api.get(f"{LIST}?sort_by={sort_by}")) == ascending
    assert ids(admin_api.get(f"{LIST}?sort_by={sort_by}&sort_order=asc")) == ascending
    assert ids(admin_api.get(f"{LIST}?sort_by={sort_by}&sort_order=desc")) == ascending[::-1]


def test_participants_without_a_name_come_last_in_both_directions(people, admin_api):
    assert ids(admin_api.get(f"{LIST}?sort_by=display_name")) == ["cid", "dee", "ann", "bob"]
    assert ids(admin_api.get(f"{LIST}?sort_by=display_name&sort_order=desc")) == ["ann", "dee", "cid", "bob"]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_ties_are_sorted_by_participant_id_so_that_pages_are_stable(tenant, admin_api, order):
    for name in ("c", "a", "d", "b"):
        ParticipantFactory(tenant=tenant, external_id=name, points=5)

    pages = [
        ids(admin_api.get(f"{LIST}?sort_by=total_points&sort_order={order}&page_size=2&page={page}")) for page in (1, 2)
    ]

    assert pages == [["a", "b"], ["c", "d"]]


def test_without_parameters_it_sorts_by_participant_id(people, admin_api):
    assert ids(admin_api.get(LIST)) == ["ann", "bob", "cid", "dee"]
    assert ids(admin_api.get(LIST + "?sort_order=desc")) == ["dee", "cid", "bob", "ann"]
    assert ids(admin_api.get(LIST + "?sort_by=&sort_order=&search=&tier=&is_active=")) == ["ann", "bob", "cid", "dee"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("jane", ["id-jane", "x1"]),
        ("JANE", ["id-jane", "x1"]),
        ("ane D", ["x1"]),
        ("müller", ["x2"]),
        ("MÜLLER", ["x2"]),
        ("żółć", ["x3"]),
        ("ŻÓŁĆ", ["x3"]),
        ("привет", ["x4"]),
        ("%", ["x5"]),
        ("_", ["x_6"]),
        ("\\", ["x7"]),
        (".*", ["x8"]),
        ("(", ["x9"]),
        ("[a-z]", []),
        ("x.", []),
        ("  ", ["x10"]),
        ("🎉", ["x11"]),
        ("'", ["x12"]),
        ("nobody", []),
        ("y" * 3000, []),
    ],
)
def test_search_finds_any_part_of_id_or_name_whatever_its_case(tenant, admin_api, search, found):
    names = {
        "id-jane": None,
        "x1": "Jane Doe",
        "x2": "Anna Müller",
        "x3": "Żółć",
        "x4": "ПРИВЕТ",
        "x5": "100% sure",
        "x_6": "under",
        "x7": "back\\slash",
        "x8": "dot.*star",
        "x9": "open(paren",
        "x10": "two  spaces",
        "x11": "🎉",
        "x12": "O'Neil",
    }
    for participant_id, display_name in names.items():
        ParticipantFactory(tenant=tenant, external_id=participant_id, display_name=display_name)

    response = admin_api.get(f"{LIST}?search={segment(search)}")

    assert sorted(ids(response)) == sorted(found)
    assert response.json()["total"] == len(found)


@pytest.mark.parametrize(
    ("is_active", "found"),
    [("true", ["on"]), ("false", ["off"]), ("", ["off", "on"])],
)
def test_is_active_filters(tenant, admin_api, is_active, found):
    ParticipantFactory(tenant=tenant, external_id="on")
    ParticipantFactory(tenant=tenant, external_id="off", is_active=False)

    assert ids(admin_api.get(f"{LIST}?is_active={is_active}")) == found


def test_tier_filters_by_its_exact_code(tenant, admin_api):
    for name, tier in (("a", "gold"), ("b", "Gold"), ("c", "golden"), ("d", None)):
        ParticipantFactory(tenant=tenant, external_id=name, tier_code=tier)

    assert ids(admin_api.get(LIST + "?tier=gold")) == ["a"]
    assert ids(admin_api.get(LIST + "?tier=unknown")) == []


def test_filters_combine(tenant, admin_api):
    for name, tier, is_active in (("jane", "gold", True), ("janet", "gold", False), ("john", "gold", True)):
        ParticipantFactory(tenant=tenant, external_id=name, tier_code=tier, is_active=is_active)

    assert ids(admin_api.get(LIST + "?search=JAN&tier=gold&is_active=true")) == ["jane"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=x", "page"),
        ("page=99999999999999999999", "page"),
        ("page_size=0", "page_size"),
        ("page_size=101", "page_size"),
        ("page_size=x", "page_size"),
        ("sort_by=balance", "sort_by"),
        ("sort_by=-participant_id", "sort_by"),
        ("sort_by=id", "sort_by"),
        ("sort_order=down", "sort_order"),
        ("sort_order=DESC", "sort_order"),
        ("is_active=maybe", "is_active"),
        ("is_active=2", "is_active"),
        ("search=%00", "search"),
        ("tier=%00", "tier"),
    ],
)
def test_a_parameter_that_is_not_understood_is_422(people, admin_api, query, field):
    assert refused_fields(admin_api.get(f"{LIST}?{query}")) == [field]


def test_a_search_that_is_not_utf8_finds_nothing(people, admin_api):
    assert ids(admin_api.get(LIST + "?search=%FF")) == []


def test_pages(people, admin_api):
    first, second, third = (admin_api.get(f"{LIST}?page={page}&page_size=3") for page in (1, 2, 3))

    assert (ids(first), ids(second), ids(third)) == (["ann", "bob", "cid"], ["dee"], [])
    assert like(third.json(), {"items": [], "total": 4, "page": 3, "page_size": 3})


@pytest.mark.parametrize("page", [2, 1_000_000_000])
def test_a_page_past_the_end_is_empty_not_an_error(people, admin_api, page):
    response = admin_api.get(f"{LIST}?page={page}&page_size=100")

    assert response.json() == {"items": [], "total": 4, "page": page, "page_size": 100}


def test_other_tenants_and_the_sandbox_are_not_listed(tenant, other_tenant, admin_api, other_admin_api):
    ParticipantFactory(tenant=tenant, external_id="mine")
    ParticipantFactory(tenant=other_tenant, external_id="theirs")
    ParticipantFactory(tenant=tenant.sandbox, external_id="sandboxed")

    assert ids(admin_api.get(LIST)) == ["mine"]
    assert ids(other_admin_api.get(LIST)) == ["theirs"]
    assert ids(admin_api.get(LIST + "?search=theirs")) == []


@pytest.mark.parametrize(("page", "statements"), [(1, 3), (2, 3), (9, 2)])
@pytest.mark.parametrize("query", ["", "&search=a&is_active=true&sort_by=display_name"])
def test_a_page_takes_three_statements_however_many_it_lists(tenant, admin_api, queries, page, statements, query):
    for number in range(6):
        ParticipantFactory(tenant=tenant, external_id=f"a{number}", points=1)
    admin_api.get(LIST)

    with queries(statements):
        admin_api.get(f"{LIST}?page={page}&page_size=3{query}")
