# ruff: noqa: PT012 - the end of the unit raises, so its block must be inside `raises`
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection
from structlog.testing import capture_logs

from gamify.badges.models import BadgeAward
from gamify.points.models import LedgerEntry
from gamify.tiers.models import TierChange
from participants.errors import DomainError
from participants.models import DomainEvent, IdempotencyKey, Participant, Tenant
from participants.services.tenants import create_tenant
from participants.work import (
    IdempotencyKeyReused,
    IdempotencyRequest,
    Load,
    Restart,
    after_commit,
    restartable,
    restarting,
    unit_of_work,
)
from participants.work.locking import _declare_by_id, _declare_by_name
from participants.work.restarting import TooBusy
from tests.factories import BadgeAwardFactory, BadgeFactory, ParticipantFactory
from tests.threads import all_at_once

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
LATER = datetime(2026, 2, 14, 11, tzinfo=UTC)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return create_tenant(slug="acme", name="Acme", now=NOW)


@pytest.fixture
def known(tenant):
    with unit_of_work(tenant, ["known"], now=NOW) as work:
        work.touch(work.participant("known"))
    return Participant.objects.get()


def test_a_participant_who_is_only_read_is_not_created(tenant):
    with unit_of_work(tenant, ["new"], now=NOW) as work:
        work.participant("new")

    assert not Participant.objects.exists()


def test_a_touched_participant_is_created_and_published_once(tenant):
    with unit_of_work(tenant, ["new"], now=NOW) as work:
        work.touch(work.participant("new"))
        work.touch(work.participant("new"))

    assert Participant.objects.get().first_seen_at == NOW
    assert list(DomainEvent.objects.values_list("type", "data")) == [("participant.created", {"participant_id": "new"})]


def test_a_later_unit_finds_the_participant_and_moves_last_seen_only(tenant, known):
    with unit_of_work(tenant, ["known"], now=LATER) as work:
        work.touch(work.find("known"))

    found = Participant.objects.get()
    assert (found.first_seen_at, found.last_seen_at) == (NOW, LATER)


def test_a_unit_that_raises_leaves_nothing(tenant, known):
    with pytest.raises(DomainError), unit_of_work(tenant, ["known", "new"], now=LATER) as work:
        work.touch(work.participant("new"))
        work.participant("known").balance = 5
        raise DomainError("refused")

    assert Participant.objects.get().last_seen_at == NOW
    assert not connection.in_atomic_block


def test_a_unit_whose_last_statement_fails_leaves_nothing(tenant, known):
    with pytest.raises(IntegrityError), unit_of_work(tenant, ["known", "new"], now=LATER) as work:
        work.touch(work.participant("new"))
        work.touch(work.participant("known"))
        work.participant("known").balance = 5  # the totals no longer agree, so the database refuses

    assert list(Participant.objects.values_list("external_id", "balance")) == [("known", 0)]
    assert not connection.in_atomic_block
    assert connection.get_autocommit()


def test_the_connection_is_usable_after_a_failed_unit(tenant, known):
    with pytest.raises(IntegrityError), unit_of_work(tenant, ["known"], now=LATER) as work:
        work.touch(work.participant("known"))
        work.participant("known").balance = -1

    with unit_of_work(tenant, ["known"], now=LATER) as work:
        work.touch(work.participant("known"))

    assert Participant.objects.get().last_seen_at == LATER


def test_an_unregistered_event_or_field_is_a_programming_error(tenant):
    with unit_of_work(tenant, ["new"], now=NOW) as work:
        with pytest.raises(LookupError, match="not registered"):
            work.emit("participant.teleported", work.participant("new"), {})
        with pytest.raises(ValueError, match="does not document"):
            work.emit("participant.created", work.participant("new"), {"surprise": 1})


def test_a_key_is_first_only_once_in_each_unit(tenant):
    for _ in range(2):
        with unit_of_work(tenant, ["new"], now=NOW) as work:
            assert [work.is_first(key) for key in ("a", "b", "a", ("a", 1))] == [True, True, False, True]


def test_a_stored_answer_is_found_in_the_same_unit_and_in_later_ones(tenant):
    idempotency = IdempotencyRequest("points.award", "k", digest="5", external_id="new")
    with unit_of_work(tenant, ["new"], now=NOW, idempotency_requests=[idempotency]) as work:
        assert work.stored_answer(idempotency) is None
        work.touch(work.participant("new"))
        work.store_answer(idempotency, {"answer": 1})
        assert work.stored_answer(idempotency) == {"answer": 1}

    with unit_of_work(tenant, ["new"], now=LATER, idempotency_requests=[idempotency]) as work:
        assert work.stored_answer(idempotency) == {"answer": 1}


@pytest.mark.parametrize(
    "other",
    [
        IdempotencyRequest("points.deduct", "k", digest="5", external_id="new"),
        IdempotencyRequest("points.award", "K", digest="5", external_id="new"),
        IdempotencyRequest("points.award", "k", digest="5", external_id="other"),
        IdempotencyRequest("points.award", "k", digest="5", external_id=None),
    ],
    ids=["operation", "key", "participant", "batch"],
)
def test_a_key_is_scoped_to_operation_and_participant(tenant, other):
    idempotency = IdempotencyRequest("points.award", "k", digest="5", external_id="new")
    with unit_of_work(tenant, ["new"], now=NOW, idempotency_requests=[idempotency]) as work:
        work.touch(work.participant("new"))
        work.store_answer(idempotency, {})

    with unit_of_work(tenant, ["new", "other"], now=NOW, idempotency_requests=[other]) as work:
        assert work.stored_answer(other) is None


