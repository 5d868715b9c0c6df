import json
from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry

from gamify.points.models import LedgerEntry
from participants.models import DomainEvent, Participant
from tests.console import Console, errors_of, staff, text_of, trail
from tests.factories import LedgerEntryFactory, ParticipantFactory

BLANK = {"display_name": "", "avatar_url": "", "timezone": "", "visible": "on"}


def form(shown: dict | None = None, *rows: tuple[str, str, str], **fields: str) -> dict:
    columns = zip(*rows, strict=True) if rows else ([], [], [])
    keys, kinds, values = (list(column) for column in columns)
    names = {"attribute_rows-key": keys, "attribute_rows-kind": kinds, "attribute_rows-value": values}
    return {**BLANK, **names, "attribute_rows-shown": json.dumps(shown or {}), **fields}


def test_a_participant_is_registered(tenant):
    data = form({}, ("plan", "text", "gold"), external_id="a/b c", display_name="Ada", opened_for=str(tenant.pk))

    answer = Console(tenant).post("participants_participant_add", **data)

    assert answer.status_code == 302
    participant = Participant.objects.of(tenant).get()
    assert (participant.external_id, participant.display_name) == ("a/b c", "Ada")
    assert participant.attributes == {"plan": "gold"}
    assert trail() == [(f"Participant {participant.pk}", 1, "Added.")]


@pytest.mark.parametrize(
    ("external_id", "message"),
    [
        ("known", "A participant with this id exists already."),
        ("bad\u0085id", "Must not contain control characters."),
        ("x" * 256, "Ensure this value has at most 255 characters (it has 256)."),
    ],
)
def test_an_invalid_id_is_an_error_of_its_field(tenant, nothing_written, external_id, message):
    ParticipantFactory(tenant=tenant, external_id="known", display_name="Ada")
    console = Console(tenant)

    with nothing_written():
        answer = console.post(
            "participants_participant_add", **form(external_id=external_id, opened_for=str(tenant.pk))
        )

    assert errors_of(answer) == {"external_id": [message]}


def test_an_edit_goes_through_the_service(tenant):
    participant = ParticipantFactory(tenant=tenant, attributes={"plan": "gold", "level": 1})
    data = form(
        {"plan": "gold", "level": 1},
        ("plan", "text", "silver"),
        ("level", "number", "1"),
        display_name="Ada",
        timezone="Asia/Tokyo",
    )

    Console(tenant).post("participants_participant_change", participant.pk, **data)

    edited = Participant.objects.get()
    assert (edited.display_name, edited.timezone) == ("Ada", "Asia/Tokyo")
    assert edited.attributes == {"plan": "silver", "level": 1}
    assert [event.type for event in DomainEvent.objects.all()] == ["participant.updated"]
    ((name, flag, message),) = trail()
    assert (name, flag) == (f"Participant {participant.pk}", 2)
    assert "Ada" not in message


def test_an_attribute_changed_meanwhile_is_not_overwritten(tenant):
    participant = ParticipantFactory(tenant=tenant, attributes={"plan": "gold", "coins": 2})

    data = form({"plan": "gold"}, ("plan", "text", "silver"))
    Console(tenant).post("participants_participant_change", participant.pk, **data)

    assert Participant.objects.get().attributes == {"plan": "silver", "coins": 2}


def test_saving_unchanged_writes_nothing(tenant, nothing_written):
    participant = ParticipantFactory(tenant=tenant, attributes={"plan": "gold"})
    console = Console(tenant)

    with nothing_written():
        data = form({"plan": "gold"}, ("plan", "text", "gold"))
        console.post("participants_participant_change", participant.pk, **data)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("avatar_url", "javascript:alert(1)", "Must be an http or https URL."),
        ("display_name", "two\u2028lines", "Must not contain control characters."),
        ("timezone", "Mars/Olympus", "'Mars/Olympus' is not an IANA time zone."),
    ],
)
def test_the_form_refuses_what_the_api_refuses(tenant, nothing_written, field, value, message):
    participant = ParticipantFactory(tenant=tenant)
    console = Console(tenant)

    with nothing_written():
        answer = console.post("participants_participant_change", participant.pk, **form(**{field: value}))

    assert errors_of(answer) == {field: [message]}
    assert trail() == []


def test_deleting_erases_everything_and_leaves_no_name_in_the_trail(tenant):
    participant = ParticipantFactory(tenant=tenant, external_id="ada@example.com", points=100)
    console = Console(tenant)

    asked = console.get("participants_participant_delete", participant.pk)
    answer = console.post("participants_participant_delete", participant.pk, audit_reason="Request 7")

    assert "Delete for good" in text_of(asked)
    assert answer.status_code == 302
    assert not Participant.objects.exists()
    assert not LedgerEntry.objects.exists()
    assert trail() == [(f"Participant {participant.pk}", 3, "Deleted. Reason: Request 7")]


