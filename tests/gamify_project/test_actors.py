"""Every way into the product names an actor. A new route, task or command without one fails here, or with its first write."""

import sys
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone

import manage
from gamify.points.services import Change, award
from gamify.webhooks.models import Delivery
from gamify_project import urls
from gamify_project.celery import SweepTask, app
from participants.actors import current_actor
from participants.api.authentication import CallerAuthentication
from participants.models import Attributed, ConfigurationChange, DomainEvent
from tests.client import Api
from tests.console import Console
from tests.factories import made_key, objective

ATTRIBUTED: list[Any] = [model for model in apps.get_models() if issubclass(model, Attributed)]
WRITES_NO_SUCH_ROW = {
    ("post", "admin/rules/simulate"): "writes nothing",
    ("post", "admin/webhooks/<str:webhook_id>/replay"): "sends again what was written before",
    (
        "post",
        "admin/webhooks/<str:webhook_id>/deliveries/<str:delivery_id>/replay",
    ): "sends again what was written before",
}


def routes(patterns: Any, prefix: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield (method, route, view) of every operation that is no read."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            for method in getattr(pattern.callback, "actions", None) or ():
                if method != "get":
                    yield method, prefix + str(pattern.pattern), pattern.callback.cls


GAMIFY_WRITES = {(method, route) for method, route, _ in routes(urls.gamify)}


def steps() -> Iterator[tuple[str, str, dict[str, str], Any, str]]:
    """Yield (method, route, names of ids by parameter, body, name of the new id) in an order in which they succeed."""
    kinds: dict[str, dict[str, Any]] = {
        "badges": {"code": "fan", "name": "Fan"},
        "boosts": {"code": "double", "name": "Double", "multiplier": 2},
        "challenges": {"code": "quest", "name": "Quest", "objectives": [objective("visit")], "enrolment": "manual"},
        "leaderboards": {"code": "board", "name": "Board", "metric": "points_earned"},
        "rewards": {"name": "Mug", "type": "coupon"},
        "rules": {"code": "r", "name": "R", "when": {"event_types": ["x"]}, "then": [{"type": "points", "amount": 1}]},
        "streaks": {"code": "daily", "name": "Daily", "fact_type": "visit"},
        "tiers": {"code": "gold", "name": "Gold", "level": 3, "award_type": "manual"},
    }
    yield "post", "participants", {}, {"participant_id": "ada", "display_name": "Ada"}, ""
    yield "patch", "participants/<pid:participant_id>", {"participant_id": "ada"}, {"display_name": "A."}, ""
    for name, body in kinds.items():
        yield "post", f"admin/{name}", {}, body, name
        yield "patch", f"admin/{name}/<str:definition_id>", {"definition_id": name}, {"name": "Other"}, ""
    yield "post", "admin/programme", {}, b"version: 1\nbadges:\n  - {code: imported, name: Imported}\n", ""
    yield "post", "admin/exports", {}, {"kind": "ledger"}, ""
    yield "post", "admin/rules/simulate", {}, {"event": {"event_name": "x"}}, ""
    reward = {"reward_id": "rewards"}
    yield "post", "admin/rewards/<str:definition_id>/codes", {"definition_id": "rewards"}, {"codes": ["A1", "A2"]}, ""
    for name in ("first claim", "second claim"):
        yield (
            "patch",
            "admin/rewards/<str:definition_id>",
            {"definition_id": "rewards"},
            {"max_claims_per_user": 9, "description": name},
            "",
        )
        yield "post", "rewards/<str:reward_id>/claim", reward, {"participant_id": "ada"}, name
    yield "post", "admin/claims/<str:claim_id>/cancel", {"claim_id": "first claim"}, {"reason": "r"}, ""
    yield "post", "admin/claims/<str:claim_id>/fulfil", {"claim_id": "second claim"}, {"reason": "r"}, ""
    person = {"participant_id": "ada"}
    yield "post", "badges/award", {}, person | {"badge_code": "fan"}, ""
    yield "post", "challenges/<pid:code>/enroll", {"code": "quest"}, person, ""
    yield "post", "events", {}, person | {"event_name": "visit"}, "event"
    yield "post", "events/batch", {}, {"events": [person | {"event_name": "visit"}]}, ""
    yield "post", "admin/events/<str:event_id>/reverse", {"event_id": "event"}, {"reason": "r"}, ""
    yield "post", "points/award", {}, person | {"amount": 50}, "entry"
    yield "post", "points/deduct", {}, person | {"amount": 5}, ""
    yield "post", "points/award-batch", {}, {"awards": [person | {"amount": 5}]}, ""
    yield "post", "admin/transactions/<str:transaction_id>/reverse", {"transaction_id": "entry"}, {"reason": "r"}, ""
    yield "post", "tiers/assign", {}, person | {"tier_code": "gold", "reason": "r"}, ""
    yield "post", "streaks/record", {}, {"participant_id": "bob", "streak_code": "daily"}, ""
    care = {"participant_id": "ada", "code": "daily"}
    frozen = {"from": "2026-01-01", "to": "2026-01-02", "reason": "r"}
    yield "post", "admin/participants/<pid:participant_id>/streaks/<pid:code>/freeze", care, frozen, ""
    for action in ("pause", "resume", "archive"):
        yield "post", f"admin/streaks/<str:definition_id>/{action}", {"definition_id": "streaks"}, {}, ""
    again = {"is_active": True}  # so that the DELETE below changes it
    yield "patch", "admin/streaks/<str:definition_id>", {"definition_id": "streaks"}, again, ""
    days = {"name": "Outage", "from": "2026-01-01", "to": "2026-01-02", "reason": "r"}
    yield "post", "admin/amnesties", {}, days, "amnesty"
    yield "delete", "admin/amnesties/<str:amnesty_id>", {"amnesty_id": "amnesty"}, None, ""
    hook = {"webhook_id": "webhook"}
    yield "post", "admin/webhooks", {}, {"url": "http://127.0.0.1:9/hook", "event_types": ["*"]}, "webhook"
    yield "patch", "admin/webhooks/<str:webhook_id>", hook, {"description": "d"}, ""
    yield "post", "admin/webhooks/<str:webhook_id>/test", hook, {}, ""
    yield "post", "admin/webhooks/<str:webhook_id>/rotate-secret", hook, {}, ""
    yield "post", "admin/webhooks/<str:webhook_id>/replay?from=2026-01-01T00:00:00Z", hook, {}, ""
    replay = "admin/webhooks/<str:webhook_id>/deliveries/<str:delivery_id>/replay"
    yield "post", replay, hook | {"delivery_id": "delivery"}, {}, ""
    yield "delete", "admin/webhooks/<str:webhook_id>", hook, None, ""
    for name in kinds:
        yield "delete", f"admin/{name}/<str:definition_id>", {"definition_id": name}, None, ""
    yield "post", "admin/undo", {}, {"cause": {"kind": "import", "id": "x"}, "since": "2026-01-01T00:00:00Z"}, ""
    yield "delete", "admin/participants/<pid:participant_id>", {"participant_id": "ada"}, None, ""


RESTORE = (
    "post",
    "admin/participants/<pid:participant_id>/streaks/<pid:code>/restore",
)  # tests/streaks/test_care_api.py


def test_every_write_of_the_api_names_the_key_and_the_request(tenant):
    key = made_key(tenant, "admin")
    api, ids, done = Api(key.key), {}, set()

    for number, (method, route, names, body, new_id) in enumerate(steps()):
        if "delivery_id" in names:
            ids["delivery"] = str(Delivery.objects.first().pk)
        path = route
        for parameter, name in names.items():
            path = path.replace(f"<str:{parameter}>", ids.get(name, name)).replace(f"<pid:{parameter}>", name)
        kind = "application/yaml" if isinstance(body, bytes) else "application/json"
        headers = {"X-Request-Id": f"step-{number}"}
        answer = api.send(method.upper(), f"/{path}", body, headers=headers, content_type=kind)

        assert answer.status_code < 300, (method, path, answer.content)
        operation = (method, route.partition("?")[0])
        done.add(operation)
        if operation not in WRITES_NO_SUCH_ROW:
            wanted = {"actor": f"api_key:{key.row.pk}", "request_id": f"step-{number}"}
            assert any(model.objects.filter(**wanted).exists() for model in ATTRIBUTED), operation
        if new_id:
            found = answer.json()
            ids[new_id] = next(
                str(found[each]) for each in ("id", "event_id", "claim_id", "transaction_id") if each in found
            )

    assert done | {RESTORE} == GAMIFY_WRITES


def test_every_write_of_both_apis_authenticates_a_caller_who_becomes_the_actor():
    views = {view for pattern in (urls.gamify, urls.phoenix) for _, _, view in routes(pattern)}

    assert len(views) > 20
    for view in views:
        assert all(issubclass(each, CallerAuthentication) for each in view.authentication_classes), view


def test_every_task_acts_as_itself(db):
    seen = []

    @app.task(name="tests.look")
    def look() -> None:
        seen.append(current_actor())

    look()

    assert (seen[0].key, seen[0].label) == ("sweep:tests.look", "tests.look")
    assert all(isinstance(task, SweepTask) for task in app.tasks.values() if not task.name.startswith("celery."))


def test_every_command_acts_as_itself(db, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["manage.py", "create_tenant", "hooli"])
    monkeypatch.setattr("django.core.management.base.connections.close_all", lambda: None)  # the test's own one

    manage.main()

    change = ConfigurationChange.objects.get()
    assert (change.actor, change.actor_label) == ("command:create_tenant", "create_tenant")


def test_every_page_of_the_console_acts_as_its_user(tenant):
    console = Console(tenant)
    award(tenant=tenant, change=Change("ada", 5), now=timezone.now())
    participant = DomainEvent.objects.first().participant_id

    console.post("participants_participant_award", participant, amount="7", reason="r", idempotency_key="k")

    event = DomainEvent.objects.filter(type="points.awarded").latest("id")
    assert event.actor_json == {"kind": "staff", "id": str(console.user.pk), "label": "ops"}
    assert event.request_id
    assert reverse("admin:index") == settings.CONSOLE_PREFIX


def test_the_tables_whose_rows_name_an_actor():
    assert {model.__name__ for model in ATTRIBUTED} == {
        "DomainEvent", "ConfigurationChange", "Event", "LedgerEntry", "BadgeAward", "TierChange", "Claim",
        "StreakPause", "Amnesty", "Export", "Undo", "LadderRun",
    }  # fmt: skip
