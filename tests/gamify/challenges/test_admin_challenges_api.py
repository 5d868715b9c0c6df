from uuid import uuid4

import pytest
import time_machine

from gamify.challenges.models import Challenge
from participants.models import Tenant
from tests.client import like, refusal, refused_fields
from tests.factories import BadgeFactory, ChallengeFactory, objective

CHALLENGES = "/admin/challenges"
LOGIN = {"code": "login", "label": "Log in", "event_types": ["login"], "condition": {"type": "count", "min": 5}}
SPEND = {
    "code": "spend",
    "label": "Spend",
    "event_types": ["purchase", "order"],
    "expression": {"condition": {"field": "amount", "operator": "gte", "value": 10}},
    "condition": {"type": "sum", "field": "amount", "min": 99.5},
    "prerequisites": ["login"],
}
POINTS = [{"type": "points", "amount": 10}]
QUEST = {
    "code": "quest",
    "name": "Quest",
    "duration_type": "fixed",
    "starts_at": "2026-02-01T00:00:00Z",
    "ends_at": "2026-03-01T00:00:00Z",
    "enrolment": "manual",
    "objectives": [LOGIN, SPEND],
    "completion": 2,
    "milestones": [{"objectives": 1, "grants": POINTS}],
    "completion_grants": [{"type": "points", "amount": 100}],
    "is_repeatable": True,
    "display_order": 3,
}
SMALL = {"code": "small", "name": "Small", "objectives": [LOGIN]}


def with_objectives(*changes):
    return {"objectives": [{**LOGIN, "code": f"o{index}", **change} for index, change in enumerate(changes)]}


def one(row):
    return f"{CHALLENGES}/{row.pk}"


def test_a_challenge_is_created_and_read_as_it_was_sent(tenant, admin_api):
    with time_machine.travel("2026-02-14T10:00:00Z", tick=False):
        response = admin_api.post(CHALLENGES, QUEST)

    row = Challenge.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": str(row.pk),
        "tenant_id": str(tenant.pk),
        **QUEST,
        "description": None,
        "is_active": True,
        "duration_days": None,
        "objectives": [LOGIN | {"expression": None, "prerequisites": []}, SPEND],
        "created_at": "2026-02-14T10:00:00Z",
        "updated_at": "2026-02-14T10:00:00Z",
    }
    assert admin_api.get(one(row)).json() == response.json()


def test_missing_fields_have_defaults(admin_api):
    objectives = [{"code": "login", "label": "Log in", "event_types": ["login"]}]

    response = admin_api.post(CHALLENGES, SMALL | {"objectives": objectives})

    assert response.status_code == 201
    assert like(
        response.json(),
        {
            "duration_type": "perpetual",
            "enrolment": "automatic",
            "completion": "all",
            "milestones": [],
            "completion_grants": [],
            "is_repeatable": False,
        },
    )
    assert response.json()["objectives"][0]["condition"] == {"type": "count", "min": 1}


