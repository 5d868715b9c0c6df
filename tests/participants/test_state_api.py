from dataclasses import replace

import pytest

from participants.profile import SECTION_NAMES, sections
from tests.client import refused_fields

STATE = "/participants/user_123/state"
EMPTY = {
    "points": {"balance": 0, "total_earned": 0, "total_spent": 0},
    "tier": None,
    "badges": [],
    "streaks": {"current": 0, "longest": 0},
    "challenges": {"active": 0, "completed": 0},
    "rewards": {"total_claimed": 0},
}


def test_the_quick_starts_state(api):
    api.post("/points/award", {"participant_id": "user_123", "amount": 250})

    response = api.get(STATE)

    assert response.status_code == 200
    assert response.json() == {
        "participant_id": "user_123",
        **EMPTY,
        "points": {"balance": 250, "total_earned": 250, "total_spent": 0},
    }


def test_the_state_of_an_unknown_participant_is_empty_and_creates_none(api, nothing_written):
    with nothing_written():
        response = api.get(STATE)

    assert response.status_code == 200
    assert response.json() == {"participant_id": "user_123", **EMPTY}


def test_include_of_the_specification_answers_only_these_sections(api):
    response = api.get(STATE + "?include=points,tier,badges")

    assert list(response.json()) == ["participant_id", "points", "tier", "badges"]


@pytest.mark.parametrize("name", SECTION_NAMES)
def test_one_section_alone(api, name):
    assert api.get(f"{STATE}?include={name}").json() == {"participant_id": "user_123", name: EMPTY[name]}


@pytest.mark.parametrize(
    ("include", "names"),
    [
        ("rewards,points", {"points", "rewards"}),
        ("points,points", {"points"}),
        ("%20points%20,%20tier", {"points", "tier"}),
        ("points%2Ctier", {"points", "tier"}),
        ("points,", {"points"}),
        ("", set(SECTION_NAMES)),
    ],
)
def test_include_is_a_list_in_any_order_and_spacing(api, include, names):
    assert set(api.get(f"{STATE}?include={include}").json()) == names | {"participant_id"}


@pytest.mark.parametrize("include", ["point", "points,leaderboards", "Points", "points;tier", "%00", "points%0Atier"])
def test_an_unknown_section_is_422(api, nothing_written, include):
    with nothing_written():
        response = api.get(f"{STATE}?include={include}")

    assert refused_fields(response) == ["include"]


@pytest.mark.parametrize("name", SECTION_NAMES)
def test_a_section_that_is_not_asked_for_is_not_computed(api, monkeypatch, name):
    def fail(subject):
        raise AssertionError(f"{name} was computed")

    monkeypatch.setitem(sections._entries, name, replace(sections[name], state=fail))
    others = ",".join(other for other in SECTION_NAMES if other != name)

    assert api.get(f"{STATE}?include={others}").status_code == 200
    assert api.get(STATE).status_code == 500


def test_statements_of_the_state(api, queries):
    api.post("/points/award", {"participant_id": "user_123", "amount": 250})
    api.get(STATE)  # loads the catalog

    with queries(4):  # key, participant, badges, streaks
        api.get(STATE)


def test_another_tenants_points_do_not_show(api, other_api, sandbox_api):
    api.post("/points/award", {"participant_id": "user_123", "amount": 250})

    for stranger in (other_api, sandbox_api):
        assert stranger.get(STATE).json() == {"participant_id": "user_123", **EMPTY}
