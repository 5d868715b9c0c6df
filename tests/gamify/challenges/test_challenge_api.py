from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from gamify.challenges.models import Enrolment
from participants.models import DomainEvent, Participant
from tests.client import refusal, refused_fields, segment
from tests.factories import ChallengeFactory, ParticipantFactory, objective

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
DAY = timedelta(days=1)
OPEN = "/challenges"
ENROL = "/challenges/explorer/enroll"
MINE = "/participants/user_123/challenges"
WHO = {"participant_id": "user_123"}


@pytest.fixture(autouse=True)
def at_ten():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def explorer(tenant):
    wanted = objective("spend", 100, type="sum", of={"field": "amount"}, prerequisites=["login"])
    return ChallengeFactory(
        tenant=tenant,
        code="explorer",
        name="Explorer",
        duration_type="rolling",
        duration_days=7,
        enrolment="manual",
        objectives=[objective("login", 2), wanted],
        completion_grants=[{"type": "points", "amount": 10}],
    )


def send_event(api, name, **properties):
    return api.post("/events", WHO | {"event_name": name, "properties": properties}).json()["rewards_granted"]


def current_status(api):
    (only,) = api.get(MINE).json()["challenges"]
    return only


# --- enrolling --------------------------------------------------------------------------------------------------------


def test_an_unknown_participant_is_created_and_enrolled_from_now_on(api, explorer):
    response = api.post(ENROL, WHO)

    assert response.status_code == 200
    assert response.json() == {
        "participant_id": "user_123",
        "code": "explorer",
        "name": "Explorer",
        "status": "active",
        "enrolled_at": "2026-02-14T10:00:00Z",
        "ends_at": "2026-02-21T10:00:00Z",
        "completed_at": None,
        "completions": 0,
        "objectives": [
            {"code": "login", "label": "Login", "current": 0, "target": 2, "completed": False},
            {"code": "spend", "label": "Spend", "current": 0, "target": 100, "completed": False},
        ],
    }
    assert [event.type for event in DomainEvent.objects.order_by("id")] == ["participant.created", "challenge.enrolled"]


def test_a_repeated_request_enrols_once(api, explorer, at_ten):
    first = api.post(ENROL, WHO).json()
    at_ten.shift(DAY)

    assert api.post(ENROL, WHO).json() == first
    assert Enrolment.objects.count() == 1
    assert DomainEvent.objects.filter(type="challenge.enrolled").count() == 1


def test_a_retry_succeeds_even_if_the_challenge_is_inactive(api, admin_api, explorer):
    first = api.post(ENROL, WHO).json()
    admin_api.delete(f"/admin/challenges/{explorer.pk}")

    assert api.post(ENROL, WHO).json() == first


def test_events_before_the_enrolment_do_not_count(api, explorer, at_ten):
    send_event(api, "login")
    at_ten.shift(DAY)
    api.post(ENROL, WHO)
    send_event(api, "login")

    assert current_status(api)["objectives"][0]["current"] == 1


def test_a_request_can_enrol_in_an_automatic_challenge_too(tenant, api):
    ChallengeFactory(tenant=tenant, code="explorer")

    assert api.post(ENROL, WHO).json()["status"] == "active"


def test_participants_can_enrol_before_the_start(tenant, api):
    ChallengeFactory(tenant=tenant, code="explorer", duration_type="fixed", starts_at=NOW + DAY, ends_at=NOW + 2 * DAY)

    enrolled = api.post(ENROL, WHO).json()

    assert (enrolled["status"], enrolled["ends_at"]) == ("active", "2026-02-16T10:00:00Z")
    assert send_event(api, "login") == []


def test_an_unknown_challenge_is_404(api, nothing_written):
    with nothing_written():
        response = api.post(ENROL, WHO)

    assert refusal(response) == (404, "challenge_not_found", "Challenge not found: explorer")


@pytest.mark.parametrize(
    "given", [{"is_active": False}, {"duration_type": "fixed", "starts_at": NOW - DAY, "ends_at": NOW}]
)
def test_a_challenge_that_accepts_no_enrolments_is_400(tenant, api, nothing_written, given):
    ChallengeFactory(tenant=tenant, code="explorer", **given)

    with nothing_written():
        response = api.post(ENROL, WHO)

    assert refusal(response) == (400, "challenge_unavailable", "Challenge is not available: explorer")


@pytest.mark.parametrize("who", ["", None, 5, "a\nb", "x" * 256])
def test_a_bad_participant_id_is_422(api, explorer, nothing_written, who):
    with nothing_written():
        assert refused_fields(api.post(ENROL, {"participant_id": who})) == ["participant_id"]


def test_a_challenge_of_another_tenant_or_the_sandbox_is_unknown(api, other_api, sandbox_api, explorer):
    assert refusal(other_api.post(ENROL, WHO))[0] == refusal(sandbox_api.post(ENROL, WHO))[0] == 404


def test_enrolling_counts_as_a_write_of_the_participant(api, tenant, explorer, memory_limits):
    type(tenant).objects.update(participant_writes_per_minute=1)
    api.post(ENROL, WHO)

    assert refusal(api.post(ENROL, WHO))[:2] == (429, "RATE_LIMIT_PARTICIPANT_EXCEEDED")


def test_a_code_with_a_slash_is_sent_encoded(tenant, api):
    ChallengeFactory(tenant=tenant, code="a/b")

    assert api.post(f"/challenges/{segment('a/b')}/enroll", WHO).json()["code"] == "a/b"


# --- status -----------------------------------------------------------------------------------------------------------


