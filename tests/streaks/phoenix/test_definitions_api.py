"""Streak definitions through the admin gateway, with the specification's own bodies."""

from datetime import timedelta
from uuid import uuid4

import pytest

from streaks.models import ParticipantStreak, Status, Streak
from streaks.services import create_streak, set_status
from tests.client import Api, phoenix_refusal
from tests.factories import raw_key
from tests.streaks.phoenix.conftest import NOW
from tests.streaks.phoenix.happening import CONFIG, changed, defined

LIST = "/tenants/acme/streaks"
BODIES = ["create.json", "create_curl.json", "weekly.json", "points.json", "rolling.json"]
DAY = timedelta(days=1)


def one(record, suffix=""):
    return f"{LIST}/{record['id']}{suffix}"


@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_the_spec_is_answered_with_the_whole_record(admin, example, printed, name):
    answer = admin.post(LIST, printed(name))

    record = answer.json()
    assert answer.status_code == 201
    assert record == {
        "id": record["id"],
        "tenant_id": "acme",
        "description": None,
        **example(name),
        "config": {"condition": {"type": "count", "min": 1}, **example(name)["config"]},
        "status": "active",
        "created_at": "2026-02-14T10:00:00Z",
        "updated_at": "2026-02-14T10:00:00Z",
    }
    assert set(record) == set(example("created.json")) == set(example("admin_list.json")["definitions"][0])
    assert admin.get(one(record)).json() == record
    assert admin.get(LIST).json() == {"definitions": [record]}


def test_the_patch_of_the_spec_changes_what_it_says(admin, example, printed, clock):
    record = admin.post(LIST, printed("create.json")).json()
    clock.move_to(NOW + DAY)

    answer = admin.patch(one(record), printed("update.json"))

    assert answer.status_code == 200
    assert answer.json() == record | example("update.json") | {"updated_at": "2026-02-15T10:00:00Z"}
    assert admin.get(one(record)).json() == answer.json()


@pytest.mark.parametrize(
    "change",
    [{"name": "Another"}, {"description": "Text\nof two lines"}, {"description": None}, {"description": ""}],
)
def test_a_patch_changes_nothing_that_it_does_not_name(admin, change, printed):
    record = admin.post(LIST, printed("create.json")).json()

    changed = admin.patch(one(record), change | {"status": "archived", "id": "x"}).json()

    assert [warning["field"] for warning in changed.pop("warnings")] == ["status", "id"]
    assert changed == record | change


def test_an_empty_patch_changes_nothing(admin):
    record = defined(admin)

    assert admin.patch(one(record), {}).json() == record


def test_a_config_is_replaced_as_a_whole_and_leaves_the_grace_alone(admin, printed):
    record = admin.post(LIST, printed("points.json")).json()
    Streak.objects.update(grace_periods=2, reset_on_miss=False)

    config = admin.patch(one(record), {"config": changed("milestones")}).json()["config"]

    assert config == CONFIG
    row = Streak.objects.get()
    assert (row.expression, row.at_risk_seconds, row.grace_periods, row.reset_on_miss) == (None, None, 2, False)


def test_the_zone_of_the_tenant_is_shown_where_none_is_given(admin, tenant):
    record = defined(admin, window={"period": "weekly", "week_start": "sunday"})

    assert record["config"]["window"] == {
        "type": "calendar",
        "period": "weekly",
        "timezone": "UTC",
        "reset_time": "00:00",
        "week_start": "sunday",
    }


def test_a_status_is_put_as_in_the_spec_and_back(admin, printed, clock):
    record = defined(admin)
    clock.move_to(NOW + DAY)

    paused = admin.send("PUT", one(record, "/status"), printed("status.json"))
    active = admin.send("PUT", one(record, "/status"), {"status": "active"})

    assert (paused.status_code, active.status_code) == (200, 200)
    assert paused.json() == record | {"status": "paused", "updated_at": "2026-02-15T10:00:00Z"}
    assert active.json() == paused.json() | {"status": "active"}


def test_delete_archives_and_answers_the_record(admin, happens):
    record = defined(admin)
    happens("user.login")

    answer = admin.delete(one(record))

    assert (answer.status_code, answer.json()) == (200, record | {"status": "archived"})
    assert admin.get(LIST).json() == {"definitions": [answer.json()]}
    assert ParticipantStreak.objects.count() == 1


@pytest.mark.parametrize("status", ["paused", "archived"])
def test_what_is_not_active_can_be_changed_and_stays_so(admin, status):
    record = defined(admin)
    admin.send("PUT", one(record, "/status"), {"status": status})

    answer = admin.patch(one(record), {"name": "New", "config": changed("window.period", "weekly")}).json()

    assert (answer["name"], answer["config"]["window"]["period"], answer["status"]) == ("New", "weekly", status)


def test_a_pause_breaks_nothing(admin, query, happens, clock):
    record = defined(admin)
    happens("user.login")
    admin.send("PUT", one(record, "/status"), {"status": "paused"})
    clock.move_to(NOW + 30 * DAY)

    happens("user.login")  # refused by nobody, and without effect
    paused = query.get("/streaks/acme/users/ada").json()["streaks"][0]
    admin.send("PUT", one(record, "/status"), {"status": "active"})
    active = query.get("/streaks/acme/users/ada").json()["streaks"][0]

    assert paused["current_count"] == active["current_count"] == 1
    assert paused["last_activity_at"] == "2026-02-14T10:00:00Z"


