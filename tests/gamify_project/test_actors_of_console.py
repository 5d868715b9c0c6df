"""Whatever the console lets staff do leaves the member of staff and the request, in a row that was written.

The site says itself what there is: the pages of objects, the actions of lists, and the forms that add, change and delete. The forms
are filled in by the names of their fields. A new page whose form has another field fails until VALUES has a value for it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin import AdminSite
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.test import RequestFactory
from django.urls import URLPattern, reverse
from django.utils import timezone

from gamify.badges.models import Badge
from gamify_project.models.second_factors import SecondFactor
from participants.api.kinds import kind_of
from participants.catalog import forget_catalog
from participants.models import Attributed, Participant, Tenant
from streaks.models import Streak
from streaks.services import CareRequest, freeze
from tests.console import Console, fields_of, sent_by
from tests.factories import BadgeFactory
from tests.gamify_project.console_world import REGISTERED, make_staff, make_world

pytestmark = pytest.mark.any_database

ATTRIBUTED: list[Any] = [model for model in apps.get_models() if issubclass(model, Attributed)]
VALUES: dict[str, Any] = {
    "amount": "5", "delta": "5", "reason": "r", "codes": "NEW-1", "is_sure": "on", "begin_0": "2026-01-01",
    "begin_1": "00:00", "change_reason": "r", "audit_reason": "r",
}  # fmt: skip
"""What is filled in, by the name of the field. Choices are filled in by themselves."""
EXCUSED = {
    "auth_user_reset_link": "makes a link; the audit trail names who made it",
    "auth_user_end_sessions": "ends sessions; the audit trail names who ended them",
    "axes_accessattempt_delete": "deletes the count of failed logins; the audit trail names who deleted it",
    "participants_membership_invite": "makes a link; the audit trail names who made it",
    "participants_participant_restore_streak": "the world has no run that could be restored",
    "periodic_tasks": "starts a task, which names itself in what it writes; the audit trail names who started it",
    "streaks_participantstreak_changelist nudge": "the world has no run at risk (tests/streaks/test_console_at_risk.py)",
    "streaks_participantstreak_changelist freeze": "the same",
    "streaks_amnesty_add": "is a page of two steps (tests/streaks/test_console_amnesties.py)",
    "rewards_claim_reveal": "shows a code",
    "rewards_rewardcode_reveal": "shows a code",
    "webhooks_endpoint_replay": "sends again what was written before",
    "webhooks_delivery_replay": "sends again what was written before",
}


@dataclass(frozen=True)
class Step:
    """Something that staff can do: its name, and how it is done in the world of this test."""

    name: str
    do: Callable[[Console], Any]
    prepare: Callable[[], Any] = lambda: None


def an_earned_badge() -> None:
    """The only active badge, for which all who ever earned a point are eligible."""
    Badge.objects.update(is_active=False)
    tenant = Participant.objects.filter(total_earned__gt=0)[0].tenant
    BadgeFactory(tenant=tenant, code="early", criteria={"metric": "total_earned", "min": 1})


def a_freeze() -> None:
    tenant = Participant.objects.get(external_id="ada").tenant
    freeze(tenant=tenant, request=CareRequest("ada", "daily", "r"), now=timezone.now())


def in_status(status: str) -> None:
    Streak.objects.update(status=status, is_active=status == "active")


PREPARATIONS: dict[str, Callable[[], Any]] = {
    "auth_user_remove_permissions": lambda: User.objects.get(username="member-of-acme").user_permissions.add(
        Permission.objects.all()[0]
    ),
    "auth_user_reset_second_factor": lambda: SecondFactor.objects.create(
        user=User.objects.create_user("colleague", is_staff=True), confirmed=True, created_at=timezone.now()
    ),
    "badges_badge_award_to_eligible": an_earned_badge,
    "participants_participant_lift_freeze": a_freeze,
    "participants_tenant_enable": lambda: Tenant.objects.update(is_active=False),
    "streaks_streak_resume": lambda: in_status("paused"),
    "streaks_streak_activate": lambda: in_status("draft"),
}
"""What must be done before an action makes sense, for actions that make no sense in the world."""


def preparation_of(name: str, model: Any) -> Callable[[], Any]:
    if name.endswith("_revert"):
        return lambda: rename(model._default_manager.order_by("pk").first())
    return PREPARATIONS.get(name, lambda: None)


def rename(row: Any) -> None:
    kind = kind_of(type(row))
    kind.update(row, tenant=row.tenant, changes={"name": "Renamed"}, now=timezone.now())


def page_steps() -> Iterator[Step]:
    """The pages of objects, such as “Award points”."""
    for model in REGISTERED:
        model_admin: Any = admin.site._registry[model]
        for page in getattr(model_admin, "get_object_pages", tuple)():
            name = f"{model._meta.app_label}_{model._meta.model_name}_{page.name}"
            yield Step(
                name,
                lambda console, page=page, model=model: act(console, page, model),
                preparation_of(name, model),
            )


def act(console: Console, page: Any, model: Any) -> Any:
    row = next((row for row in model._default_manager.order_by("pk") if page.is_offered(row)), None)
    if row is None:
        return "makes sense for no row; prepare one in PREPARATIONS"
    return console.client.post(page.url(row), {"confirmed": "yes", **filled_in(page.form_class(None, row=row))})


def filled_in(form: forms.Form) -> dict[str, Any]:
    return {name: value for bound in form for name, value in values_of(form, bound.name)}


def values_of(form: forms.Form, name: str) -> Iterator[tuple[str, Any]]:
    field, initial = form.fields[name], form[name].value()
    for part in (name, f"{name}_0", f"{name}_1"):
        if part in VALUES:
            yield part, VALUES[part]
    choices = [key for key, _ in getattr(field, "choices", ()) if key not in (None, "")]
    if name not in VALUES and (choices or initial is not None):
        yield name, choices[0] if choices else initial


def action_steps() -> Iterator[Step]:
    """The actions of lists, such as “Deactivate”, on all rows for which they make sense."""
    for model in REGISTERED:
        for action in admin.site._registry[model].actions or ():
            name = f"{model._meta.app_label}_{model._meta.model_name}_changelist"
            yield Step(
                f"{name} {action}",
                lambda console, action=action, model=model, name=name: switch(console, name, model, action),
                lambda model=model, action=action: half_active(model, action),
            )


def half_active(model: Any, action: str) -> None:
    rows = model._default_manager.all()
    if model is Streak:
        in_status("archived" if action == "activate" else "active")
    elif hasattr(model, "is_active"):
        rows.update(is_active=action != "activate")


def switch(console: Console, page: str, model: Any, action: str) -> Any:
    rows = [str(pk) for pk in model._default_manager.values_list("pk", flat=True)]
    return console.post(page, action=action, confirmed="yes", _selected_action=rows)


def form_steps(user: User) -> Iterator[Step]:
    """The forms that change, add and delete objects, of the models whose admins allow it."""
    request = RequestFactory().get("/")
    request.user = user
    request.session = {}
    for model in REGISTERED:
        model_admin: Any = admin.site._registry[model]
        page = f"{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.first()
        if model_admin.has_change_permission(request, row):
            yield Step(f"{page}_change", lambda console, page=page, row=row: change(console, f"{page}_change", row))
        if model_admin.has_delete_permission(request, row):
            yield Step(
                f"{page}_delete",
                lambda console, page=page, row=row: console.post(
                    f"{page}_delete", row.pk, post="yes", audit_reason="r"
                ),
            )
        if model_admin.has_add_permission(request):
            yield Step(f"{page}_add", lambda console, page=page, row=row: add(console, f"{page}_add", row))


RENAMED = {**dict.fromkeys(("name", "display_name", "description", "first_name"), "Renamed"), "role": "editor"}
"""What a change fills in, by the name of the field: only the first of these that the form has."""


def change(console: Console, page: str, row: Any) -> Any:
    shown = sent_by(console.get(page, row.pk, edit="1"))
    name = next((each for each in RENAMED if each in shown), None)
    if name is None:
        return f"RENAMED has none of {sorted(shown)}"
    return console.post(page, row.pk, **shown | {name: RENAMED[name]})


NEW: dict[str, Any] = {
    "code": "brand_new", "status": "active", "name": "Brand new", "level": "7", "multiplier": "2", "url": "http://127.0.0.1:9/new",
    "event_types": "points.*", "slug": "brand-new", "username": "newcomer", "reason": "r", "external_id": "newcomer",
    "creates": "on", "password1": "correct horse battery", "password2": "correct horse battery", "usable_password": "true",
}  # fmt: skip
"""What new objects are given, by the name of the field. Everything else is as in the first object of their kind."""


def add(console: Console, page: str, row: Any) -> Any:
    answer = console.get(page)
    if "adminform" not in answer.context:
        return "a page of its own kind"
    form = answer.context["adminform"].form
    shown = sent_by(answer)
    like = sent_by(console.get(page.removesuffix("_add") + "_change", row.pk, edit="1")) if row else {}
    new = {name: value for name, value in NEW.items() if name in form.fields}
    return console.post(page, **shown | {name: value for name, value in like.items() if name != "change_reason"} | new)


OF_THE_USER = {
    "pick_tenant", "login_code", "set_up_second_factor", "account", "recovery_codes", "log_out_everywhere",
}  # fmt: skip
"""Pages of the site that concern the session and the login of the user alone."""
READS = {"search", "activity", "programme_export", "exports_export_file"}
UNDO = {"kind": "api_key", "actor_id": "1", "since_0": "2026-01-01", "since_1": "00:00"}


def site_steps(world: Tenant) -> Iterator[Step]:
    """The pages that belong to no model."""
    names = {pattern.name for pattern in admin.site.get_urls() if isinstance(pattern, URLPattern)}
    of_django = {pattern.name for pattern in AdminSite().get_urls() if isinstance(pattern, URLPattern)}
    steps = {
        "programme": lambda console: imported(console, "version: 1\nbadges:\n  - {code: imported, name: Imported}\n"),
        "export_new": lambda console: console.client.post(
            reverse("admin:export_new", args=["ledger"]), {"format": "csv"}
        ),
        "periodic_tasks": lambda console: console.post("periodic_tasks", task="points.expire"),
        "undo": lambda console: console.post("undo", **UNDO),
        "undo_report": lambda console: console.client.post(console.post("undo", **UNDO)["Location"]),
    }
    assert names - of_django - {"app_list"} == steps.keys() | OF_THE_USER | READS
    yield from (Step(name, do) for name, do in steps.items())


def imported(console: Console, text: str) -> Any:
    html = console.post("programme", source="file", text=text).content.decode()
    return console.post("programme", **fields_of(html[html.index("console-wide") :]), apply="yes")


def test_everything_that_staff_can_do_names_them_and_the_request(db):
    world, owner = make_world(), make_staff("superuser")
    console = Console(world, user=owner)
    steps = [*page_steps(), *action_steps(), *form_steps(owner), *site_steps(world)]
    nameless = {}
    for number, step in enumerate(steps):
        wanted = {"actor": f"staff:{owner.pk}", "request_id": f"step-{number}"}
        console.client.defaults["HTTP_X_REQUEST_ID"] = wanted["request_id"]
        with transaction.atomic():
            step.prepare()
            forget_catalog(world)
            answer = step.do(console)
            if not any(model.objects.filter(**wanted).exists() for model in ATTRIBUTED):
                nameless[step.name] = problems_of(answer)
            transaction.set_rollback(True)
        forget_catalog(world)

    problems = {name: why for name, why in nameless.items() if name not in EXCUSED}
    assert not problems, "\n".join(f"{name}: {why}" for name, why in problems.items())
    assert nameless.keys() == EXCUSED.keys()
    assert len(steps) > 60


def problems_of(answer: Any) -> tuple[int, str] | str:
    """The status, and what a form says is wrong, so that a failure names what VALUES lacks."""
    if isinstance(answer, str):
        return answer
    context = answer.context or {}
    form = context["adminform"].form if "adminform" in context else context.get("form")
    return answer.status_code, "" if form is None else str(dict(form.errors))