def test_anonymising_keeps_the_ledger_and_leaves_no_name_in_the_trail(tenant):
    participant = ParticipantFactory(tenant=tenant, external_id="ada@example.com", display_name="Ada", points=100)

    Console(tenant).post("participants_participant_anonymize", participant.pk, audit_reason="Request 7")

    anonymous = Participant.objects.get()
    assert anonymous.external_id.startswith("anon_")
    assert (anonymous.display_name, anonymous.balance, anonymous.is_active) == (None, 100, False)
    assert "ada" not in str(list(LogEntry.objects.values())).lower()


@pytest.mark.parametrize("page", ["delete", "anonymize"])
def test_nothing_is_erased_without_a_reason(tenant, nothing_written, page):
    participant = ParticipantFactory(tenant=tenant)
    console = Console(tenant)

    with nothing_written():
        answer = console.post(f"participants_participant_{page}", participant.pk)

    assert errors_of(answer) == {"audit_reason": ["This field is required."]}


@pytest.mark.parametrize("page", ["delete", "anonymize", "award", "deduct"])
def test_viewing_a_page_changes_nothing(tenant, nothing_written, page):
    participant = ParticipantFactory(tenant=tenant, points=100)
    console = Console(tenant)

    with nothing_written():
        assert console.get(f"participants_participant_{page}", participant.pk).status_code == 200

    assert trail() == []


@pytest.mark.parametrize("page", ["change", "delete", "anonymize", "award", "deduct", "history"])
def test_participants_of_other_tenants_are_out_of_reach(tenant, other_tenant, nothing_written, page):
    strangers = [ParticipantFactory(tenant=owner, points=50) for owner in (other_tenant, tenant.sandbox)]
    console = Console(tenant)

    with nothing_written():
        for stranger in strangers:
            data = form(display_name="Mine", amount="5", reason="mine")
            console.get(f"participants_participant_{page}", stranger.pk)
            answer = console.post(f"participants_participant_{page}", stranger.pk, **data)
            assert answer.status_code == 302
            assert stranger.external_id not in text_of(console.get("participants_participant_changelist"))

    assert trail() == []


def test_one_permission_opens_one_page(tenant):
    participant = ParticipantFactory(tenant=tenant, points=100)
    console = Console(tenant, user=staff("participants.view_participant"))

    assert console.get("participants_participant_change", participant.pk).status_code == 200
    for page in ("delete", "anonymize", "award", "deduct"):
        answer = console.post(f"participants_participant_{page}", participant.pk, amount=1, reason="x")
        assert answer.status_code == 403
    assert Participant.objects.get().balance == 100


def test_the_page_shows_totals_and_a_timeline(tenant):
    participant = ParticipantFactory(tenant=tenant, external_id="u1", points=1234)

    shown = text_of(Console(tenant).get("participants_participant_change", participant.pk))

    assert "1,234" in shown
    assert "+1,234 points" in shown
    assert "First seen" in shown
    assert "/console/points/ledgerentry/?q=u1" in shown


def test_the_page_needs_a_constant_number_of_queries(tenant, queries):
    participant = ParticipantFactory(tenant=tenant)
    console = Console(tenant)
    console.get("participants_participant_change", participant.pk)  # fills the catalog

    for number_of_new in (1, 30):
        LedgerEntryFactory.create_batch(number_of_new, participant=participant)
        # session, user, second factor, picked tenant, participant; credits, badges, streaks, rewards;
        # events, entries, tiers, badges, claims and domain events of the timeline, the participant's id, and reversals of the entries
        with queries(17):
            assert console.get("participants_participant_change", participant.pk).status_code == 200


def test_the_list_needs_a_constant_number_of_queries(tenant, queries):
    console = Console(tenant)

    for number_of_new in (1, 49):
        ParticipantFactory.create_batch(number_of_new, tenant=tenant)
        with queries(5):  # session, user, second factor, picked tenant, the participants (no count)
            assert console.get("participants_participant_changelist").status_code == 200


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "LOVE"}, {"user-a"}),
        ({"q": "user-"}, {"user-a", "user-b"}),
        ({"q": "%"}, set()),
        ({"is_active__exact": "0"}, {"user-b"}),
        ({"tier_code": "gold"}, {"user-b"}),
        ({"last_seen_at_from": "2026-03-01", "last_seen_at_to": "2026-03-01"}, {"user-a"}),
        ({"last_seen_at_to": "no date"}, {"user-a", "user-b"}),
    ],
)
def test_participants_are_found(tenant, query, found):
    seen = {"first_seen_at": datetime(2026, 1, 1, tzinfo=UTC)}
    late = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
    ParticipantFactory(tenant=tenant, external_id="user-a", display_name="Ada Lovelace", last_seen_at=late, **seen)
    ParticipantFactory(tenant=tenant, external_id="user-b", is_active=False, tier_code="gold", **seen)

    shown = text_of(Console(tenant).get("participants_participant_changelist", **query))

    assert {external_id for external_id in ("user-a", "user-b") if f">{external_id}<" in shown} == found


def test_there_is_a_next_page_without_a_count(tenant):
    ParticipantFactory.create_batch(51, tenant=tenant)
    console = Console(tenant)

    assert "?p=2" in text_of(console.get("participants_participant_changelist"))
    assert text_of(console.get("participants_participant_changelist", p=2)).count("data-row") == 1