def test_a_new_challenge_counts_the_next_event(api, admin_api):
    event = {"participant_id": "ada", "event_name": "login"}
    api.post("/events", event)
    admin_api.post(CHALLENGES, SMALL | with_objectives({"condition": {"type": "count", "min": 1}}))

    assert [given["code"] for given in api.post("/events", event).json()["rewards_granted"]] == ["small"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": ""}, "code"),
        ({"code": "x" * 51}, "code"),
        ({"name": None}, "name"),
        ({"duration_type": "weekly"}, "duration_type"),
        ({"starts_at": None}, "starts_at"),
        ({"ends_at": "soon"}, "ends_at"),
        ({"ends_at": "9999-01-01T00:00:00Z"}, "ends_at"),
        ({"ends_at": QUEST["starts_at"]}, "ends_at"),
        ({"duration_days": 5}, "duration_days"),
        ({"enrolment": "perhaps"}, "enrolment"),
        ({"completion": 0}, "completion"),
        ({"completion": 3}, "completion"),
        ({"completion": True}, "completion"),
        ({"completion": "some"}, "completion"),
        ({"completion": None}, "completion"),
        ({"is_repeatable": "perhaps"}, "is_repeatable"),
        ({"objectives": []}, "objectives"),
        ({"objectives": None}, "objectives"),
        ({"objectives": {}}, "objectives"),
        ({"objectives": ["login"]}, "objectives.0"),
        ({"objectives": [LOGIN, None]}, "objectives.1"),
        ({"milestones": [{"objectives": 0, "grants": POINTS}]}, "milestones.0.objectives"),
        ({"milestones": [{"objectives": 3, "grants": POINTS}]}, "milestones.0.objectives"),
        ({"milestones": [{"objectives": 1, "grants": POINTS}] * 2}, "milestones.1.objectives"),
        ({"milestones": [{"objectives": 1, "grants": []}]}, "milestones.0.grants"),
        ({"milestones": [{"objectives": 1}]}, "milestones.0.grants"),
        ({"milestones": [{"objectives": 1, "grants": [{"type": "gold"}]}]}, "milestones.0.grants.0.type"),
        ({"milestones": [{"objectives": 1, "grants": [*POINTS, {"type": "badge"}]}]}, "milestones.0.grants.1.code"),
        ({"completion_grants": [{"type": "points", "amount": 0}]}, "completion_grants.0.amount"),
        ({"completion_grants": ["points"]}, "completion_grants.0"),
        ({"completion_grants": POINTS * 21}, "completion_grants"),
    ],
)
def test_an_invalid_challenge_is_422_names_the_field_and_writes_nothing(admin_api, nothing_written, change, field):
    with nothing_written():
        response = admin_api.post(CHALLENGES, QUEST | change)

    assert refused_fields(response) == [field]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": None}, "code"),
        ({"code": "x" * 51}, "code"),
        ({"code": "a,b"}, "code"),
        ({"label": ""}, "label"),
        ({"label": "x" * 101}, "label"),
        ({"event_types": []}, "event_types"),
        ({"event_types": "login"}, "event_types"),
        ({"event_types": ["a", "b,c"]}, "event_types.1"),
        ({"expression": {"plan": "pro"}}, "expression.plan"),
        ({"expression": {"condition": {"field": "a", "operator": "is", "value": 1}}}, "expression.condition.operator"),
        ({"condition": {"type": "count"}}, "condition.min"),
        ({"condition": {"type": "average", "min": 1}}, "condition.type"),
        ({"condition": {"type": "sum", "min": 1}}, "condition.field"),
        ({"condition": {"type": "distinct", "min": 101, "field": "a"}}, "condition.min"),
        ({"condition": {"type": "count", "min": 1.5}}, "condition.min"),
        ({"prerequisites": "o0"}, "prerequisites"),
        ({"prerequisites": ["o0", "o9"]}, "prerequisites.1"),
        ({"prerequisites": ["o1"]}, "prerequisites.0"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_problems_of_an_objective_are_named_by_their_path(tenant, admin_api, nothing_written, method, change, field):
    row = ChallengeFactory(tenant=tenant)
    path = CHALLENGES if method == "POST" else one(row)

    with nothing_written():
        response = admin_api.send(method, path, SMALL | with_objectives({}, change))

    assert refused_fields(response) == [f"objectives.1.{field}"]


@pytest.mark.parametrize("missing", ["code", "label", "event_types"])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_change_must_contain_the_whole_objective(tenant, admin_api, nothing_written, method, missing):
    path = CHALLENGES if method == "POST" else one(ChallengeFactory(tenant=tenant))
    objective = {name: value for name, value in LOGIN.items() if name != missing}

    with nothing_written():
        response = admin_api.send(method, path, SMALL | {"objectives": [objective]})

    assert refusal(response)[2] == f"objectives.0.{missing}: is required"


def test_codes_of_objectives_are_unique(admin_api):
    response = admin_api.post(CHALLENGES, SMALL | {"objectives": [LOGIN, LOGIN]})

    assert refusal(response)[2] == "objectives.1.code: must be unique"


def test_a_circle_of_prerequisites_is_refused_at_its_members(admin_api):
    circle = with_objectives({}, {"prerequisites": ["o0", "o2"]}, {"prerequisites": ["o3"]}, {"prerequisites": ["o1"]})

    response = admin_api.post(CHALLENGES, SMALL | circle)

    assert refused_fields(response) == [
        "objectives.1.prerequisites.1",
        "objectives.2.prerequisites.0",
        "objectives.3.prerequisites.0",
    ]
    assert refusal(response)[2] == "objectives.1.prerequisites.1: must not lead to a circle of prerequisites"


def test_numbers_of_objectives_and_milestones_are_bounded(admin_api, nothing_written):
    many = with_objectives(*[{}] * 20)
    milestones = [{"objectives": number, "grants": POINTS} for number in range(1, 21)]

    assert admin_api.post(CHALLENGES, SMALL | many | {"milestones": milestones}).status_code == 201
    with nothing_written():
        assert refused_fields(admin_api.post(CHALLENGES, SMALL | with_objectives(*[{}] * 21))) == ["objectives"]
        too_many = {"code": "b", "milestones": [*milestones, milestones[0]]}
        assert refused_fields(admin_api.post(CHALLENGES, SMALL | many | too_many)) == ["milestones"]


def test_grants_must_name_definitions_of_the_tenant(tenant, other_tenant, admin_api):
    BadgeFactory(tenant=other_tenant, code="hero")
    wanted = SMALL | {"completion_grants": [{"type": "badge", "code": "hero"}]}
    assert refused_fields(admin_api.post(CHALLENGES, wanted)) == ["completion_grants.0.code"]

    BadgeFactory(tenant=tenant, code="hero")

    assert admin_api.post(CHALLENGES, wanted).status_code == 201


# --- changes ----------------------------------------------------------------------------------------------------------


def test_a_change_sets_only_the_given_fields(tenant, admin_api):
    row = ChallengeFactory(tenant=tenant, code="quest", completion_grants=POINTS)

    changed = admin_api.patch(one(row), {"name": "Renamed", "code": "other", "is_repeatable": True}).json()

    assert like(changed, {"code": "quest", "name": "Renamed", "completion_grants": POINTS, "is_repeatable": True})
    assert [warning["field"] for warning in changed.pop("warnings")] == ["code"]
    assert admin_api.get(one(row)).json() == changed


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"completion": 2}, "completion"),
        ({"milestones": [{"objectives": 2, "grants": POINTS}]}, "milestones.0.objectives"),
        ({"duration_type": "rolling"}, "duration_days"),
        ({"duration_type": "fixed", "ends_at": "2026-03-01T00:00:00Z"}, "starts_at"),
        ({"duration_days": 3}, "duration_days"),
    ],
)
def test_a_change_is_validated_together_with_the_unchanged_fields(tenant, admin_api, nothing_written, change, field):
    row = ChallengeFactory(tenant=tenant)

    with nothing_written():
        response = admin_api.patch(one(row), change)

    assert refused_fields(response) == [field]


