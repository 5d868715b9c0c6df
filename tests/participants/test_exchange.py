"""Statements that are sent together: their rows, their order, their errors, and what stays prepared."""

import threading
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.db import (
    DataError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)

from participants.database import one_round_trip, send, verify_in_this_exchange
from participants.database.exchange import MAX_PREPARED
from participants.database.riders import Rider, ride_along
from participants.models import Tenant
from tests.wire import counted_round_trips

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.two_connections]


def prepared() -> list[str]:
    """The statements of ours that PostgreSQL has prepared for this connection."""
    rows = send(connection, "SELECT statement FROM pg_prepared_statements WHERE name LIKE %s", ["gamify%"])()
    return sorted(statement for (statement,) in rows)


def test_statements_of_a_block_share_a_round_trip_and_their_rows_are_fetched_after_it():
    with counted_round_trips() as wire, one_round_trip(connection):
        numbers = send(connection, "SELECT %s::int + %s::int", [1, 2])
        texts = send(connection, "SELECT '100%%', %s::text", ["a"])

    assert (numbers(), texts()) == ([(3,)], [("100%", "a")])
    assert wire.round_trips == 1


def test_a_statement_outside_a_block_is_executed_at_once():
    assert send(connection, "SELECT %s::bool", [True])() == [(True,)]


def test_the_first_error_of_a_block_is_raised_and_the_rest_is_skipped(tenant):
    def fail() -> None:
        with transaction.atomic(), one_round_trip(connection):
            send(connection, "SELECT %s::smallint", [100_000])
            send(connection, "UPDATE participants_tenant SET name = %s", ["changed"])

    with pytest.raises(DataError, match="out of range"):
        fail()

    tenant.refresh_from_db()
    assert tenant.name == "Acme"
    assert send(connection, "SELECT 1")() == [(1,)]


def test_an_error_has_the_type_the_sqlstate_and_the_constraint_that_psycopg_gives_it(tenant):
    insert = "INSERT INTO participants_tenant SELECT * FROM participants_tenant WHERE id = %s"

    with pytest.raises(IntegrityError) as raised:
        send(connection, insert, [tenant.pk])

    cause = raised.value.__cause__
    assert isinstance(cause, psycopg.errors.UniqueViolation)
    assert (cause.sqlstate, cause.diag.constraint_name) == ("23505", "participants_tenant_pkey")


def test_nothing_is_sent_if_the_block_raises():
    def fail() -> None:
        with one_round_trip(connection):
            send(connection, "SELECT 1")
            raise ZeroDivisionError

    with counted_round_trips() as wire, pytest.raises(ZeroDivisionError):
        fail()

    assert wire.round_trips == 0
    assert send(connection, "SELECT 1")() == [(1,)]


def test_blocks_cannot_be_nested():
    with pytest.raises(RuntimeError), one_round_trip(connection), one_round_trip(connection):
        pass


def test_a_statement_is_prepared_after_its_second_use_and_once():
    statement = "SELECT %s::int AS for_this_test"
    for _ in range(2):
        send(connection, statement, [1])
    assert "SELECT $1::int AS for_this_test" not in prepared()

    for _ in range(3):
        with one_round_trip(connection):
            rows = [send(connection, statement, [number]) for number in range(3)]
        assert [fetch() for fetch in rows] == [[(0,)], [(1,)], [(2,)]]

    assert prepared().count("SELECT $1::int AS for_this_test") == 1


def test_the_number_of_prepared_statements_is_limited():
    for number in range(MAX_PREPARED + 20):
        for _ in range(3):
            send(connection, f"SELECT {number}")

    assert len(prepared()) == MAX_PREPARED


def test_nothing_is_prepared_behind_a_pooler_of_transactions():
    connection.ensure_connection()
    connection.connection.prepare_threshold = None
    try:
        for _ in range(4):
            send(connection, "SELECT 'unprepared'")
        assert "SELECT 'unprepared'" not in prepared()
    finally:
        connection.close()


def test_statements_work_after_psycopg_has_deallocated_everything():
    """psycopg does that after ROLLBACK and ALTER, if its cursors have prepared something."""
    for _ in range(4):
        send(connection, "SELECT 'before'")
        with connection.cursor() as cursor:
            cursor.execute("SELECT 'by a cursor'")
    assert "SELECT 'before'" in prepared()

    with connection.cursor() as cursor:
        cursor.execute("ROLLBACK")

    assert send(connection, "SELECT 'before'")() == [("before",)]


