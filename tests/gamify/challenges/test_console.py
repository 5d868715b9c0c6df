"""Challenges in the console: cards and rows make the body that an API client would send."""

import json
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gamify.challenges.models import Challenge, Enrolment
from tests.console import Console, errors_of, sent_by, staff, text_of, trail
from tests.factories import BadgeFactory, ChallengeFactory, ParticipantFactory, objective

LIST, ADD, CHANGE = "challenges_challenge_changelist", "challenges_challenge_add", "challenges_challenge_change"
PERSON, ENROL = "participants_participant_change", "participants_participant_enrol"
NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
POINTS = {"type": "points", "amount": 10}
GRANT_COLUMNS = ("kind", "amount", "field", "factor", "rounding", "max", "named", "kept")


def card(index, **said):
    """The form fields of one objective."""
    cells = {"code": f"o{index}", "label": f"O{index}", "events": "login", "kind": "count", "of": "", "minimum": "1"}
    cells |= {"prerequisites": "", "place": ""} | said
    return {f"objectives-{index}-{name}": value for name, value in cells.items()} | where(index)


def where(index, *rows, shown=None):
    names = ("field", "operator", "kind", "value")
    columns = zip(*rows, strict=True) if rows else [[]] * 4
    cells = {f"objectives-{index}-where-{name}": list(cells) for name, cells in zip(names, columns, strict=True)}
    return cells | {f"objectives-{index}-where-shown": json.dumps(shown or {})}


def grants(name, *rows):
    """The form fields of grants, from (kind, column of the value, value)."""
    cells = {column: ["" for _ in rows] for column in GRANT_COLUMNS}
    for place, (kind, column, value) in enumerate(rows):
        cells["kind"][place], cells[column][place] = kind, value
    return {f"{name}-{column}": values for column, values in cells.items()} | {f"{name}-shown": "[]"}


def milestone(index, objectives, *rows):
    prefix = f"milestones-{index}"
    return {f"{prefix}-place": "", f"{prefix}-objectives": objectives, **grants(f"{prefix}-grants", *rows)}


def new(tenant, *parts, **fields):
    settings = {
        "opened_for": str(tenant.pk),
        "code": "quest",
        "name": "Quest",
        "duration_type": "perpetual",
        "enrolment": "automatic",
        "objectives-shown": "[]",
        "milestones-shown": "[]",
        "is_active": "on",
        "display_order": "0",
        **grants("completion_grants"),
    }
    for part in parts:
        settings |= part
    return settings | fields


def test_a_challenge_is_defined_with_all_its_settings(tenant, admin_api):
    BadgeFactory(tenant=tenant, code="hero")
    spend = {"kind": "sum", "of": "amount", "minimum": "99.5", "prerequisites": "o0", "events": "buy, order ,"}

    answer = Console(tenant).post(
        ADD,
        **new(
            tenant,
            card(0, minimum="5"),
            card(1, **spend) | where(1, ("plan", "eq", "text", "pro"), ("amount", "gte", "number", "10")),
            card(2, code="", label="", events=""),
            milestone(0, "1", ("points", "amount", "10")),
            grants("completion_grants", ("points", "amount", "100"), ("badge", "named", "hero")),
            duration_type="fixed",
            starts_at="2026-02-01T00:00:00",
            ends_at="2026-03-01T00:00:00",
            completion="2",
            is_repeatable="on",
            enrolment="manual",
        ),
    )

    row = Challenge.objects.of(tenant).get()
    assert answer.url == "/console/challenges/challenge/"
    shown = admin_api.get(f"/admin/challenges/{row.pk}").json()
    conditions = [
        {"condition": {"field": "plan", "operator": "eq", "value": "pro"}},
        {"condition": {"field": "amount", "operator": "gte", "value": 10}},
    ]
    wanted = {
        "code": "quest",
        "duration_type": "fixed",
        "starts_at": "2026-02-01T00:00:00Z",
        "ends_at": "2026-03-01T00:00:00Z",
        "enrolment": "manual",
        "objectives": [
            {
                "code": "o0",
                "label": "O0",
                "event_types": ["login"],
                "expression": None,
                "condition": {"type": "count", "min": 5},
                "prerequisites": [],
            },
            {
                "code": "o1",
                "label": "O1",
                "event_types": ["buy", "order"],
                "expression": {"and": conditions},
                "condition": {"type": "sum", "min": 99.5, "field": "amount"},
                "prerequisites": ["o0"],
            },
        ],
        "completion": 2,
        "milestones": [{"objectives": 1, "grants": [POINTS]}],
        "completion_grants": [{"type": "points", "amount": 100}, {"type": "badge", "code": "hero"}],
        "is_repeatable": True,
    }
    assert {name: shown[name] for name in wanted} == wanted
    assert trail() == [("Quest", 1, "Added.")]


