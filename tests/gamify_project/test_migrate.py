"""A migration that needs a lock which a long reader holds: writes go on, and it succeeds when the reader ends."""

import threading
import time

import pytest
from django.core.management import call_command, get_commands
from django.core.management.commands import migrate
from django.db import OperationalError, connection, connections, transaction

from gamify_project.postgres import schema
from participants.models import Tenant
from tests.threads import all_at_once

LONG_READ_SECONDS = 3.0
LOCK_TIMEOUT_SECONDS = 0.5


def test_migrate_is_the_command_that_tries_again():
    assert get_commands()["migrate"] == "gamify_project"


@pytest.fixture
def altering(monkeypatch):
    """`manage.py migrate` changes the table of tenants. It counts how often it tries."""
    tries = []

    def alter(self, *args, **options):
        tries.append(time.monotonic())
        with connection.schema_editor() as editor:
            editor.execute("ALTER TABLE participants_tenant ALTER COLUMN timezone SET DEFAULT 'UTC'")

    monkeypatch.setattr(migrate.Command, "handle", alter)
    monkeypatch.setattr(schema, "LOCK_TIMEOUT_SECONDS", LOCK_TIMEOUT_SECONDS)
    return tries


@pytest.mark.two_connections
@pytest.mark.django_db(transaction=True)
def test_writes_wait_at_most_as_long_as_a_migration_waits_for_a_long_reader(altering, tenant, capsys):
    is_reading, is_migrated, waits = threading.Event(), threading.Event(), []

    def read():
        with transaction.atomic():
            Tenant.objects.get(pk=tenant.pk)
            is_reading.set()
            time.sleep(LONG_READ_SECONDS)
        return time.monotonic()

    def apply():
        is_reading.wait(10)
        call_command("migrate")
        is_migrated.set()
        return time.monotonic()

    def write():
        is_reading.wait(10)
        while not is_migrated.is_set():
            began = time.monotonic()
            Tenant.objects.filter(pk=tenant.pk).update(name="Acme")
            waits.append(time.monotonic() - began)
            time.sleep(0.01)

    read_at, migrated_at, written = all_at_once([read, apply, write])

    assert written is None
    assert migrated_at > read_at
    assert len(altering) > 1
    assert LOCK_TIMEOUT_SECONDS / 2 < max(waits) < LOCK_TIMEOUT_SECONDS + 1
    assert "Another transaction holds a lock that this migration needs. Next try in 1 s." in capsys.readouterr().err


@pytest.mark.two_connections
@pytest.mark.django_db(transaction=True)
def test_a_migration_gives_up_when_the_lock_is_not_released_in_time(altering, tenant):
    with transaction.atomic():
        Tenant.objects.select_for_update().get(pk=tenant.pk)

        [refused] = all_at_once([lambda: call_command("migrate", retry_seconds=0)])

    assert isinstance(refused, OperationalError)
    assert len(altering) == 1


@pytest.mark.django_db
def test_any_other_error_of_the_database_is_raised_at_once(monkeypatch):
    tries = []

    def broken(self, *args, **options):
        tries.append(options)
        raise OperationalError("disk full")

    monkeypatch.setattr(migrate.Command, "handle", broken)

    with pytest.raises(OperationalError, match="disk full"):
        call_command("migrate")

    assert len(tries) == 1


@pytest.mark.two_connections
@pytest.mark.django_db(transaction=True)
def test_the_limits_end_with_the_migration():
    before = limits()

    with connection.schema_editor():
        assert limits() == ("2s", "0")
    assert limits() == before

    with connection.schema_editor(atomic=False) as editor:
        editor.execute("CREATE INDEX CONCURRENTLY trial ON participants_tenant (name)")
        editor.execute("DROP INDEX CONCURRENTLY trial")
        assert limits() == before
    connections.close_all()


def limits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
        return cursor.fetchone()
