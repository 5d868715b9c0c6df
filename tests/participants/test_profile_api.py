import pytest
import time_machine

from participants.models import DomainEvent, Participant
from tests.client import like, refusal, refused_fields
from tests.factories import ParticipantFactory

PEOPLE, JANE = "/participants", "/participants/user_123"
SPEC = {
    "participant_id": "user_123",
    "display_name": "Jane Doe",
    "avatar_url": "https://example.com/avatar.png",
    "attributes": {"plan": "premium", "signup_source": "referral"},
}
LARGEST = {"a": "x" * (16_384 - len('{"a":""}'))}


@time_machine.travel("2026-02-14T10:00:00Z", tick=False)
def test_the_specs_registration_answers_the_full_profile(api):
    response = api.post(PEOPLE, SPEC)

    assert response.status_code == 201
    assert response.json() == {
        "participant_id": "user_123",
        "display_name": "Jane Doe",
        "avatar_url": "https://example.com/avatar.png",
        "attributes": {"plan": "premium", "signup_source": "referral"},
        "timezone": None,
        "visible": True,
        "points": {"balance": 0, "total_earned": 0, "total_spent": 0},
        "tier": None,
        "badges": [],
        "streaks": None,
        "rewards_claimed": 0,
        "total_events": 0,
        "is_active": True,
        "first_seen_at": "2026-02-14T10:00:00Z",
        "last_seen_at": "2026-02-14T10:00:00Z",
        "created_at": "2026-02-14T10:00:00Z",
    }


def test_registration_writes_one_participant_and_publishes_an_event(tenant, api):
    api.post(PEOPLE, SPEC)

    participant = Participant.objects.get()
    assert (participant.tenant, participant.external_id, participant.display_name) == (tenant, "user_123", "Jane Doe")
    assert set(DomainEvent.objects.values_list("type", flat=True)) == {"participant.created", "participant.updated"}


def test_registration_needs_the_id_alone(api):
    response = api.post(PEOPLE, {"participant_id": "user_123"})

    assert response.status_code == 201
    assert like(response.json(), {"display_name": None, "avatar_url": None, "attributes": {}})


def test_registering_again_is_201_and_replaces_what_is_given(api):
    api.post(PEOPLE, SPEC)

    response = api.post(PEOPLE, {"participant_id": "user_123", "attributes": {"team": "b"}})

    assert response.status_code == 201
    assert like(response.json(), {"display_name": "Jane Doe", "avatar_url": "https://example.com/avatar.png"})
    assert response.json()["attributes"] == {"team": "b"}
    assert Participant.objects.count() == 1


def test_registering_again_without_changes_publishes_no_event(api):
    api.post(PEOPLE, SPEC)
    before = DomainEvent.objects.count()

    api.post(PEOPLE, SPEC)

    assert DomainEvent.objects.count() == before


@pytest.mark.parametrize("field", ["display_name", "avatar_url", "timezone"])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_null_clears_a_field(api, field, method):
    api.post(PEOPLE, SPEC | {"timezone": "Europe/Berlin"})

    body, path = ({"participant_id": "user_123"}, PEOPLE) if method == "POST" else ({}, JANE)
    response = api.send(method, path, body | {field: None})

    assert response.json()[field] is None
    assert response.json()["attributes"] == SPEC["attributes"]


def test_registering_someone_who_has_points_keeps_them(api):
    api.post("/points/award", {"participant_id": "user_123", "amount": 100})

    response = api.post(PEOPLE, SPEC)

    assert response.json()["points"] == {"balance": 100, "total_earned": 100, "total_spent": 0}