def test_counts_are_kept_when_the_config_changes(admin, query, happens, clock):
    record = defined(admin)
    for day in range(3):
        clock.move_to(NOW + day * DAY)
        happens("user.login")

    admin.patch(one(record), {"config": changed("window", {"type": "rolling", "duration_seconds": 3600})})
    progress = query.get("/streaks/acme/users/ada").json()["streaks"][0]

    assert (progress["current_count"], progress["window"]["type"]) == (3, "rolling")


def test_a_draft_is_shown_as_paused(admin, tenant):
    row = create_streak(tenant=tenant, data={"code": "d", "name": "Draft", "event_types": ["x"]}, now=NOW)
    set_status(row, tenant=tenant, status=Status.DRAFT, now=NOW)

    assert admin.get(f"{LIST}/{row.pk}").json()["status"] == "paused"
    assert [record["status"] for record in admin.get(LIST).json()["definitions"]] == ["paused"]


def test_the_list_is_in_the_order_of_creation_and_costs_one_query(admin, clock, queries):
    for day, name in enumerate("CAB"):
        clock.move_to(NOW + day * DAY)
        defined(admin, name)

    with queries(2):  # the key's, and the rows
        records = admin.get(LIST).json()["definitions"]

    assert [record["name"] for record in records] == ["C", "A", "B"]


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  Daily  ", "Daily"),
        ("Día-1_b", "Día-1_b"),
        ("日本語 の 連続", "日本語 の 連続"),
        ("दैनिक लॉगिन", "दैनिक लॉगिन"),
        ("٣", "٣"),
        ("x" * 255, "x" * 255),
    ],
)
def test_letters_and_digits_of_any_script_make_a_name(admin, sent, kept):
    assert admin.post(LIST, {"name": sent, "config": CONFIG}).json()["name"] == kept


def test_a_taken_name_is_409_until_its_streak_is_archived(admin, nothing_written):
    first = defined(admin, "Daily")
    other = defined(admin, "Other")
    taken = (409, "CONFLICT", "Streak with name 'Daily' already exists")

    with nothing_written():
        assert phoenix_refusal(admin.post(LIST, {"name": " Daily ", "config": CONFIG})) == taken
        assert phoenix_refusal(admin.patch(one(other), {"name": "Daily", "description": "new"})) == taken
    admin.send("PUT", one(first, "/status"), {"status": "paused"})
    assert phoenix_refusal(admin.post(LIST, {"name": "Daily", "config": CONFIG})) == taken
    admin.delete(one(first))

    assert admin.patch(one(other), {"name": "Daily"}).status_code == 200


@pytest.mark.parametrize("status", ["active", "paused"])
def test_an_archived_streak_comes_back_unless_its_name_is_taken(admin, status):
    first = defined(admin, "Daily")
    admin.delete(one(first))
    second = defined(admin, "Daily")

    refused = admin.send("PUT", one(first, "/status"), {"status": status})
    admin.patch(one(second), {"name": "Other"})
    back = admin.send("PUT", one(first, "/status"), {"status": status})

    assert phoenix_refusal(refused) == (409, "CONFLICT", "Streak with name 'Daily' already exists")
    assert (back.status_code, back.json()["status"]) == (200, status)


def test_a_streak_keeps_its_own_name(admin):
    record = defined(admin, "Daily")

    assert admin.patch(one(record), {"name": "Daily", "description": "x"}).status_code == 200


def test_names_are_each_tenants_own(admin, other_tenant):
    defined(admin, "Daily")

    assert defined(Api(raw_key(other_tenant, "admin"), base="/v1"), "Daily", tenant="globex")["tenant_id"] == "globex"


# --- ids --------------------------------------------------------------------------------------------------------------

EACH_ON_ONE = [("GET", "", None), ("PATCH", "", {}), ("DELETE", "", None), ("PUT", "/status", {"status": "paused"})]


@pytest.mark.parametrize(("method", "suffix", "body"), EACH_ON_ONE)
@pytest.mark.parametrize("sent", ["nope", "123", "550e8400-e29b-41d4-a716-44665544000", "a%2Fb", "%00"])
def test_a_malformed_id_is_400(admin, method, suffix, body, sent):
    answer = admin.send(method, f"{LIST}/{sent}{suffix}", body)

    assert phoenix_refusal(answer) == (400, "VALIDATION_ERROR", "definition_id: must be a UUID")


@pytest.mark.parametrize(("method", "suffix", "body"), EACH_ON_ONE)
def test_an_unknown_id_and_another_tenants_are_404(admin, other_tenant, method, suffix, body, nothing_written):
    theirs = defined(Api(raw_key(other_tenant, "admin"), base="/v1"), tenant="globex")

    for sent in (str(uuid4()), theirs["id"]):
        with nothing_written():
            answer = admin.send(method, f"{LIST}/{sent}{suffix}", body)
        assert phoenix_refusal(answer) == (404, "NOT_FOUND", f"Streak definition not found: {sent}")