def test_a_connection_that_the_server_ended_raises_and_the_next_one_works():
    """Statements are prepared again on the new connection."""
    for _ in range(4):
        send(connection, "SELECT 'again'")
    ended = connection.connection.info.backend_pid
    connection_of_another_thread = threading.Thread(target=end, args=[ended])
    connection_of_another_thread.start()
    connection_of_another_thread.join()

    with pytest.raises(OperationalError):
        send(connection, "SELECT 'again'")

    connection.close()
    assert send(connection, "SELECT 'again'")() == [("again",)]


def end(pid: int) -> None:
    send(connection, "SELECT pg_terminate_backend(%s)", [pid])
    connection.close()


def test_an_interrupt_closes_the_connection_because_results_are_still_on_their_way(monkeypatch):
    connection.ensure_connection()

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(connection.connection, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        send(connection, "SELECT 1")

    assert connection.connection.closed
    connection.close()


def test_each_thread_has_its_own_connection_and_its_own_prepared_statements():
    """`django.db.connection` is one object for all threads, so nothing may be stored on it."""
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for number in range(30):
                assert send(connection, "SELECT %s::int AS of_threads", [number])() == [(number,)]
        except (AssertionError, ProgrammingError) as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


def test_a_rider_travels_with_reads_and_before_writes(tenant):
    answers: list[Any] = []
    rider = Rider("SELECT 'rides'::text", [], answers.append)

    ride_along(connection, rider)
    with counted_round_trips() as with_a_read:
        assert send(connection, "SELECT 1")() == [(1,)]
    ride_along(connection, rider)
    with counted_round_trips() as with_a_write:
        send(connection, "UPDATE participants_tenant SET name = 'changed'")

    assert (with_a_read.round_trips, with_a_write.round_trips) == (1, 2)
    assert answers == [(b"rides",)] * 2


def test_an_exchange_takes_a_rider_behind_what_is_queued_if_the_rider_verifies_what_it_needs(tenant):
    answers: list[Any] = []
    rider = Rider("SELECT 'rides'::text", [], answers.append, verifies="names")
    ride_along(connection, rider)

    with counted_round_trips() as wire, one_round_trip(connection):
        taken = [verify_in_this_exchange(connection, what) for what in ("numbers", "names", "names")]
        send(connection, "SELECT 1")

    assert taken == [False, True, False]
    assert (answers, wire.round_trips) == ([(b"rides",)], 1)


def test_a_rider_whose_exchange_fails_before_it_is_answered_waits_for_the_next(tenant):
    answers: list[Any] = []
    ride_along(connection, Rider("SELECT 1", [], answers.append, verifies="one"))

    def fail() -> None:
        with one_round_trip(connection):
            send(connection, "SELECT %s::smallint", [100_000])
            verify_in_this_exchange(connection, "one")

    with pytest.raises(DataError):
        fail()
    assert answers == []

    send(connection, "SELECT 2")
    assert answers == [(b"1",)]


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "ü'\\",
        0,
        -5,
        10**30,
        True,
        False,
        UUID("0192f0c1-7a3b-7c4d-8e5f-6a7b8c9d0e1f"),
        datetime(2026, 3, 29, 2, 30, 0, 5, UTC),
        datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Kolkata")),
    ],
    ids=repr,
)
def test_a_value_arrives_as_psycopg_sends_it(value):
    """Text is compared, because a parameter has no type here, and psycopg gives it one."""
    [[expected]] = connection.cursor().execute("SELECT %s::text", [value]).fetchall()
    cast = {datetime: "timestamptz", UUID: "uuid", bool: "bool"}.get(type(value), "text")

    assert send(connection, f"SELECT %s::{cast}::text", [value])() == [(expected,)]


def test_text_with_nul_is_refused_and_not_cut_off():
    with pytest.raises(DataError, match="NUL"):
        send(connection, "SELECT %s::text", ["a\0b"])


@pytest.mark.parametrize(
    "write",
    [
        lambda: send(connection, "UPDATE participants_tenant SET name = 'changed'"),
        lambda: Tenant.objects.update(name="changed"),
        lambda: connection.cursor().execute("UPDATE participants_tenant SET name = 'changed'"),
    ],
    ids=["send", "ORM", "cursor"],
)
@pytest.mark.parametrize("in_transaction", [False, True])
def test_nothing_is_written_if_the_check_of_a_rider_raises(tenant, write, in_transaction):
    def refuse(_: object) -> None:
        raise ZeroDivisionError

    ride_along(connection, Rider("SELECT 1", [], refuse))

    with pytest.raises(ZeroDivisionError), transaction.atomic() if in_transaction else nullcontext():
        write()

    tenant.refresh_from_db()
    assert tenant.name == "Acme"
    assert connection.get_autocommit()
