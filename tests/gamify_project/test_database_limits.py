"""How long a process waits for PostgreSQL: its limits, with and without a pooler, and the breaker for a silent one."""

from types import SimpleNamespace

import pytest
from django.db import connection, connections, transaction
from psycopg import OperationalError
from psycopg.errors import ConnectionTimeout

from gamify_project.postgres import limits as database_limits
from gamify_project.postgres import waiting
from gamify_project.postgres.limits import COMMANDS, REQUESTS
from gamify_project.postgres.waiting import PAUSE_SECONDS, DatabaseSilent, Silence


@pytest.fixture
def new_connection():
    """Close the connection, so that the next statement opens one with the settings of the test."""
    connections.close_all()
    yield connection
    connections.close_all()


def in_force():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
        return cursor.fetchone()


@pytest.mark.two_connections
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("kind", "values"), [(COMMANDS, ("20s", "10min")), (REQUESTS, ("2s", "15s"))])
def test_requests_have_shorter_limits_than_commands(new_connection, monkeypatch, kind, values):
    monkeypatch.setattr(database_limits, "_kind", kind)

    assert in_force() == values


@pytest.mark.two_connections
@pytest.mark.django_db(transaction=True)
def test_no_startup_parameter_is_sent_that_a_pooler_refuses(new_connection):
    assert "options" not in connection.get_connection_params()


@pytest.mark.two_connections
@pytest.mark.django_db(transaction=True)
def test_behind_a_pooler_limits_are_those_of_each_transaction(new_connection, settings, monkeypatch):
    monkeypatch.setattr(database_limits, "_kind", COMMANDS)
    settings.DATABASE_POOLER = "transaction"
    before = in_force()

    with transaction.atomic():
        assert in_force() == ("20s", "10min")

    assert in_force() == before == ("0", "0")


# --- silence --------------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(waiting.time, "monotonic", lambda: clock.now)
    return clock


def unanswered():
    raise ConnectionTimeout("no answer")


def fail(silence, error):
    with pytest.raises(type(error)), silence.attempt():
        raise error


def test_after_an_attempt_to_connect_that_got_no_answer_one_attempt_follows_each_pause(clock):
    silence = Silence()
    fail(silence, ConnectionTimeout("no answer"))

    with pytest.raises(DatabaseSilent), silence.attempt():
        pass

    clock.now += PAUSE_SECONDS
    with silence.attempt(), pytest.raises(DatabaseSilent), silence.attempt():
        pass
    with silence.attempt(), silence.attempt():
        pass


def test_a_postgresql_that_refuses_is_not_silent(clock):
    silence = Silence()
    fail(silence, OperationalError("too many clients"))

    with silence.attempt():
        pass


def test_a_thread_that_waits_asks_once_in_each_pause(clock):
    silence, asked = Silence(), []

    for _ in range(3):
        silence.check(lambda: asked.append(clock.now))
    clock.now += PAUSE_SECONDS
    silence.check(lambda: asked.append(clock.now))

    assert asked == [1000.0, 1000.0 + PAUSE_SECONDS]


def test_a_thread_that_waits_gives_up_if_the_question_is_not_answered(clock):
    silence = Silence()

    for _ in range(2):
        with pytest.raises(DatabaseSilent):
            silence.check(unanswered)

    clock.now += PAUSE_SECONDS
    silence.check(lambda: None)
