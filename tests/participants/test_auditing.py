"""Audits: rows of several tables are merged by participant and compared."""

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
def test_rows_are_grouped_by_participant_and_keep_the_order_of_streams_and_rows():
    participants = [(ONE, "one"), (FAR, "far")]
    rows = [(ONE, "b"), (ONE, "a"), (TWO, "orphan"), (FAR, "c")]

    grouped = [
        (owner, [(number, row[1]) for number, row in found])
        for owner, found in group_by_participant(participants, rows)
    ]

    assert grouped == [
        (ONE, [(0, "one"), (1, "b"), (1, "a")]),
        (TWO, [(1, "orphan")]),
        (FAR, [(0, "far"), (1, "c")]),
    ]


@pytest.mark.engine
def test_a_stream_is_read_only_as_far_as_needed():
    read = []

    def rows():
        for number in range(5):
            read.append(number)
            yield UUID(int=number), number

    next(group_by_participant(rows()))

    assert read == [0]


@pytest.mark.engine
def test_each_name_with_a_different_value_is_a_drift():
    drifts = differences("ada", {"balance": 3, "earned": 4}, {"balance": 3, "earned": 5, "more": 1})

    assert list(drifts) == [Drift("ada", "earned", 4, 5)]


def mention(row_id, **values):
    return Mention("an answer", row_id, values)


def test_a_missing_row_or_another_value_is_a_drift(tenant):
    ada = ParticipantFactory(tenant=tenant, external_id="ada")
    mentions = [
        mention(ada.pk, external_id="ada"),
        mention(str(ada.pk), external_id="bo"),
        mention(None, external_id="x"),
    ]

    drifts = check_mentions(tenant, Participant, mentions)

    assert list(drifts) == [
        Drift("an answer", "external_id", "bo", "ada"),
        Drift("an answer", "participant", None, None),
    ]


def test_a_missing_row_is_no_drift_if_it_may_be_gone_but_another_value_is(tenant, other_tenant):
    ada = ParticipantFactory(tenant=tenant, external_id="ada")
    foreign = ParticipantFactory(tenant=other_tenant)
    mentions = [mention(ada.pk, external_id="bo"), mention(FAR, external_id="x"), mention(foreign.pk, external_id="x")]

    drifts = check_mentions(tenant, Participant, mentions, may_be_gone=True)

    assert [drift.expected for drift in drifts] == ["bo"]


def test_a_tenant_knows_that_it_has_erased_participants(tenant, other_tenant):
    ParticipantFactory(tenant=tenant, external_id="ada")
    assert not has_erased_participants(tenant)

    delete(tenant=tenant, external_id="ada", now=NOW)

    assert has_erased_participants(tenant)
    assert not has_erased_participants(other_tenant)


def test_audit_runs_are_deleted_with_their_tenant(tenant):
    AuditRun.objects.create(tenant=tenant.sandbox, began_at=NOW)

    tenant.sandbox.delete()

    assert not AuditRun.objects.exists()