def test_empty_fields_have_the_defaults_of_the_api(tenant):
    Console(tenant).post(ADD, **new(tenant, card(0)))

    row = Challenge.objects.get()
    assert (row.completion, row.milestones, row.completion_grants, row.is_repeatable) == ("all", [], [], False)


@pytest.mark.parametrize(
    ("parts", "field", "message"),
    [
        ([], "objectives", "The list of objectives is required."),
        ([card(0), card(1, label="")], "objectives", "No. 2: the name cannot be empty."),
        ([card(0, events="")], "objectives", "No. 1: the list of events cannot be empty."),
        ([card(0), card(1, code="o0")], "objectives", "No. 2: the code must be unique."),
        ([card(0, minimum="many")], "objectives", "No. 1: the number to be reached must be a number."),
        ([card(0, kind="sum")], "objectives", "No. 1: the property cannot be empty."),
        ([card(0, kind="odd")], "objectives", "No. 1: the kind of condition must be count, sum or distinct."),
        (
            [card(0, prerequisites="o7")],
            "objectives",
            "No. 1: the list of prerequisites must be the code of an objective.",
        ),
        (
            [card(0, prerequisites="o0")],
            "objectives",
            "No. 1: the list of prerequisites must not lead to a circle of prerequisites.",
        ),
        ([card(0) | where(0, ("", "eq", "text", "pro"))], "objectives", "No. 1: The value “pro” needs a property."),
        (
            [card(0) | where(0, ("a..b", "eq", "text", "x"))],
            "objectives",
            "No. 1: a..b: must not have an empty name between dots.",
        ),
        (
            [card(0, place="7")],
            "objectives",
            "No. 1: The stored conditions of this objective were not submitted. Reload the page.",
        ),
        (
            [card(0), milestone(0, "x", ("points", "amount", "1"))],
            "milestones",
            "No. 1: the number of objectives must be a whole number.",
        ),
        (
            [card(0), milestone(0, "2", ("points", "amount", "1"))],
            "milestones",
            "No. 1: the number of objectives must not be more than the 1 that complete it.",
        ),
        ([card(0), milestone(0, "1")], "milestones", "No. 1: the list of grants cannot be empty."),
        (
            [card(0), milestone(0, "1", ("badge", "named", "none"))],
            "milestones",
            "No. 1: grant No. 1: the code must be the code of an active badge.",
        ),
        (
            [card(0), grants("completion_grants", ("badge", "named", "none"))],
            "completion_grants",
            "No. 1: the code must be the code of an active badge.",
        ),
        ([card(0), {"completion": "2"}], "completion", "Must not be more than the 1 objectives."),
        ([card(0), {"duration_type": "rolling"}], "duration_days", "Required for a rolling challenge."),
        ([card(0), {"duration_type": "fixed"}], "starts_at", "Required for a fixed challenge."),
        ([card(0), {"code": "taken"}], "code", "Challenge with code 'taken' already exists"),
    ],
)
def test_the_form_refuses_what_the_api_refuses_beside_its_field(tenant, parts, field, message):
    ChallengeFactory(tenant=tenant, code="taken")

    answer = Console(tenant).post(ADD, **new(tenant, *parts))

    assert message in errors_of(answer)[field]
    assert Challenge.objects.count() == 1


