"""The OpenAPI document is complete and valid, and matches what the product does."""

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from gamify.badges.services import BadgeWithoutCriteria
from gamify.facts.engine.outcomes import GrantRefused
from gamify.leaderboards.services import create_leaderboard
from gamify.points.services.limiting import DailyLimitReached
from gamify.webhooks.api.streaming import _slots
from gamify.webhooks.models import Delivery, Endpoint
from gamify.webhooks.services import assign_all_positions, create_endpoint
from gamify_project.backups import BackupRefused
from gamify_project.dialects import is_admin_gateway
from gamify_project.exports.archive.manifest import ArchiveRefused
from gamify_project.exports.models import Export
from gamify_project.exports.requests import checked_request
from gamify_project.exports.services import create_export
from gamify_project.exports.tasks import build
from gamify_project.memberships import OwnRole
from gamify_project.openapi.components import PARAMETERS
from gamify_project.openapi.operations import document_errors
from gamify_project.programme.services import NoPreviousProgramme
from gamify_project.undo.models import Undo
from gamify_project.undo.running import run
from gamify_project.undo.services import Cause, PreviewNotDone, UndoRequest, store
from participants.api.schema import ERRORS
from participants.causes import CannotBeTakenBack
from participants.errors import DomainError, ParticipantNotFound
from participants.events import event_types
from participants.management.imports.reading import FileRefused
from participants.models import Participant, Tenant
from participants.services.hmac import HmacSecretNotFound
from participants.services.keys import ApiKeyAmbiguous, ApiKeyNotFound
from participants.services.memberships import AlreadyMember, MembershipNotFound
from participants.services.tenants import TenantNotFound, TenantSlugConflict
from rewards.models import Claim
from rewards.services import claim, create_reward
from streaks.models import Amnesty
from streaks.services import create_streak, declare_amnesty, record
from streaks.services.care import FreezeNotFound, NotAtRisk
from tests.client import Api
from tests.factories import (
    BadgeAwardFactory,
    BadgeFactory,
    BoostFactory,
    ChallengeFactory,
    EventFactory,
    LedgerEntryFactory,
    ParticipantFactory,
    RuleFactory,
    TierFactory,
)

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
EVENT = {"participant_id": "user_123", "event_name": "login"}
POINTS = {"type": "points", "amount": 1}
REWARD = {"name": "10% Off Coupon", "reward_type": "coupon", "points_cost": 500, "max_claims_per_user": None}
BOARD = {"code": "weekly", "name": "Weekly"}
STREAK = {"code": "daily_login", "name": "Daily Login", "event_types": ["login"]}

