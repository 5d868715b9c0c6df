"""Many rows in one statement: written columns, unwritten columns, and texts with special characters."""

from datetime import UTC, datetime, timedelta

import pytest

from participants.models import DomainEvent, Participant
from participants.services.tenants import create_tenant
from participants.work import load_deferred, unit_for_ids, unit_of_work

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
NAMES = ["plain", 'a "quoted" one', "back\\slash", "{a,b}", "NULL", "null", "täg 🎉", "it's", "a,b", "%s", " "]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return create_tenant(slug="acme", name="Acme", now=NOW)


@pytest.fixture
def people(tenant):
    with unit_of_work(tenant, NAMES, now=NOW) as work:
        for name in NAMES:
            participant = work.participant(name)
            participant.display_name = None if name == "NULL" else name
            participant.attributes = {name: [name, None, 1.5, True]}
            work.touch(participant)
    return list(Participant.objects.order_by("id"))


def test_texts_with_special_characters_are_stored_unchanged(people):
    found = {each.external_id: (each.display_name, each.attributes) for each in people}

    assert found == {name: (None if name == "NULL" else name, {name: [name, None, 1.5, True]}) for name in NAMES}


def test_texts_with_special_characters_are_published_unchanged(people):
    events = DomainEvent.objects.filter(type="participant.created").values_list("data", flat=True)

    assert sorted(data["participant_id"] for data in events) == sorted(NAMES)


def test_only_the_named_columns_are_written(tenant, people):
    with unit_for_ids(tenant, [each.pk for each in people], now=LATER) as work:
        for each in work.locked_participants.values():
            each.timezone = "Europe/Vienna"
            each.past_zones = [["UTC", each.external_id]]
            each.display_name = "must not be written"
            work.change(each, "timezone", "past_zones")

    found = Participant.objects.order_by("id")
    assert [each.past_zones for each in found] == [[["UTC", each.external_id]] for each in people]
    assert {each.timezone for each in found} == {"Europe/Vienna"}
    assert [each.display_name for each in found] == [each.display_name for each in people]


@pytest.mark.parametrize("is_unnamed_first", [True, False])
def test_if_one_row_changed_without_column_names_all_columns_of_all_rows_are_written(tenant, people, is_unnamed_first):
    first, second, *_ = people
    changes = [(first, ()), (second, ("timezone",))]
    with unit_for_ids(tenant, [first.pk, second.pk], now=LATER) as work:
        for each, columns in changes if is_unnamed_first else reversed(changes):
            row = work.locked_participants[each.pk]
            row.timezone, row.display_name = "UTC", "new"
            work.change(row, *columns)

    assert set(Participant.objects.filter(display_name="new").values_list("pk", "timezone")) == {
        (first.pk, "UTC"),
        (second.pk, "UTC"),
    }


def test_deferred_columns_are_loaded_with_one_query(tenant, people, queries):
    with unit_for_ids(tenant, [people[1].pk], now=LATER, only=("tenant", "external_id")) as work:
        [participant] = work.locked_participants.values()
        with queries(1):
            load_deferred(work, participant)
            load_deferred(work, participant)
        assert participant.attributes == people[1].attributes


def test_a_unit_without_ids_locks_no_participant(tenant, people):
    with unit_for_ids(tenant, [], now=LATER) as work:
        locked = dict(work.locked_participants)

    assert locked == {}


def test_a_unit_does_not_lock_participants_of_another_tenant(people):
    other = create_tenant(slug="other", name="Other", now=NOW)

    with unit_for_ids(other, [each.pk for each in people], now=LATER) as work:
        locked = dict(work.locked_participants)

    assert locked == {}
