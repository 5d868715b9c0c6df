import pytest

from gamify.points.models import Boost
from tests.client import like, refusal, refused_fields

BOOSTS = "/admin/boosts"
WEEKEND = {
    "code": "double_weekend",
    "name": "Double weekend",
    "multiplier": 2,
    "starts_at": "2026-02-14T00:00:00Z",
    "ends_at": "2026-02-16T00:00:00Z",
}
AWARD = {"participant_id": "ada", "amount": 10}


def test_a_boost_multiplies_from_the_next_award_on_and_can_be_changed_and_switched_off(api, admin_api):
    created = admin_api.post(BOOSTS, WEEKEND | {"starts_at": None, "ends_at": None, "multiplier": 1.5})
    one = f"{BOOSTS}/{created.json()['id']}"

    amounts = [api.post("/points/award", AWARD).json()["amount"]]
    admin_api.patch(one, {"multiplier": 2.25})
    amounts += [api.post("/points/award", AWARD).json()["amount"]]
    gone = admin_api.delete(one)
    amounts += [api.post("/points/award", AWARD).json()["amount"]]

    assert (created.status_code, created.json()["multiplier"]) == (201, 1.5)
    assert amounts == [15, 23, 10]
    assert gone.json() == {"message": "Boost deactivated"}
    assert admin_api.get(BOOSTS).json()["total"] == 1


def test_a_boost_is_returned_as_it_was_sent(admin_api):
    created = admin_api.post(BOOSTS, WEEKEND).json()

    assert like(created, WEEKEND)
    assert admin_api.get(f"{BOOSTS}/{created['id']}").json() == created


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"multiplier": 0}, "multiplier"),
        ({"multiplier": -1}, "multiplier"),
        ({"multiplier": 100.5}, "multiplier"),
        ({"multiplier": 1.00001}, "multiplier"),
        ({"multiplier": "many"}, "multiplier"),
        ({"multiplier": None}, "multiplier"),
        ({"multiplier": "NaN"}, "multiplier"),
        ({"multiplier": [2]}, "multiplier"),
        ({"ends_at": "2026-02-14T00:00:00Z"}, "ends_at"),
        ({"starts_at": "soon"}, "starts_at"),
        ({"code": ""}, "code"),
    ],
)
def test_an_invalid_boost_is_422_and_writes_nothing(admin_api, nothing_written, change, field):
    with nothing_written():
        response = admin_api.post(BOOSTS, WEEKEND | change)

    assert refused_fields(response) == [field]


def test_a_change_is_validated_together_with_the_unchanged_fields(admin_api):
    one = f"{BOOSTS}/{admin_api.post(BOOSTS, WEEKEND).json()['id']}"

    assert refused_fields(admin_api.patch(one, {"starts_at": "2026-03-01T00:00:00Z"})) == ["ends_at"]


def test_codes_are_unique(admin_api):
    admin_api.post(BOOSTS, WEEKEND)

    assert refusal(admin_api.post(BOOSTS, WEEKEND)) == (
        400,
        "boost_code_conflict",
        "Boost with code 'double_weekend' already exists",
    )


def test_boosts_need_the_admin_scope_and_belong_to_one_tenant(api, admin_api, other_admin_api):
    boost_id = admin_api.post(BOOSTS, WEEKEND).json()["id"]

    assert api.get(BOOSTS).status_code == 403
    assert refusal(other_admin_api.get(f"{BOOSTS}/{boost_id}")) == (
        404,
        "boost_not_found",
        f"Boost not found: {boost_id}",
    )
    assert other_admin_api.get(BOOSTS).json()["total"] == 0
    assert Boost.objects.count() == 1