# Errors of commands and the console, and errors that only appear in decision traces and in reports of undos.
NOT_ON_THE_WIRE = (
    CannotBeTakenBack,
    AlreadyMember,
    ApiKeyAmbiguous,
    ApiKeyNotFound,
    DailyLimitReached,
    FileRefused,
    FreezeNotFound,
    HmacSecretNotFound,
    MembershipNotFound,
    GrantRefused,
    NoPreviousProgramme,
    NotAtRisk,
    OwnRole,
    PreviewNotDone,
    ArchiveRefused,
    BackupRefused,
    BadgeWithoutCriteria,
    TenantNotFound,
    TenantSlugConflict,
)
ALWAYS = {"401", "403", "429", "500", "503"}
WITH_BODY = {"400", "413", "415", "422"}
DEFINITION_ID = PARAMETERS["definition_id"]["example"]
AMNESTY_ID = PARAMETERS["amnesty_id"]["example"]


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    spec: Mapping[str, Any]

    @property
    def example_path(self) -> str:
        values = {
            "participant_id": "user_123",
            "definition_id": DEFINITION_ID,
            "amnesty_id": AMNESTY_ID,
            "event_id": PARAMETERS["event_id"]["example"],
            "reward_id": PARAMETERS["reward_id"]["example"],
            "claim_id": PARAMETERS["claim_id"]["example"],
            "transaction_id": PARAMETERS["transaction_id"]["example"],
            "webhook_id": PARAMETERS["webhook_id"]["example"],
            "delivery_id": PARAMETERS["delivery_id"]["example"],
            "export_id": PARAMETERS["export_id"]["example"],
            "undo_id": PARAMETERS["undo_id"]["example"],
            "code": "weekly",
            "tenant_id": "acme",
            "user_id": "user_123",
        }
        return self.path.format(**values)

    @property
    def success(self) -> str:
        return next(status for status in self.spec["responses"] if status < "300")

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The body in JSON. None if there is no body, or one in another format."""
        return self.bodies.get("application/json")

    @property
    def bodies(self) -> Mapping[str, Any]:
        """The bodies by media type."""
        return self.spec.get("requestBody", {}).get("content", {})

    def example_requests(self) -> Iterator[dict[str, Any]]:
        """Yield what to send for each example of a body, or one request without a body."""
        media_type = next(iter(self.bodies), None)
        if media_type is None:
            yield {"body": None}
            return
        for example in self.bodies[media_type]["examples"].values():
            value = example["value"]
            yield {"body": value.encode() if isinstance(value, str) else value, "content_type": media_type}

    @property
    def answer(self) -> Mapping[str, Any]:
        (content,) = self.spec["responses"][self.success]["content"].values()
        return content

    @property
    def query(self) -> str:
        """Return the required part."""
        needed = [
            each for each in self.spec.get("parameters", ()) if each.get("in") == "query" and each.get("required")
        ]
        return "?" + "&".join(f"{each['name']}=2026-02-14T10:00:00Z" for each in needed) if needed else ""

    def errors(self, status: str) -> Mapping[str, Any]:
        return _resolved(self.spec["responses"][status])


@cache
def document() -> Mapping[str, Any]:
    return SchemaGenerator().get_schema(public=True)


@cache
def operations() -> Mapping[str, Operation]:
    return {
        spec["operationId"]: Operation(method.upper(), path, spec)
        for path, methods in document()["paths"].items()
        for method, spec in methods.items()
    }


def _resolved(thing: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in thing:
        return thing
    found: Any = document()
    for name in thing["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


@cache
def _strict() -> Mapping[str, Any]:
    """The document with closed objects: a field that it does not name is an error."""
    strict = deepcopy(dict(document()))
    for schema in strict["components"]["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return strict


def problems(value: Any, schema: Mapping[str, Any]) -> list[str]:
    validator = Draft202012Validator({**_strict(), **schema}, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def define_what_examples_name(tenant: Tenant, *, but: str) -> None:
    """Create the definitions that the examples name, with their ids, except for the one that the example creates."""
    makers: Mapping[str, Callable[[], Any]] = {
        "badge": lambda: BadgeFactory(tenant=tenant, code="streak_master"),
        "rule": lambda: RuleFactory(tenant=tenant),
        "streak": lambda: create_streak(tenant=tenant, data=STREAK, now=NOW),
        "tier": lambda: TierFactory(tenant=tenant, code="platinum"),
        "boost": lambda: BoostFactory(tenant=tenant),
        "challenge": lambda: ChallengeFactory(tenant=tenant, code="weekly"),
        "leaderboard": lambda: create_leaderboard(tenant=tenant, data=BOARD, now=NOW),
        "reward": lambda: create_reward(tenant=tenant, data=REWARD, now=NOW),
    }
    for noun, make in makers.items():
        if but != f"create_{noun}":
            definition = make()
            type(definition).objects.filter(id=definition.id).update(id=DEFINITION_ID)
    if but != "create_streak":
        tenant.refresh_from_db()
        record(tenant=tenant, participant_id="user_123", streak_code="daily_login", at=NOW, now=NOW)
    give_what_care_is_about(tenant)
    give_a_webhook(tenant)
    give_an_export(tenant)
    if but != "undo_cause":
        give_an_undo(tenant)
    user = Participant.objects.get(tenant=tenant, external_id="user_123")
    EventFactory(id=PARAMETERS["event_id"]["example"], participant=user)
    LedgerEntryFactory(id=PARAMETERS["transaction_id"]["example"], participant=user)
    if but != "create_reward":
        claimed = claim(tenant=tenant, reward_id=str(DEFINITION_ID), participant_id="user_123", now=NOW)
        Claim.objects.filter(id=claimed.claim_id).update(id=PARAMETERS["claim_id"]["example"])


def give_an_export(tenant: Tenant) -> None:
    """An export that is done."""
    export = create_export(tenant=tenant, wanted=checked_request({"kind": "ledger"}), now=NOW)
    Export.objects.filter(pk=export.pk).update(id=PARAMETERS["export_id"]["example"])
    build()


def give_a_webhook(tenant: Tenant) -> None:
    """A webhook with a delivery of an existing event."""
    data = {"url": "https://shop.example/hooks/gamify", "event_types": ["*"]}
    created = create_endpoint(tenant=tenant, data=data, now=NOW).endpoint
    Endpoint.objects.filter(pk=created.pk).update(id=PARAMETERS["webhook_id"]["example"])
    assign_all_positions(now=NOW)
    first = Delivery.objects.order_by("pk").first()
    assert first
    Delivery.objects.all().update(endpoint_id=PARAMETERS["webhook_id"]["example"])
    Delivery.objects.filter(pk=first.pk).update(id=PARAMETERS["delivery_id"]["example"])


def give_an_undo(tenant: Tenant) -> None:
    """An undo of a cause that wrote nothing."""
    request = UndoRequest(Cause("api_key", "unknown"), since=NOW - timedelta(days=1))
    undo = store(tenant=tenant, request=request, now=NOW)
    for _ in run(undo):
        pass
    Undo.objects.filter(pk=undo.pk).update(id=PARAMETERS["undo_id"]["example"])


def give_what_care_is_about(tenant: Tenant) -> None:
    """A broken run in a separate streak, and an amnesty."""
    weekly = {"code": "weekly", "name": "Weekly", "event_types": ["weekly"], "period": "weekly"}
    create_streak(tenant=tenant, data=weekly, now=NOW)
    tenant.refresh_from_db()
    record(tenant=tenant, participant_id="user_123", streak_code="weekly", at=NOW - timedelta(days=28), now=NOW)
    day = NOW.date()
    codes: dict[str, Any] = {"timezone": "UTC", "streak_codes": None, "reason": "a"}
    amnesty = declare_amnesty(tenant=tenant, data={"name": "Outage", "from_on": day, "to_on": day, **codes}, now=NOW)
    Amnesty.objects.filter(id=amnesty.id).update(id=AMNESTY_ID)


@pytest.fixture
def everyone(admin_api: Api, tenant: Tenant, settings: Any) -> Api:
    """An admin key, for documented paths, and the participant of the examples, who has a badge."""
    settings.FEED_STREAMS = 1
    _slots.cache_clear()
    user = ParticipantFactory(tenant=tenant, external_id="user_123", points=1000)
    BadgeAwardFactory(participant=user, badge__code="power_user")
    return Api(admin_api.key, base="")


each_operation = pytest.mark.parametrize("name", [
    "award_points", "award_points_in_batch", "deduct_points", "get_points", "list_transactions", "reverse_transaction",
    "list_boost_definitions", "create_boost", "get_boost", "update_boost", "deactivate_boost",
    "emit_event", "emit_events_in_batch", "explain_event", "list_events", "reverse_event",
    "register_participant", "get_profile", "update_profile", "get_state", "list_participants", "delete_participant",
    "award_badge", "list_badges",
    "list_badge_definitions", "create_badge", "get_badge", "update_badge", "deactivate_badge",
    "record_streak", "list_streaks", "get_streak_calendar",
    "list_rule_definitions", "create_rule", "get_rule", "update_rule", "deactivate_rule", "simulate_event",
    "list_streak_definitions", "create_streak", "get_streak", "update_streak", "deactivate_streak",
    "pause_streak", "resume_streak", "archive_streak", "freeze_streak", "restore_streak",
    "list_amnesties", "declare_amnesty", "get_amnesty", "undo_amnesty",
    "list_tenant_streaks", "list_all_streaks", "create_tenant_streak", "get_tenant_streak", "update_tenant_streak",
    "set_tenant_streak_status", "archive_tenant_streak",
    "list_active_streaks", "list_user_streaks", "get_user_streak", "get_user_streak_by_definition",
    "list_rewards", "claim_reward", "list_claims",
    "list_reward_definitions", "create_reward", "get_reward", "update_reward", "deactivate_reward",
    "add_reward_codes", "cancel_claim", "fulfil_claim",
    "assign_tier", "get_tier_standing",
    "list_tier_definitions", "create_tier", "get_tier", "update_tier", "deactivate_tier",
    "list_challenges", "enroll_in_challenge", "list_participant_challenges",
    "list_challenge_definitions", "create_challenge", "get_challenge", "update_challenge", "deactivate_challenge",
    "read_leaderboard", "read_leaderboard_rank",
    "list_leaderboard_definitions", "create_leaderboard", "get_leaderboard", "update_leaderboard", "deactivate_leaderboard",
    "list_webhooks", "create_webhook", "get_webhook", "update_webhook", "delete_webhook", "test_webhook",
    "rotate_webhook_secret", "replay_webhook", "list_webhook_deliveries", "replay_webhook_delivery",
    "read_feed", "stream_feed",
    "export_programme", "import_programme",
    "list_activity", "list_changes", "export_participant",
    "create_export", "list_exports", "read_export", "fetch_export",
    "undo_cause", "read_undo", "list_kept_by_undo",
])  # fmt: skip


def test_these_are_the_operations() -> None:
    assert set(operations()) == set(each_operation.args[1])


def test_the_document_is_valid_openapi_3_1_without_a_warning() -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=os.devnull)

    assert document()["openapi"] == "3.1.0"


def test_the_webhooks_are_the_types_of_event_each_with_an_example_that_fits_its_schema() -> None:
    webhooks = document()["webhooks"]

    assert set(webhooks) == set(event_types)
    for name, path in webhooks.items():
        body = path["post"]["requestBody"]["content"]["application/json"]
        assert problems(body["example"], body["schema"]) == [], name
        assert set(body["schema"]["properties"]["data"]["properties"]) == set(event_types[name].fields)


def test_the_version_is_the_product_s() -> None:
    project = tomllib.loads((Path(settings.BASE_DIR) / "pyproject.toml").read_text())["project"]

    assert document()["info"]["version"] == project["version"]


@each_operation
def test_an_operation_says_what_it_does(name: str) -> None:
    spec = operations()[name].spec

    assert spec["summary"]
    assert spec["description"].endswith(".")
    assert set(spec["tags"]) <= {tag["name"] for tag in document()["tags"] if tag["description"]}


@each_operation
def test_both_key_headers_are_documented_and_admin_operations_name_the_scope(name: str) -> None:
    operation = operations()[name]
    roles = ["admin"] if "/admin/" in operation.path or is_admin_gateway(operation.path) else []
    is_query_gateway = operation.path.startswith("/v1/") and not is_admin_gateway(operation.path)
    signed = [{"PartnerTenant": [], "PartnerTimestamp": [], "PartnerSignature": []}] if is_query_gateway else []

    assert operation.spec["security"] == [*signed, {"ApiKey": roles}, {"BearerKey": roles}]


@each_operation
def test_every_parameter_is_described(name: str) -> None:
    for parameter in map(_resolved, operations()[name].spec.get("parameters", ())):
        assert parameter["description"]
        assert parameter["schema"]["type"]


@pytest.mark.parametrize(
    "name", ["award_points", "award_points_in_batch", "deduct_points", "assign_tier", "emit_event"]
)
def test_operations_that_honour_an_idempotency_key_say_so(name: str) -> None:
    operation = operations()[name]

    assert "Idempotency-Key" in {parameter.get("name") for parameter in operation.spec["parameters"]}
    assert "Idempotency-Replayed" in operation.spec["responses"]["200"]["headers"]
    assert "IDEMPOTENCY_KEY_INVALID" in operation.errors("400")["content"]["application/json"]["examples"]
    assert "IDEMPOTENCY_KEY_REUSED" in operation.errors("422")["content"]["application/json"]["examples"]


def test_a_list_in_the_query_is_separated_by_commas() -> None:
    include = next(p for p in operations()["get_state"].spec["parameters"] if p.get("name") == "include")

    assert include["explode"] is False
    assert set(include["schema"]["items"]["enum"]) == set(
        document()["components"]["schemas"]["State"]["properties"]
    ) - {"participant_id"}


def test_the_path_of_a_participant_is_percent_encoded() -> None:
    parameter = _resolved(operations()["get_profile"].spec["parameters"][0])

    assert "percent-encoded" in parameter["description"]
    assert parameter["schema"]["pattern"] == ".+"


@pytest.mark.parametrize(("component", "name"), [
    (component, name)
    for component, schema in document()["components"]["schemas"].items()
    for name in schema.get("properties", ())
])  # fmt: skip
def test_every_field_is_described(component: str, name: str) -> None:
    schema = document()["components"]["schemas"][component]

    assert schema["properties"][name].get("description") or (component.endswith("Page") and name == "items")


@each_operation
def test_every_answer_has_its_headers_and_every_error_its_examples(name: str) -> None:
    operation = operations()[name]

    with_body = WITH_BODY - ({"422"} if operation.path.startswith("/v1/") else set())
    assert set(operation.spec["responses"]) >= ALWAYS | (with_body if operation.bodies else set())
    for status, response in operation.spec["responses"].items():
        (content,) = _resolved(response)["content"].values()
        assert "X-Request-Id" in _resolved(response)["headers"]
        for example in content["examples"].values():
            assert problems(example["value"], content["schema"]) == [], (status, example)
    assert {"Retry-After", "X-RateLimit-Limit"} <= set(operation.errors("429")["headers"])


@each_operation
def test_the_example_of_a_body_is_accepted_and_answered_as_documented(name: str, everyone: Api, tenant: Tenant) -> None:
    operation = operations()[name]
    define_what_examples_name(tenant, but=name)

    for request in operation.example_requests():
        response = everyone.send(operation.method, operation.example_path + operation.query, **request)

        if response.streaming or response.headers["Content-Type"] != "application/json":
            assert response.headers["Content-Type"] in operation.spec["responses"]["200"]["content"]
            continue  # a stream would occupy its thread for a while, and a file has no schema
        assert response.status_code == int(operation.success), response.content
        assert problems(response.json(), operation.answer["schema"]) == []
        documented = set(_resolved(operation.spec["responses"][operation.success])["headers"])
        assert {header for header in response.headers if header.startswith("X-R")} <= documented


@pytest.mark.parametrize(("name", "status", "code", "sent"), [
    ("award_points", 401, "unauthorized", {"headers": {"X-API-Key": ""}}),
    ("award_points", 401, "unauthorized", {"headers": {"X-API-Key": "bq_live_unknown"}}),
    ("award_points", 400, "malformed_json", {"body": b"?"}),
    ("award_points", 413, "payload_too_large", {"body": b" " * (1024 * 1024 + 1)}),
    ("award_points", 415, "unsupported_media_type", {"body": b"?", "content_type": "text/plain"}),
    ("award_points", 400, "IDEMPOTENCY_KEY_INVALID", {"headers": {"Idempotency-Key": "a b"}}),
    ("award_points", 400, "IDEMPOTENCY_KEY_MISMATCH", {"headers": {"Idempotency-Key": "another"}}),
    ("award_points_in_batch", 400, "IDEMPOTENCY_KEY_INVALID", {"headers": {"Idempotency-Key": "a b"}}),
    ("emit_event", 400, "IDEMPOTENCY_KEY_INVALID", {"headers": {"Idempotency-Key": "a b"}}),
    ("emit_event", 400, "IDEMPOTENCY_KEY_MISMATCH", {"headers": {"Idempotency-Key": "another"}}),
    ("emit_event", 422, "validation_error", {"change": {"timestamp": "9999-01-01T00:00:00Z"}}),
    ("emit_events_in_batch", 422, "unprocessable_entity", {"change": {"events": [EVENT] * 101}}),
    ("explain_event", 404, "event_not_found", {}),
    ("claim_reward", 404, "reward_not_found", {}),
    ("add_reward_codes", 404, "reward_not_found", {}),
    ("cancel_claim", 404, "claim_not_found", {}),
    ("fulfil_claim", 404, "claim_not_found", {}),
    ("create_reward", 422, "validation_error", {"change": {"name": "x" * 101}}),
    ("list_events", 422, "validation_error", {"query": "?from_date=yesterday"}),
    ("list_events", 422, "validation_error", {"query": "?page_size=101"}),
    ("get_profile", 422, "validation_error", {"path": "/api/v1/gamify/participants/" + "x" * 256}),
    ("get_profile", 404, "participant_not_found", {"deleted": True}),
    ("update_profile", 404, "participant_not_found", {"deleted": True}),
    ("delete_participant", 404, "participant_not_found", {"deleted": True}),
    ("get_state", 422, "validation_error", {"query": "?include=friends"}),
    ("list_transactions", 422, "validation_error", {"query": "?page_size=101"}),
    ("list_participants", 422, "validation_error", {"query": "?page_size=101"}),
    ("award_badge", 404, "badge_not_found", {"body": {"participant_id": "user_123", "badge_code": "unknown_badge"}}),
    ("create_badge", 400, "badge_code_conflict", {"twice": True}),
    ("get_badge", 404, "badge_not_found", {}),
    ("update_badge", 404, "badge_not_found", {}),
    ("deactivate_badge", 404, "badge_not_found", {}),
    ("assign_tier", 400, "IDEMPOTENCY_KEY_INVALID", {"headers": {"Idempotency-Key": "a b"}}),
    ("assign_tier", 404, "tier_not_found", {}),
    ("create_boost", 400, "boost_code_conflict", {"twice": True}),
    ("get_boost", 404, "boost_not_found", {}),
    ("reverse_transaction", 404, "transaction_not_found", {}),
    ("award_points", 422, "validation_error", {"change": {"expires_at": "2020-01-01T00:00:00Z"}}),
    ("get_points", 422, "validation_error", {"query": "?at=2199-01-01T00:00:00Z"}),
    ("create_tier", 400, "tier_code_conflict", {"twice": True}),
    ("create_tier", 422, "validation_error", {"change": {"name": "x" * 101}}),
    ("get_tier", 404, "tier_not_found", {}),
    ("update_tier", 404, "tier_not_found", {}),
    ("update_tier", 422, "validation_error", {"defined": True, "change": {"name": "x" * 101}}),
    ("deactivate_tier", 404, "tier_not_found", {}),
    ("create_rule", 400, "rule_code_conflict", {"twice": True}),
    ("create_rule", 422, "validation_error", {"change": {"then": [POINTS, {"type": "badge", "code": "gone"}]}}),
    ("get_rule", 404, "rule_not_found", {}),
    ("update_rule", 404, "rule_not_found", {}),
    ("deactivate_rule", 404, "rule_not_found", {}),
    ("simulate_event", 422, "validation_error", {"change": {"event": {**EVENT, "timestamp": "9999-01-01T00:00:00Z"}}}),
    ("list_tier_definitions", 422, "validation_error", {"query": "?page_size=101"}),
    ("create_challenge", 400, "challenge_code_conflict", {"twice": True}),
    ("get_challenge", 404, "challenge_not_found", {}),
    ("update_challenge", 404, "challenge_not_found", {}),
    ("deactivate_challenge", 404, "challenge_not_found", {}),
    ("create_webhook", 422, "validation_error", {"change": {"event_types": ["streaks.*"]}}),
    ("get_webhook", 404, "webhook_not_found", {}),
    ("update_webhook", 404, "webhook_not_found", {}),
    ("delete_webhook", 404, "webhook_not_found", {}),
    ("test_webhook", 404, "webhook_not_found", {}),
    ("rotate_webhook_secret", 404, "webhook_not_found", {}),
    ("list_webhook_deliveries", 404, "webhook_not_found", {}),
    ("replay_webhook_delivery", 404, "webhook_not_found", {}),
    ("replay_webhook", 422, "validation_error", {}),
    ("read_feed", 422, "validation_error", {"query": "?after=999"}),
    ("export_participant", 404, "participant_not_found", {"deleted": True}),
    ("undo_cause", 409, "undo_running", {"twice": True}),
    ("undo_cause", 422, "validation_error", {"change": {"since": "2199-01-01T00:00:00Z"}}),
    ("read_undo", 404, "undo_not_found", {}),
    ("list_kept_by_undo", 404, "undo_not_found", {}),
    ("enroll_in_challenge", 404, "challenge_not_found", {"path": "/api/v1/gamify/challenges/spring_quest/enroll"}),
    ("create_leaderboard", 400, "leaderboard_code_conflict", {"twice": True}),
    ("get_leaderboard", 404, "leaderboard_not_found", {}),
    ("update_leaderboard", 404, "leaderboard_not_found", {}),
    ("deactivate_leaderboard", 404, "leaderboard_not_found", {}),
    ("read_leaderboard", 404, "leaderboard_not_found", {"path": "/api/v1/gamify/leaderboards/top_scorers"}),
    ("read_leaderboard_rank", 404, "leaderboard_not_found", {"path": "/api/v1/gamify/leaderboards/top_scorers/rank/x"}),
])  # fmt: skip
def test_an_error_is_answered_word_for_word_as_documented(
    everyone: Api, tenant: Tenant, name: str, status: int, code: str, sent: dict[str, Any]
) -> None:
    sent = dict(sent)
    if sent.pop("deleted", False):
        everyone.delete("/api/v1/gamify/admin/participants/user_123")
    if sent.pop("defined", False):
        define_what_examples_name(tenant, but="")
    operation = operations()[name]
    path = sent.pop("path", operation.example_path) + sent.pop("query", "")
    body = next(iter(operation.body["examples"].values()))["value"] if operation.body else None
    if sent.pop("twice", False):
        everyone.send(operation.method, path, body)
    if change := sent.pop("change", None):
        sent["body"] = body | change

    response = everyone.send(operation.method, path, **{"body": body, **sent})

    documented = operation.errors(str(status))["content"]["application/json"]["examples"]
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json() in [example["value"] for example in documented.values()]


@pytest.mark.parametrize(("name", "status", "sent"), [
    ("create_tenant_streak", 400, {"change": {"config": {"event_types": [], "window": {"period": "daily"}}}}),
    ("create_tenant_streak", 409, {"twice": True}),
    ("get_tenant_streak", 400, {"definition_id": "nope"}),
    ("update_tenant_streak", 404, {}),
    ("set_tenant_streak_status", 404, {}),
    ("archive_tenant_streak", 404, {}),
    ("get_user_streak", 400, {"definition_id": "nope"}),
    ("get_user_streak", 404, {"user_id": "user-12345"}),
    ("get_user_streak_by_definition", 404, {"user_id": "user-12345"}),
])  # fmt: skip
def test_a_phoenix_error_is_answered_word_for_word_as_documented(
    everyone: Api, name: str, status: int, sent: Mapping[str, Any]
) -> None:
    operation = operations()[name]
    path = operation.path.format_map(
        {"tenant_id": "acme", "user_id": "user_123", "definition_id": DEFINITION_ID} | sent
    )
    body = next(iter(operation.body["examples"].values()))["value"] if operation.body else None
    if "twice" in sent:
        everyone.send(operation.method, path, body)

    response = everyone.send(operation.method, path, (body | sent.get("change", {})) if body else None)

    documented = operation.errors(str(status))["content"]["application/json"]["examples"]
    assert response.status_code == status
    assert response.json() in [example["value"] for example in documented.values()]


def test_a_missing_scope_is_answered_as_documented(everyone: Api, api: Api) -> None:
    operation = operations()["list_participants"]

    response = api.get("/admin/participants")

    documented = operation.errors("403")["content"]["application/json"]["examples"]
    assert response.json() in [example["value"] for example in documented.values()]


def test_every_code_that_the_product_can_raise_is_documented() -> None:
    raised = {error.code for error in _subclasses(DomainError) if not issubclass(error, NOT_ON_THE_WIRE)}
    missing = raised - {code for code, _ in _error_examples()} - {DomainError.code}

    assert missing == set()


def _subclasses(error: type[DomainError]) -> Iterator[type[DomainError]]:
    for child in error.__subclasses__():
        if child.__module__.startswith(("participants", "gamify", "streaks", "rewards")):
            yield child
        yield from _subclasses(child)


def _error_examples() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return the errors by the product's own code, not by that of the dialect."""
    for response in document()["components"]["responses"].values():
        for name, example in response["content"]["application/json"]["examples"].items():
            yield re.sub(r"_\d+$", "", name), example["value"]