def test_the_status_of_a_participant(api, explorer):
    api.post(ENROL, WHO)
    send_event(api, "login")
    send_event(api, "login")
    send_event(api, "spend", amount=49.5)

    assert current_status(api)["objectives"] == [
        {"code": "login", "label": "Login", "current": 2, "target": 2, "completed": True},
        {"code": "spend", "label": "Spend", "current": 49.5, "target": 100, "completed": False},
    ]


def test_a_completion_is_listed_with_its_time(api, explorer, at_ten):
    api.post(ENROL, WHO)
    send_event(api, "login")
    send_event(api, "login")
    at_ten.shift(DAY)
    earned = send_event(api, "spend", amount=100)

    assert [given["type"] for given in earned] == ["challenge", "points"]
    status = current_status(api)
    assert (status["status"], status["completions"], status["completed_at"]) == ("completed", 1, "2026-02-15T10:00:00Z")
    assert api.get("/participants/user_123/state?include=challenges").json()["challenges"] == {
        "active": 0,
        "completed": 1,
    }


def test_an_uncompleted_challenge_expires_without_a_sweep(api, explorer, at_ten):
    api.post(ENROL, WHO)
    at_ten.shift(7 * DAY - timedelta(seconds=1))
    assert current_status(api)["status"] == "active"
    assert api.get("/participants/user_123/state?include=challenges").json()["challenges"]["active"] == 1

    at_ten.shift(timedelta(seconds=1))

    assert current_status(api)["status"] == "expired"
    assert api.get("/participants/user_123/state?include=challenges").json()["challenges"]["active"] == 0


def test_a_completed_challenge_does_not_expire(tenant, api, at_ten):
    ChallengeFactory(
        tenant=tenant, duration_type="rolling", duration_days=1, is_repeatable=True, objectives=[objective("login", 2)]
    )
    for _ in range(3):
        send_event(api, "login")
    assert current_status(api)["status"] == "active"

    at_ten.shift(DAY)

    assert (current_status(api)["status"], current_status(api)["completions"]) == ("completed", 1)


def test_an_unknown_participant_sees_available_challenges_and_is_not_created(api, explorer, nothing_written):
    with nothing_written():
        status = current_status(api)

    assert (status["status"], status["enrolled_at"], status["ends_at"]) == ("available", None, None)
    assert [each["current"] for each in status["objectives"]] == [0, 0]


def test_without_challenges_the_list_is_empty(api):
    assert api.get(MINE).json() == {"participant_id": "user_123", "challenges": []}


def test_an_inactive_challenge_is_listed_only_if_it_was_completed(tenant, api, admin_api, explorer):
    done = ChallengeFactory(tenant=tenant, code="done")
    send_event(api, "login")
    api.post(ENROL, WHO)
    for challenge in (explorer, done):
        admin_api.delete(f"/admin/challenges/{challenge.pk}")

    assert (current_status(api)["code"], current_status(api)["status"]) == ("done", "completed")
    assert api.get("/participants/somebody/challenges").json()["challenges"] == []

    admin_api.patch(f"/admin/challenges/{explorer.pk}", {"is_active": True})

    assert [each["status"] for each in api.get(MINE).json()["challenges"]] == ["completed", "active"]


def test_another_tenant_and_the_sandbox_see_nothing(api, other_api, sandbox_api, explorer):
    api.post(ENROL, WHO)

    assert other_api.get(MINE).json()["challenges"] == sandbox_api.get(MINE).json()["challenges"] == []


def test_a_change_of_the_length_applies_to_existing_enrolments(api, admin_api, explorer):
    api.post(ENROL, WHO)

    admin_api.patch(f"/admin/challenges/{explorer.pk}", {"duration_days": 1})

    assert current_status(api)["ends_at"] == "2026-02-15T10:00:00Z"


# --- the list ---------------------------------------------------------------------------------------------------------


def test_challenges_that_accept_enrolments_are_listed_in_display_order(tenant, api, other_api, explorer):
    ChallengeFactory(tenant=tenant, code="first", display_order=-1)
    ChallengeFactory(tenant=tenant, code="gone", is_active=False)
    ChallengeFactory(tenant=tenant, code="past", duration_type="fixed", starts_at=NOW - DAY, ends_at=NOW)

    challenges = api.get(OPEN).json()["challenges"]

    assert [each["code"] for each in challenges] == ["first", "explorer"]
    assert challenges[1] == {
        "code": "explorer",
        "name": "Explorer",
        "description": None,
        "duration_type": "rolling",
        "starts_at": None,
        "ends_at": None,
        "duration_days": 7,
        "enrolment": "manual",
        "completion": "all",
        "milestones": [],
        "completion_grants": [{"type": "points", "amount": 10}],
        "is_repeatable": False,
        "objectives": [
            {"code": "login", "label": "Login", "target": 2, "prerequisites": []},
            {"code": "spend", "label": "Spend", "target": 100, "prerequisites": ["login"]},
        ],
    }
    assert other_api.get(OPEN).json() == {"challenges": []}


# --- queries ----------------------------------------------------------------------------------------------------------


def test_statements_do_not_grow_with_the_number_of_challenges(tenant, api, queries):
    ParticipantFactory(tenant=tenant, external_id="user_123")
    for _ in range(5):
        ChallengeFactory(tenant=tenant)
    send_event(api, "login")
    assert Participant.objects.get().challenges_completed == 5

    with queries(1):  # the key
        api.get(OPEN)
    with queries(3):  # key, participant, enrolments
        api.get(MINE)
    with queries(
        3 + 4
    ):  # key, lock, version and enrolments; participant, enrolments, event, outbox - and no more for five
        send_event(api, "login")