def test_the_profile_has_the_specs_fields_and_its_points(api):
    api.post(PEOPLE, SPEC)
    api.post("/points/award", {"participant_id": "user_123", "amount": 5000})
    api.post("/points/deduct", {"participant_id": "user_123", "amount": 3500})

    response = api.get(JANE)

    assert response.status_code == 200
    assert like(
        response.json(),
        {
            "participant_id": "user_123",
            "display_name": "Jane Doe",
            "avatar_url": "https://example.com/avatar.png",
            "attributes": {"plan": "premium", "signup_source": "referral"},
            "points": {"balance": 1500, "total_earned": 5000, "total_spent": 3500},
            "tier": None,
            "badges": [],
            "streaks": None,
            "rewards_claimed": 0,
            "total_events": 0,
            "first_seen_at": ...,
            "last_seen_at": ...,
            "is_active": True,
            "created_at": ...,
        },
    )


def test_the_specs_patch_merges_attributes_and_answers_the_profile(api):
    api.post(PEOPLE, SPEC)

    response = api.patch(
        JANE, {"display_name": "Jane Smith", "attributes": {"plan": "enterprise", "team_id": "team_42"}}
    )

    assert response.status_code == 200
    assert response.json()["display_name"] == "Jane Smith"
    assert response.json()["attributes"] == {
        "plan": "enterprise",
        "signup_source": "referral",
        "team_id": "team_42",
    }
    assert response.json() == api.get(JANE).json()


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [  # the table of RFC 7396, appendix A, as far as both sides are objects
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ({"a": 1}, {}, {"a": 1}),
    ],
)
def test_attributes_merge_as_rfc_7396_says(tenant, api, before, patch, after):
    ParticipantFactory(tenant=tenant, external_id="user_123", attributes=before)

    assert api.patch(JANE, {"attributes": patch}).json()["attributes"] == after


@pytest.mark.parametrize(
    "body", [{}, None, {"participant_id": "other"}, {"points": {"balance": 5}, "is_active": False}]
)
def test_a_patch_without_known_fields_changes_nothing_and_answers_the_profile(api, body):
    api.post(PEOPLE, SPEC)
    before = DomainEvent.objects.count()

    response = api.patch(JANE, body)

    assert response.status_code == 200
    assert like(response.json(), SPEC | {"is_active": True, "points": {"balance": 0}})
    assert DomainEvent.objects.count() == before


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_the_profile_of_an_unknown_participant_is_404_and_creates_none(api, nothing_written, method):
    with nothing_written():
        response = api.send(method, "/participants/unknown", {"display_name": "x"} if method == "PATCH" else None)

    assert refusal(response) == (404, "participant_not_found", "Participant not found: unknown")


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_another_tenants_participant_is_404(api, other_api, nothing_written, method):
    api.post(PEOPLE, SPEC)

    with nothing_written():
        response = other_api.send(method, JANE, {"display_name": "x"} if method == "PATCH" else None)

    assert refusal(response) == (404, "participant_not_found", "Participant not found: user_123")


def test_registering_the_same_id_in_two_tenants_makes_two_participants(api, other_api):
    api.post(PEOPLE, SPEC)

    response = other_api.post(PEOPLE, {"participant_id": "user_123"})

    assert response.json()["display_name"] is None
    assert api.get(JANE).json()["display_name"] == "Jane Doe"