def test_a_refused_form_still_shows_the_input(tenant):
    answer = Console(tenant).post(ADD, **new(tenant, card(0, label=""), milestone(0, "1", ("points", "amount", "7"))))

    sent = sent_by(answer)
    assert (sent["objectives-0-code"], sent["objectives-0-label"]) == (["o0"], [""])
    assert sent["milestones-0-grants-amount"] == ["7", ""]


def test_hidden_fields_of_another_duration_are_ignored(tenant):
    hidden = {"starts_at": "2026-02-01T00:00:00", "duration_days": "7"}

    Console(tenant).post(ADD, **new(tenant, card(0), hidden))

    row = Challenge.objects.get()
    assert (row.duration_type, row.starts_at, row.duration_days) == ("perpetual", None, None)


def stored(tenant):
    pro = {"condition": {"field": "plan", "operator": "eq", "value": "pro"}}
    kept = {"or": [pro, {"not": pro}]}
    return ChallengeFactory(
        tenant=tenant,
        code="quest",
        name="Quest",
        objectives=[
            objective("login", 2.5, type="sum", of={"field": "hours"}, expression=pro),
            objective("review", expression=kept, prerequisites=["login"]),
        ],
        completion=1,
        milestones=[{"objectives": 1, "grants": [POINTS, {"type": "tier", "code": "gone"}]}],
        completion_grants=[POINTS],
        duration_type="fixed",
        starts_at=NOW.replace(microsecond=7),
        ends_at=NOW.replace(year=2027),
    )


def test_an_untouched_page_changes_nothing(tenant, nothing_written):
    row, console = stored(tenant), Console(tenant)
    before = Challenge.objects.values().get()

    console.edit(CHANGE, row.pk)

    assert Challenge.objects.values().get() == before


def test_an_edit_saves_the_change_and_keeps_conditions_that_rows_cannot_express(tenant):
    row, console = stored(tenant), Console(tenant)
    text = text_of(console.get(CHANGE, row.pk))

    answer = console.edit(CHANGE, row.pk, **{"objectives-0-label": "Sign in", "completion": ""})

    assert errors_of(answer) == {} if answer.context else True
    changed = Challenge.objects.get()
    assert "plan is “pro” or not (plan is “pro”)" in text
    assert [each["label"] for each in changed.objectives] == ["Sign in", "Review"]
    assert [each["expression"] for each in changed.objectives] == [each["expression"] for each in row.objectives]
    assert (changed.completion, changed.starts_at, changed.milestones) == ("all", row.starts_at, row.milestones)


def test_conditions_that_rows_cannot_express_can_be_removed(tenant):
    row = stored(tenant)

    Console(tenant).edit(CHANGE, row.pk, **{"objectives-1-drops": "on"})

    first, second = Challenge.objects.get().objectives
    assert (first["expression"], second["expression"]) == (row.objectives[0]["expression"], None)


def test_a_concurrent_edit_of_another_field_is_not_overwritten(tenant):
    row, console = stored(tenant), Console(tenant)
    data = sent_by(console.get(CHANGE, row.pk)) | {"name": "Renamed"}
    Challenge.objects.update(objectives=[objective("other")], milestones=[])

    console.post(CHANGE, row.pk, **data)

    changed = Challenge.objects.get()
    assert (changed.name, changed.objectives[0]["code"], changed.milestones) == ("Renamed", "other", [])


def test_another_duration_type_clears_the_fields_of_the_former_one(tenant):
    row = stored(tenant)

    Console(tenant).edit(CHANGE, row.pk, duration_type="rolling", duration_days="9")

    changed = Challenge.objects.get()
    assert (changed.duration_days, changed.starts_at, changed.ends_at) == (9, None, None)