def _documented_codes() -> set[str]:
    """Return the errors as they are on the wire, in either dialect."""
    return {value["error"]["code"] if "error" in value else value["code"] for _, value in _error_examples()}


def test_the_guide_explains_every_documented_code() -> None:
    guide = (Path(settings.BASE_DIR) / "docs" / "api.md").read_text()

    assert {code for code in _documented_codes() if f"`{code}`" not in guide} == set()


def test_profile_and_state_consist_of_the_sections(everyone: Api) -> None:
    schemas = document()["components"]["schemas"]
    profile = everyone.get("/api/v1/gamify/participants/user_123").json()
    state = everyone.get("/api/v1/gamify/participants/user_123/state").json()

    assert set(schemas["Profile"]["properties"]) == set(schemas["Profile"]["required"]) == set(profile)
    assert set(schemas["State"]["properties"]) == set(state)
    assert schemas["State"]["required"] == ["participant_id"]


def test_a_phoenix_operation_gets_the_errors_of_its_dialect() -> None:
    spec = {
        "responses": {"200": {"description": "OK."}},
        "requestBody": {},
        "security": [{"ApiKey": []}],
        ERRORS: [ParticipantNotFound("user_123")],
    }
    result = {"paths": {"/v1/streaks": {"post": spec}}, "components": {"schemas": {}}}

    document_errors(result)

    shared = result["components"]["responses"]
    assert set(spec["responses"]) == {"200", "400", "401", "403", "404", "413", "415", "429", "500", "503"}
    assert ERRORS not in spec
    assert shared["PhoenixError400"]["description"] == "Refused: `VALIDATION_ERROR`."
    example = shared["PhoenixError404"]["content"]["application/json"]["examples"]["participant_not_found"]
    assert example["value"] == {
        "error": {"code": "NOT_FOUND", "message": "Participant not found: user_123", "status": 404}
    }
    assert shared["PhoenixError404"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/PhoenixError"
    }


@pytest.mark.parametrize(("query", "content_type", "beginning"), [
    ("", "application/json", b"{"),
    ("?format=yaml", "application/vnd.oai.openapi", b"openapi: 3.1.0"),
])  # fmt: skip
def test_the_document_needs_no_key(query: str, content_type: str, beginning: bytes) -> None:
    response = Client().get(f"/api/schema{query}")

    assert (response.status_code, response.headers["Content-Type"]) == (200, content_type)
    assert response.content.startswith(beginning)


@pytest.mark.parametrize("query", ["", "?script="])
def test_the_docs_page_loads_nothing_from_elsewhere_and_sets_no_cookie(query: str) -> None:
    response = Client().get(f"/api/docs{query}")

    text = response.content.decode()
    assert response.status_code == 200
    assert "//" not in re.sub(r"^//.*$", "", text, flags=re.MULTILINE)
    assert not response.cookies


def test_the_docs_page_holds_no_script_or_style_of_its_own() -> None:
    text = Client().get("/api/docs").content.decode()

    assert "<style" not in text
    assert re.findall(r"<script(?! src=)", text) == []
    assert '"validatorUrl": null' in Client().get("/api/docs?script=").content.decode()
