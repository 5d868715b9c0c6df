"""Imports programmes: from a file, from another tenant, or the previous one."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Model

from gamify_project.programme.faults import ProgrammeChanged
from gamify_project.programme.files import read_stored_programme
from gamify_project.programme.items import Programme, StoredProgramme, programme_text
from gamify_project.programme.models import PreviousProgramme
from gamify_project.programme.planning import ADDED, Change, Plan, plan_import
from participants.catalog import bump_catalog_version, forget_catalog
from participants.errors import NotFound
from participants.models import Tenant
from participants.work import reading


class NoPreviousProgramme(NotFound):
    code = "previous_programme_not_found"
    noun = "Previous programme"


def programme_of(tenant: Tenant) -> Programme:
    """Return the definitions of `tenant` as a programme that can be imported into another tenant."""
    return Programme(StoredProgramme(tenant).items())


def apply_plan(plan: Plan, *, by: str, now: datetime) -> Plan:
    """Make the changes of `plan` in one transaction, through the services of each domain, and store the previous programme.

    `by` says who imports what, for people. A plan without changes writes nothing.

    Raises: ProgrammeChanged if a definition was changed since the plan was made.
    """
    if not plan.changes:
        return plan
    try:
        with transaction.atomic(), reading(plan.tenant):
            _lock(plan)
            _store_previous(plan.tenant, by=by, now=now)
            for change in plan.changes:
                _write(change, plan.tenant, now=now)
            bump_catalog_version(plan.tenant)
    finally:
        forget_catalog(plan.tenant)
    return plan


def _lock(plan: Plan) -> None:
    """Lock the definitions that change, and then the tenant, in the order in which all changes of definitions lock."""
    rows: defaultdict[type[Model], list[Any]] = defaultdict(list)
    for change in plan.changes:
        if change.action != ADDED:
            rows[change.kind.model].append(change.row.pk)
    for model, ids in rows.items():
        list(model._default_manager.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))
    locked = Tenant.objects.select_for_update(no_key=True).get(pk=plan.tenant.pk)
    if locked.catalog_version != plan.version:
        raise ProgrammeChanged


def _store_previous(tenant: Tenant, *, by: str, now: datetime) -> None:
    previous = {"text": programme_text(tenant), "replaced_by": by[:255], "replaced_at": now}
    PreviousProgramme.objects.update_or_create(tenant=tenant, defaults=previous)


def _write(change: Change, tenant: Tenant, *, now: datetime) -> None:
    if change.action == ADDED:
        change.kind.create(tenant=tenant, data={**change.fields, "id": change.row.pk}, now=now)
    else:
        change.kind.update(change.row, tenant=tenant, changes=change.fields, now=now)


def previous_programme(tenant: Tenant) -> PreviousProgramme:
    """Return what a rollback would restore. Raises: NoPreviousProgramme."""
    previous = PreviousProgramme.objects.filter(tenant=tenant).first()
    if previous is None:
        raise NoPreviousProgramme(tenant.slug)
    return previous


def plan_rollback(tenant: Tenant) -> Plan:
    """Return the changes that restore the previous programme. What was added since is archived, because nothing is deleted.

    Raises: NoPreviousProgramme.
    """
    return plan_import(tenant, read_stored_programme(previous_programme(tenant).text), prunes=True)
