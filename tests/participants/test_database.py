"""The details of Django and psycopg that participants.database relies on. An upgrade that changes one of them fails here first."""

import inspect

import psycopg
import pytest
from django.db import connection, models
from django.db.models.base import ModelState
from django.db.models.query import get_related_populators
from psycopg import generators
from psycopg._preparing import PrepareManager

from participants.models import Participant, Tenant

pytestmark = pytest.mark.django_db


def compiled():
    compiler = Tenant.objects.select_related("live").query.get_compiler(connection=connection)
    compiler.as_sql()
    return compiler


INTERNALS = {
    "klass_info names the model and the selected columns": lambda: (
        compiled().klass_info["model"] is Tenant
        and compiled().klass_info["select_fields"] == [*range(len(Tenant._meta.concrete_fields))]
    ),
    "a selected column comes with its field as `target`": lambda: compiled().select[0][0].target is Tenant._meta.pk,
    "get_converters answers {place: (converters, expression)}": lambda: all(
        isinstance(place, int) and callable(converters[0])
        for place, (converters, _) in compiled().get_converters([column[0] for column in compiled().select]).items()
    ),
    "get_related_populators takes (klass_info, select, db)": lambda: (
        [*inspect.signature(get_related_populators).parameters][:3] == ["klass_info", "select", "db"]
    ),
    "ModelState has `adding` and `db`": lambda: (ModelState().adding, ModelState.db) == (True, None),
    "`_meta.pk_fields` lists the columns of the primary key": lambda: (
        [*Participant._meta.pk_fields] == [Participant._meta.pk]
    ),
    "a column without a database default has db_default NOT_PROVIDED": lambda: (
        Participant._meta.pk.db_default is models.NOT_PROVIDED
    ),
    "a connection knows its savepoints and whether it is in a transaction": lambda: (
        isinstance(connection.savepoint_ids, list) and isinstance(connection.in_atomic_block, bool)
    ),
    "psycopg has generators that flush the socket, and that fetch the results of one statement": lambda: (
        callable(generators.send) and callable(generators.fetch_many)
    ),
    "psycopg's PrepareManager.clear says whether everything prepared is to be deallocated": lambda: (
        PrepareManager().clear() is False and [*inspect.signature(PrepareManager.clear).parameters] == ["self"]
    ),
    "psycopg makes its error from a result": lambda: callable(psycopg.errors.error_from_result),
}


@pytest.mark.parametrize("internal", INTERNALS)
def test_django_and_psycopg_still_have_what_the_database_package_relies_on(internal):
    try:
        holds = INTERNALS[internal]()
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        holds = False

    assert holds, f"Django or psycopg has changed: {internal}. Adapt participants/database to it, then this test."