@pytest.mark.parametrize(
    "given",
    [
        {"display_name": "x" * 255},
        {"display_name": ""},
        {"display_name": " Žofie 🎉 "},
        {"avatar_url": "https://example.com/" + "x" * 480},
        {"avatar_url": "HTTP://example.com"},
        {"avatar_url": "https://user:pw@bücher.example:8443/a%20b?c=d#e"},
        {"avatar_url": "http://[::1]/a.png"},
        {"attributes": {}},
        {"attributes": {"a": {"b": [1, 2.5, None, True, "🎉"]}}},
        {"attributes": LARGEST},
        {"timezone": "America/Argentina/Buenos_Aires"},
        {"timezone": "UTC"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_profile_fields_are_stored_as_sent(api, given, method):
    api.post(PEOPLE, {"participant_id": "user_123"})

    path, body = (PEOPLE, {"participant_id": "user_123"} | given) if method == "POST" else (JANE, given)
    response = api.send(method, path, body)

    assert like(response.json(), given)
    assert like(api.get(JANE).json(), given)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"display_name": "x" * 256}, "display_name"),
        ({"display_name": "two\nlines"}, "display_name"),
        ({"display_name": ["x"]}, "display_name"),
        ({"avatar_url": "https://example.com/" + "x" * 481}, "avatar_url"),
        ({"avatar_url": "example.com/a.png"}, "avatar_url"),
        ({"avatar_url": "//example.com/a.png"}, "avatar_url"),
        ({"avatar_url": "/a.png"}, "avatar_url"),
        ({"avatar_url": "https://"}, "avatar_url"),
        ({"avatar_url": "https:///a.png"}, "avatar_url"),
        ({"avatar_url": "ftp://example.com/a.png"}, "avatar_url"),
        ({"avatar_url": "javascript:alert(1)"}, "avatar_url"),
        ({"avatar_url": "data:image/png;base64,AAAA"}, "avatar_url"),
        ({"avatar_url": "https://example.com/a b.png"}, "avatar_url"),
        ({"avatar_url": "https://example.com/a\nb.png"}, "avatar_url"),
        ({"avatar_url": "https://exam\x01ple.com/a.png"}, "avatar_url"),
        ({"avatar_url": "https://[::1/a.png"}, "avatar_url"),
        ({"avatar_url": 5}, "avatar_url"),
        ({"attributes": []}, "attributes"),
        ({"attributes": "x"}, "attributes"),
        ({"attributes": LARGEST | {"b": 1}}, "attributes"),
        ({"timezone": ""}, "timezone"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"timezone": "/etc/localtime"}, "timezone"),
        ({"timezone": "America"}, "timezone"),
        ({"timezone": "+02:00"}, "timezone"),
        ({"timezone": "x" * 65}, "timezone"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_profile_that_does_not_validate_is_422_and_writes_nothing(api, nothing_written, change, field, method):
    api.post(PEOPLE, SPEC)
    path, body = (PEOPLE, {"participant_id": "user_124"}) if method == "POST" else (JANE, {})

    with nothing_written():
        response = api.send(method, path, body | {"display_name": "Fine"} | change)

    assert refused_fields(response) == [field]


def test_attributes_may_not_grow_past_their_limit_by_merging(api, nothing_written):
    api.post(PEOPLE, SPEC | {"attributes": LARGEST})

    with nothing_written():
        response = api.patch(JANE, {"attributes": {"one": "more"}})

    assert refused_fields(response) == ["attributes"]
    assert api.patch(JANE, {"attributes": {"a": None, "one": "more"}}).json()["attributes"] == {"one": "more"}


@pytest.mark.parametrize("body", [{}, {"participant_id": None}, {"participant_id": ""}, {"display_name": "x"}])
def test_registration_without_an_id_is_422(api, nothing_written, body):
    with nothing_written():
        response = api.post(PEOPLE, body)

    assert refused_fields(response) == ["participant_id"]


def test_a_patch_moves_last_seen_only(api):
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False):
        api.post(PEOPLE, SPEC)
    with time_machine.travel("2026-02-14T00:00:00Z", tick=False):
        response = api.patch(JANE, {"display_name": "Jane Smith"})

    assert response.json()["created_at"] == response.json()["first_seen_at"] == "2026-01-01T00:00:00Z"
    assert response.json()["last_seen_at"] == "2026-02-14T00:00:00Z"


def test_statements_of_a_profile_and_of_a_registration(api, queries):
    api.post(PEOPLE, {"participant_id": "someone"})  # loads the catalog

    with queries(7):  # key, lock, version, domain events, participant; badges, streaks
        api.post(PEOPLE, SPEC)
    with queries(4):
        api.get(JANE)
    with queries(7):
        api.patch(JANE, {"display_name": "Jane Smith"})