def test_the_list_shows_duration_and_number_of_objectives(tenant, other_tenant):
    stored(tenant)
    ChallengeFactory(tenant=tenant, duration_type="rolling", duration_days=30)
    ChallengeFactory(tenant=tenant)
    ChallengeFactory(tenant=other_tenant, name="Theirs")

    text = text_of(Console(tenant).get(LIST))

    for expected in ("2026-02-14 10:00 to 2027-02-14 10:00 UTC", "30 days each", "no end", "1 of 2", "all 1"):
        assert expected in text
    assert "Theirs" not in text


def test_the_editor_suggests_definitions_of_the_tenant(tenant, other_tenant):
    BadgeFactory(tenant=tenant, code="hero")
    BadgeFactory(tenant=other_tenant, code="theirs")

    text = text_of(Console(tenant).get(ADD))

    assert '<datalist id="milestones-0-grants-badge"><option value="hero">' in text
    assert "theirs" not in text


def test_tampered_input_is_refused_without_a_crash(tenant):
    row, console = stored(tenant), Console(tenant)
    data = sent_by(console.get(CHANGE, row.pk)) | {"objectives-shown": '[{"code": 1}]', "milestones-shown": "{"}

    answer = console.post(CHANGE, row.pk, **data)

    assert "objectives" in errors_of(answer)


# --- participants -----------------------------------------------------------------------------------------------------


@pytest.fixture
def ada(tenant):
    return ParticipantFactory(tenant=tenant, external_id="ada")


@time_machine.travel(NOW, tick=False)
def test_a_participant_is_enrolled_by_hand(tenant, ada):
    ChallengeFactory(tenant=tenant, code="quest", name="Quest", enrolment="manual", objectives=[objective("login", 3)])
    console = Console(tenant)

    answer = console.post(ENROL, ada.pk, code="quest", audit_reason="Asked by mail")
    again = console.post(ENROL, ada.pk, code="quest", audit_reason="Asked by mail")

    assert (answer.status_code, again.status_code) == (302, 302)
    assert Enrolment.objects.get().enrolled_at == NOW
    assert [message for _, _, message in trail()] == ["Enrolled in challenge quest. Reason: Asked by mail"]
    page = text_of(console.get(PERSON, ada.pk))
    assert "Quest" in page
    assert "Login 0 of 3" in page


def test_challenges_with_an_enrolment_are_not_offered(tenant, ada):
    ChallengeFactory(tenant=tenant, code="quest", name="Quest")
    ChallengeFactory(tenant=tenant, code="other", name="Other", is_active=False)
    console = Console(tenant)
    assert '<option value="quest">' in text_of(console.get(ENROL, ada.pk))

    console.post(ENROL, ada.pk, code="quest", audit_reason="Asked by mail")

    assert "<option" not in text_of(console.get(ENROL, ada.pk))


def test_without_a_challenge_there_is_no_button(tenant, ada):
    assert "Enrol in challenge" not in text_of(Console(tenant).get(PERSON, ada.pk))


def test_enrolling_needs_the_permission(tenant, ada):
    ChallengeFactory(tenant=tenant, code="quest")
    console = Console(tenant, user=staff("participants.view_participant"))

    assert (
        console.get(ENROL, ada.pk).status_code
        == console.post(ENROL, ada.pk, code="quest", audit_reason="Asked by mail").status_code
        == 403
    )
    assert not Enrolment.objects.exists()


def test_the_page_of_a_participant_makes_one_query_for_all_challenges(tenant, ada):
    for _ in range(2):
        ChallengeFactory(tenant=tenant)
    console = Console(tenant)
    console.get(PERSON, ada.pk)

    with CaptureQueriesContext(connection) as captured:
        console.get(PERSON, ada.pk)

    assert sum('FROM "challenges_enrolment"' in query["sql"] for query in captured) == 1
