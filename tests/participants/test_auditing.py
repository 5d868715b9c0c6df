"""Rows of several tables are merged by participant."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from participants.auditing import (
    Drift,
    Mention,
    check_mentions,
    differences,
    group_by_participant,
    has_erased_participants,
)
from participants.models import AuditRun, Participant
from participants.services.participants import delete
from tests.factories import ParticipantFactory

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)

ONE, TWO, FAR = UUID(int=1), UUID(int=2), UUID(int=1 << 120)


@pytest.mark.engine
def test_rows_come_by_participant_and_by_stream_in_their_own_order():
    people = [(ONE, "one"), (FAR, "far")]
    rows = [(ONE, "b"), (ONE, "a"), (TWO, "nobody's"), (FAR, "c")]

    together = [
        (owner, [(number, row[1]) for number, row in theirs]) for owner, theirs in group_by_participant(people, rows)
    ]

    assert together == [
        (ONE, [(0, "one"), (1, "b"), (1, "a")]),
        (TWO, [(1, "nobody's")]),
        (FAR, [(0, "far"), (1, "c")]),
    ]


@pytest.mark.engine
def test_no_more_is_read_than_is_asked_for():
    read = []

    def rows():
        for number in range(5):
            read.append(number)
            yield UUID(int=number), number

    next(group_by_participant(rows()))

    assert read == [0]


@pytest.mark.engine
def test_a_drift_is_reported_for_each_name_with_another_value():
    told = differences("ada", {"balance": 3, "earned": 4}, {"balance": 3, "earned": 5, "more": 1})

    assert list(told) == [Drift("ada", "earned", 4, 5)]


def mention(named, **says):
    return Mention("an answer", named, says)


def test_mentioned_rows_exist_and_match(tenant):
    ada = ParticipantFactory(tenant=tenant, external_id="ada")
    mentions = [
        mention(ada.pk, external_id="ada"),
        mention(str(ada.pk), external_id="bo"),
        mention(None, external_id="x"),
    ]

    told = check_mentions(tenant, Participant, mentions)

    assert list(told) == [
        Drift("an answer", "external_id", "bo", "ada"),
        Drift("an answer", "participant", None, None),
    ]


def test_a_missing_optional_row_is_no_drift_but_a_different_one_is(tenant, other_tenant):
    ada = ParticipantFactory(tenant=tenant, external_id="ada")
    foreign = ParticipantFactory(tenant=other_tenant)
    mentions = [mention(ada.pk, external_id="bo"), mention(FAR, external_id="x"), mention(foreign.pk, external_id="x")]

    told = check_mentions(tenant, Participant, mentions, may_be_gone=True)

    assert [drift.expected for drift in told] == ["bo"]


def test_an_erasure_is_remembered_of_the_tenant_in_which_it_happened(tenant, other_tenant):
    ParticipantFactory(tenant=tenant, external_id="ada")
    assert not has_erased_participants(tenant)

    delete(tenant=tenant, external_id="ada", now=NOW)

    assert has_erased_participants(tenant)
    assert not has_erased_participants(other_tenant)


def test_stored_audits_are_deleted_with_the_tenant(tenant):
    AuditRun.objects.create(tenant=tenant.sandbox, began_at=NOW)

    tenant.sandbox.delete()

    assert not AuditRun.objects.exists()
