"""What holds for every programme: it comes back as it was, and a faulty one is refused as a whole."""

import contextlib

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gamify_project.programme.faults import InvalidProgramme
from gamify_project.programme.files import read_programme
from gamify_project.programme.items import StoredProgramme, programme_text
from gamify_project.programme.planning import plan_import
from gamify_project.programme.services import apply_plan, plan_rollback
from gamify_project.programme.yaml import write_yaml
from participants.api.kinds import definition_kinds
from tests.factories import TenantFactory
from tests.gamify_project.programme import generated
from tests.gamify_project.programme.test_imports import NOW
from tests.gamify_project.programme.worlds import imported, planned, rows_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

some = settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))
many = settings(some, max_examples=40)


@some
@given(content=generated.programmes)
def test_a_programme_survives_the_way_into_an_empty_tenant(db, content):
    first, second = TenantFactory(), TenantFactory()
    imported(first, write_yaml(content))
    exported = programme_text(first)
    imported(second, exported)

    assert set(content) - {"version"} == {kind.plural for kind in definition_kinds.values()}
    assert programme_text(second) == exported
    assert planned(second, exported, prunes=True).changes == []


@some
@given(content=generated.programmes, later=generated.programmes)
def test_a_rollback_gives_back_the_programme_before(db, content, later):
    tenant = TenantFactory()
    imported(tenant, write_yaml(content))
    before = bodies(tenant)
    assume(imported(tenant, write_yaml(later), prunes=True).changes)  # else the import before would be rolled back
    added = bodies(tenant).keys() - before.keys()
    apply_plan(plan_rollback(tenant), by="a test", now=NOW)

    after = bodies(tenant)
    assert {key: body for key, body in after.items() if key not in added} == before
    assert all(definition_kinds[key.noun].archived.items() <= vars(row_of(tenant, key)).items() for key in added)


def bodies(tenant):
    return {item.key: item.body for item in StoredProgramme(tenant).items()}


def row_of(tenant, key):
    return StoredProgramme(tenant).rows[key]


@many
@given(faulty=generated.faulty_programmes())
def test_every_fault_is_reported_at_once_with_its_line(db, faulty):
    tenant = TenantFactory()
    with pytest.raises(InvalidProgramme) as error:
        imported(tenant, faulty.text)

    lines = faulty.text.splitlines()
    found = {fault.path: fault.line for fault in error.value.faults}
    assert faulty.paths <= found.keys()
    assert all(1 <= line <= len(lines) for line in found.values())
    assert not [path for path in faulty.paths if is_key(path) and path.rpartition(".")[2] not in lines[found[path] - 1]]
    assert not any(rows_of(tenant).values())


def is_key(path):
    """Whether the path ends with a key that is in the file. A missing `code` is reported at its definition."""
    return not path.rpartition(".")[2].isdecimal() and not path.endswith((".code", ".url"))


@many
@given(text=generated.odd_programmes())
def test_odd_values_are_refused_or_planned_and_never_crash(db, text):
    tenant = TenantFactory()
    with contextlib.suppress(InvalidProgramme):
        apply_plan(planned(tenant, text), by="a test", now=NOW)

    assert planned(tenant, programme_text(tenant), prunes=True).changes == []


@many
@given(content=generated.programmes, place=st.integers(0, 10_000), junk=st.binary(min_size=1, max_size=4))
def test_damaged_files_are_refused_or_planned_and_never_crash(db, content, place, junk):
    data = write_yaml(content).encode()
    place %= len(data)
    with contextlib.suppress(InvalidProgramme):
        plan_import(TenantFactory(), read_programme(data[:place] + junk + data[place + 1 :]), prunes=True)
