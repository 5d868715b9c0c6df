"""A programme that leaves a tenant and comes back is the same."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.utils import timezone

from gamify_project.demo import make_demo
from gamify_project.programme.items import programme_text
from gamify_project.programme.planning import plan_import
from gamify_project.programme.services import apply_plan, programme_of
from participants.api.kinds import definition_kinds
from participants.models import Definition
from tests.factories import TenantFactory
from tests.gamify_project.console_world import make_world
from tests.gamify_project.programme.worlds import EVERYTHING, imported, planned

pytestmark = pytest.mark.django_db


def concrete(model=Definition):
    for child in model.__subclasses__():
        yield from concrete(child)
        if not child._meta.abstract and apps.is_installed(child._meta.app_config.name):
            yield child


def test_every_kind_of_definition_is_in_the_file():
    assert {kind.model for kind in definition_kinds.values()} >= set(concrete())


def test_every_kind_of_definition_survives_the_way_into_an_empty_tenant(tenant, other_tenant):
    imported(tenant, EVERYTHING)
    exported = programme_text(tenant)
    imported(other_tenant, exported)

    assert programme_text(other_tenant) == exported
    assert all(f"\n{kind.plural}:" in exported for kind in definition_kinds.values())


def test_an_export_has_no_ids_no_secrets_and_no_stock(tenant):
    imported(tenant, EVERYTHING)
    exported = programme_text(tenant)

    rows = [row for kind in definition_kinds.values() for row in kind.model._default_manager.filter(tenant=tenant)]
    assert not [row for row in rows if str(row.pk) in exported]
    assert not [
        word for word in ("secret", "ciphertext", "inventory: 0", "claimed", "total_inventory") if word in exported
    ]


def test_the_file_that_was_imported_changes_nothing_the_second_time(tenant):
    imported(tenant, EVERYTHING)

    assert planned(tenant, EVERYTHING, prunes=True).changes == []
    assert planned(tenant, programme_text(tenant), prunes=True).changes == []


def test_the_demo_survives_the_way_into_an_empty_tenant(other_tenant):
    demo = make_demo(now=timezone.now(), days=2).tenant
    imported(other_tenant, programme_text(demo))

    assert programme_text(other_tenant) == programme_text(demo)


def test_a_tenant_that_staff_set_up_survives_the_way_into_an_empty_tenant(other_tenant, settings):
    settings.WEBHOOKS_ALLOW_PRIVATE_TARGETS = True
    world = make_world()
    imported(other_tenant, programme_text(world))

    assert programme_text(other_tenant) == programme_text(world)


def test_after_a_sandbox_is_copied_to_live_there_is_no_difference(tenant):
    imported(tenant.sandbox, EVERYTHING)
    plan = plan_import(tenant, programme_of(tenant.sandbox), prunes=True)
    apply_plan(plan, by="a test", now=timezone.now() + timedelta(seconds=1))

    assert plan_import(tenant, programme_of(tenant.sandbox), prunes=True).changes == []
    assert plan_import(tenant.sandbox, programme_of(tenant), prunes=True).changes == []
    assert programme_text(tenant) == programme_text(tenant.sandbox)


def test_a_tenant_without_definitions_has_a_programme_too():
    assert programme_text(TenantFactory()) == "version: 1\n"