def test_fewer_objectives_than_complete_it_are_refused(tenant, admin_api, nothing_written):
    row = ChallengeFactory(tenant=tenant, objectives=[objective("a"), objective("b")], completion=2)

    with nothing_written():
        assert refused_fields(admin_api.patch(one(row), with_objectives({}))) == ["completion"]


def test_another_duration_type_clears_the_fields_of_the_former_one(admin_api):
    created = admin_api.post(CHALLENGES, QUEST).json()

    changed = admin_api.patch(f"{CHALLENGES}/{created['id']}", {"duration_type": "rolling", "duration_days": 9}).json()

    assert (changed["starts_at"], changed["ends_at"], changed["duration_days"]) == (None, None, 9)


def test_delete_deactivates_and_can_be_undone(tenant, admin_api):
    row = ChallengeFactory(tenant=tenant)

    assert admin_api.delete(one(row)).json() == {"message": "Challenge deactivated"}
    assert admin_api.get(one(row)).json()["is_active"] is False
    assert admin_api.patch(one(row), {"is_active": True}).json()["is_active"] is True


def test_a_code_that_is_taken_is_refused(tenant, admin_api, nothing_written):
    ChallengeFactory(tenant=tenant, code="small")

    with nothing_written():
        response = admin_api.post(CHALLENGES, SMALL)

    assert refusal(response) == (400, "challenge_code_conflict", "Challenge with code 'small' already exists")


# --- whose ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("whose", ["nobody", "another tenant", "the sandbox", "no uuid"])
def test_a_challenge_of_another_tenant_is_404_and_unchanged(
    tenant, other_tenant, admin_api, nothing_written, method, whose
):
    row = {
        "another tenant": lambda: ChallengeFactory(tenant=other_tenant).pk,
        "the sandbox": lambda: ChallengeFactory(tenant=tenant.sandbox).pk,
        "nobody": uuid4,
        "no uuid": lambda: "quest",
    }[whose]()

    with nothing_written():
        response = admin_api.send(method, f"{CHALLENGES}/{row}", {"name": "Mine"} if method == "PATCH" else None)

    assert refusal(response) == (404, "challenge_not_found", f"Challenge not found: {row}")


def test_a_second_tenant_and_the_sandbox_see_nothing(tenant, admin_api, other_admin_api):
    ChallengeFactory(tenant=tenant, code="ours")
    ChallengeFactory(tenant=tenant.sandbox)

    assert [each["code"] for each in admin_api.get(CHALLENGES).json()["items"]] == ["ours"]
    assert other_admin_api.get(CHALLENGES).json()["items"] == []


@pytest.mark.parametrize(("method", "path"), [("GET", CHALLENGES), ("POST", CHALLENGES), ("GET", f"{CHALLENGES}/x")])
def test_without_the_admin_scope_everything_is_403(api, method, path):
    assert refusal(api.send(method, path, {})) == (403, "forbidden", "API key requires 'admin' scope")


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_every_change_reaches_every_process(tenant, admin_api, method):
    row = ChallengeFactory(tenant=tenant)

    admin_api.send(method, CHALLENGES if method == "POST" else one(row), SMALL if method == "POST" else {"name": "New"})

    assert Tenant.objects.get(pk=tenant.pk).catalog_version == tenant.catalog_version + 1


@pytest.mark.django_db(transaction=True)
def test_statements_do_not_grow_with_the_number_of_challenges(tenant, admin_api, queries):
    rows = [ChallengeFactory(tenant=tenant) for _ in range(5)]
    admin_api.get(CHALLENGES)

    with queries(3):  # key, count, page
        admin_api.get(CHALLENGES)
    with queries(4):  # key, challenge, catalog version, change log
        admin_api.post(CHALLENGES, SMALL | {"completion_grants": POINTS})
    with queries(6):
        admin_api.patch(one(rows[0]), {"name": "New"})
