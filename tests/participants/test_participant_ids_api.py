import pytest

from participants.engine import MAX_EXTERNAL_ID, external_id_problem
from participants.models import Participant
from tests.client import refusal, refused_fields, segment

IDS = [
    "user_123",
    "user@example.com",
    "auth0|1",
    "a/b",
    "/a",
    "a/",
    "a//b",
    "//",
    "a/points",
    "a/points/transactions",
    "a/state",
    "points",
    "state",
    "participants",
    "a b",
    " a ",
    " ",
    "100%",
    "%2F",
    "a%2Fb",
    "%25",
    "a?b#c",
    "a&b=c;d",
    "a+b",
    "a:b",
    ".",
    "..",
    "a/../b",
    "0",
    "-1",
    "null",
    "Ünïcödé",
    "日本語",
    "🎉👩‍👩‍👧",
    "e\u0301",
    "\u202eabc",
    "'; DROP TABLE participants; --",
    '"quoted"',
    "back\\slash",
    "<script>",
    "x" * 255,
    "ü" * 255,
    "🎉" * 255,
]


@pytest.mark.parametrize("participant_id", IDS)
def test_every_printable_id_works_in_bodies_and_in_paths(api, admin_api, participant_id):
    path = f"/participants/{segment(participant_id)}"
    award = api.post("/points/award", {"participant_id": participant_id, "amount": 5})

    assert award.json()["participant_id"] == participant_id
    for answer in (api.get(path), api.get(path + "/points"), api.get(path + "/state")):
        assert answer.status_code == 200
        assert answer.json()["participant_id"] == participant_id
    assert api.get(path + "/points").json()["balance"] == 5
    assert api.get(path + "/points/transactions").json()["total"] == 1
    assert api.patch(path, {"display_name": "New"}).json()["participant_id"] == participant_id
    deleted = admin_api.delete("/admin" + path)
    assert (deleted.status_code, deleted.json()["participant_id"]) == (200, participant_id)
    assert Participant.objects.count() == 0


@pytest.mark.parametrize("participant_id", ["a/b", "a%2Fb", "100%", "%25", "Ünïcödé", "auth0|1", "points", "a b"])
def test_without_a_raw_path_ids_work_unless_they_are_ambiguous(api, participant_id):
    api.tells_raw_path = False
    path = f"/participants/{segment(participant_id)}"
    api.post("/points/award", {"participant_id": participant_id, "amount": 5})

    assert api.get(path).json()["participant_id"] == participant_id
    assert api.get(path + "/points").json()["balance"] == 5


def test_an_id_that_ends_like_a_route_is_distinguished_from_the_route(api):
    api.post("/points/award", {"participant_id": "a", "amount": 1})
    api.post("/points/award", {"participant_id": "a/points", "amount": 2})

    assert api.get("/participants/a/points").json()["balance"] == 1
    assert api.get("/participants/a%2Fpoints").json()["points"]["balance"] == 2
    assert api.get("/participants/a%2fpoints/points").json()["balance"] == 2


@pytest.mark.parametrize("raw", ["user%5F123", "%75ser_123", "user_123?x=1"])
def test_percent_encoding_that_is_not_needed_is_decoded_all_the_same(api, raw):
    api.post("/participants", {"participant_id": "user_123"})

    assert api.get(f"/participants/{raw}").json()["participant_id"] == "user_123"


@pytest.mark.parametrize("raw_uri", ["http://testserver/api/v1/gamify/participants/a%2Fb/points?x=1", None])
def test_the_raw_path_may_come_in_absolute_form(api, raw_uri):
    api.post("/points/award", {"participant_id": "a/b", "amount": 5})

    response = api.get("/participants/a%2Fb/points", **({"RAW_URI": raw_uri} if raw_uri else {}))

    assert response.json()["balance"] == 5


def test_ids_are_case_sensitive_and_never_trimmed_or_normalised(api):
    for amount, participant_id in enumerate(["a", "A", " a", "a ", "é", "e\u0301"], start=1):
        api.post("/points/award", {"participant_id": participant_id, "amount": amount})

    assert Participant.objects.count() == 6
    assert api.get("/participants/%20a/points").json()["balance"] == 3
    assert api.get("/participants/e%CC%81/points").json()["balance"] == 6


CONTROLS = ["\t", "\n", "\r", "\x1f", "\x7f", "\x85", "a\tb", "a\nb", "end\n", "\u2028", "\u2029"]


@pytest.mark.parametrize("participant_id", [*CONTROLS, "x" * 256, "🎉" * 256])
@pytest.mark.parametrize("suffix", ["", "/points", "/points/transactions", "/state"])
def test_an_invalid_id_is_422_in_every_path(api, participant_id, suffix):
    assert refused_fields(api.get(f"/participants/{segment(participant_id)}{suffix}")) == ["participant_id"]


@pytest.mark.parametrize("participant_id", [*CONTROLS, "", "x" * 256])
@pytest.mark.parametrize("path", ["/participants", "/points/award", "/points/deduct"])
def test_an_invalid_id_is_422_in_every_body(api, nothing_written, participant_id, path):
    with nothing_written():
        response = api.post(path, {"participant_id": participant_id, "amount": 1})

    assert refused_fields(response) == ["participant_id"]


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_an_invalid_id_is_422_for_writes_too(api, admin_api, nothing_written, method):
    prefix, client = ("/admin", admin_api) if method == "DELETE" else ("", api)

    with nothing_written():
        response = client.send(method, f"{prefix}/participants/a%00b", {} if method == "PATCH" else None)

    assert refused_fields(response) == ["participant_id"]


@pytest.mark.parametrize("raw", ["%FF", "a%C3", "%ED%A0%80", "%C0%AF"])
def test_a_path_that_is_not_utf8_is_a_404_in_shape(api, nothing_written, raw):
    with nothing_written():
        response = api.get(f"/participants/{raw}/points")

    assert refusal(response)[0] == 404


def test_no_id_at_all_is_no_route(api):
    assert api.get("/participants/").status_code == 404


def test_the_ids_of_two_tenants_do_not_meet(api, other_api):
    api.post("/points/award", {"participant_id": "a/b", "amount": 5})

    assert other_api.get("/participants/a%2Fb").status_code == 404
    assert other_api.get("/participants/a%2Fb/points").json()["balance"] == 0


@pytest.mark.parametrize(
    ("length", "is_refused"), [(0, True), (1, False), (MAX_EXTERNAL_ID, False), (MAX_EXTERNAL_ID + 1, True)]
)
def test_an_id_has_1_to_255_characters(length, is_refused):
    assert (external_id_problem("x" * length) is not None) == is_refused