def test_the_same_key_with_another_request_is_refused(tenant):
    idempotency = IdempotencyRequest("points.award", "k", digest="5", external_id="new")
    with unit_of_work(tenant, ["new"], now=NOW, idempotency_requests=[idempotency]) as work:
        work.touch(work.participant("new"))
        work.store_answer(idempotency, {})
    other = IdempotencyRequest("points.award", "k", digest="6", external_id="new")

    with (
        pytest.raises(IdempotencyKeyReused),
        unit_of_work(tenant, ["new"], now=NOW, idempotency_requests=[other]) as work,
    ):
        work.stored_answer(other)

    assert IdempotencyKey.objects.count() == 1


@pytest.mark.parametrize("races", [2, 30])
def test_a_unit_that_lost_races_is_restarted(races, monkeypatch):
    monkeypatch.setattr(restarting, "PAUSE_SECONDS", 0.001)
    attempts = []

    @restartable
    def use_case():
        attempts.append(1)
        if len(attempts) <= races:
            raise Restart
        return "done"

    assert use_case() == "done"
    assert len(attempts) == races + 1


@pytest.mark.two_connections
def test_the_log_of_a_lost_race_names_the_constraint_and_not_the_participant(tenant, monkeypatch):
    monkeypatch.setattr(restarting, "PAUSE_SECONDS", 0.001)

    def create():
        Participant.objects.create(tenant=tenant, external_id="ada-42", first_seen_at=NOW, last_seen_at=NOW)

    @restartable
    def use_case():
        with unit_of_work(tenant, ["ada-42"], now=NOW) as work:
            work.touch(work.participant("ada-42"))
            if not Participant.objects.exists():
                assert all_at_once([create]) == [None]

    with capture_logs() as logs:
        use_case()

    restarts = [log for log in logs if log["event"] == "unit_restarted"]
    assert [log["cause"] for log in restarts] == ["participant_external_id_unique"]
    assert "ada-42" not in repr(restarts)


def test_a_unit_that_loses_for_too_long_gives_up(monkeypatch):
    monkeypatch.setattr(restarting, "RETRY_SECONDS", 0.05)
    attempts = []

    @restartable
    def use_case():
        attempts.append(1)
        raise Restart

    with pytest.raises(TooBusy) as refused:
        use_case()

    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "1"})
    assert len(attempts) > 1


def test_another_tenants_participant_of_the_same_name_is_another_participant(tenant, known):
    other = create_tenant(slug="other", name="Other", now=NOW)

    with unit_of_work(other, ["known"], now=NOW) as work:
        assert work.find("known") is None
        work.touch(work.participant("known"))

    assert Participant.objects.filter(external_id="known").count() == 2
    assert Tenant.objects.count() == 4


def test_a_removed_row_is_deleted_and_a_new_row_may_replace_it(tenant):
    badge, gone = BadgeFactory(tenant=tenant), BadgeFactory(tenant=tenant)
    load = Load(BadgeAward, "badge_id", (badge.pk, gone.pk))
    known = ParticipantFactory(tenant=tenant, external_id="known")
    for each in (badge, gone):
        BadgeAwardFactory(participant=known, badge=each, earned_at=NOW)
    others = BadgeAwardFactory(participant=ParticipantFactory(tenant=tenant), badge=badge)

    with unit_of_work(tenant, ["known"], now=LATER, loads=[load]) as work:
        person = work.find("known")
        for each in (badge, gone):
            work.remove(work.row(BadgeAward, person, each.pk))
            assert work.row(BadgeAward, person, each.pk) is None
        work.add(BadgeAward(tenant=tenant, participant=person, badge=badge, earned_at=LATER))

    assert set(BadgeAward.objects.values_list("participant", "badge", "earned_at")) == {
        (known.pk, badge.pk, LATER),
        (others.participant_id, badge.pk, others.earned_at),
    }


def test_a_dry_run_removes_nothing(tenant, nothing_written):
    award = BadgeAwardFactory(participant=ParticipantFactory(tenant=tenant, external_id="known"))
    load = Load(BadgeAward, "badge_id", (award.badge_id,))

    with nothing_written(), unit_of_work(tenant, ["known"], now=LATER, loads=[load], is_dry_run=True) as work:
        work.remove(work.row(BadgeAward, work.find("known"), award.badge_id))


def test_units_lock_participants_in_the_order_of_their_ids():
    """Two units that lock the same participants cannot deadlock."""
    for locks in (_declare_by_name(size=2, locks=True), _declare_by_id(size=2, skips=False, only=())):
        assert (locks.query.order_by, locks.query.select_for_update) == (("id",), True)


def test_a_unit_writes_participants_first_and_then_tables_in_the_order_of_their_names(tenant, monkeypatch):
    """Two units that write the same rows cannot deadlock."""
    written = []
    record = lambda connection, rows, **_: written.append(type(rows[0])._meta.label)  # noqa: E731
    monkeypatch.setattr("participants.work.unit.insert", record)
    monkeypatch.setattr("participants.work.unit.upsert", record)

    with unit_of_work(tenant, ["new"], now=NOW) as work:
        participant = work.participant("new")
        work.add(*(model(tenant=tenant, participant=participant) for model in (LedgerEntry, BadgeAward, TierChange)))
        work.touch(participant)

    assert written == [
        "participants.Participant", "badges.BadgeAward", "participants.DomainEvent", "points.LedgerEntry", "tiers.TierChange"
    ]  # fmt: skip


def test_what_follows_a_commit_is_called_with_the_events_of_the_unit(tenant, monkeypatch):
    called = []
    monkeypatch.setitem(after_commit._entries, "test", lambda tenant, events: called.extend(events))

    with unit_of_work(tenant, ["new"], now=NOW) as work:
        work.touch(work.participant("new"))
        assert called == []

    assert [event.type for event in called] == ["participant.created"]
