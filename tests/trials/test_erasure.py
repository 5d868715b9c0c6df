"""No data of a participant survives erasure: in no table, no Redis key, no dump of the database and no log.

Every text that a client can put somewhere contains the word `canary`; no definition does. Every column of every table, and every key
and value in Redis, is searched for it. A new table is searched by itself, and must get a row in `planted`. The last trial plants the
same in an installation of several processes, and searches its dump and its logs.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from gamify.facts.models import Event
from gamify.leaderboards import tasks as board_tasks
from gamify.points.models import LedgerEntry
from gamify.webhooks import tasks as webhook_tasks
from gamify.webhooks.models import Delivery
from gamify.webhooks.services import deliver_due
from gamify_project.undo.running import run
from gamify_project.undo.services import Cause, UndoRequest, store
from participants.models import DomainEvent, IdempotencyKey, Participant, Tenant
from participants.services.personal_export import personal_tables
from rewards.models import Claim
from streaks.services import create_streak
from tests.client import Api
from tests.conftest import OWN_PACKAGES
from tests.console import Console
from tests.trials.installation import Caller, dump, in_threads
from tests.trials.reporting import size

ME = "canary-id-of-ada"
OTHER = "somebody-else"
RACES = size(5, 50)
DISTINCT = {"type": "distinct", "field": "sku", "min": 3}
DEFINITIONS = {
    "streaks": {"code": "visits", "name": "Visits", "fact_type": "buy"},
    "challenges": {
        "code": "collector",
        "name": "Collector",
        "objectives": [
            {"code": "skus", "label": "Three", "event_types": ["buy"], "condition": DISTINCT},
            {"code": "once", "label": "One", "event_types": ["buy"], "condition": {"type": "count", "min": 1}},
        ],
        "completion": "all",
    },
    "badges": {
        "code": "buyer",
        "name": "Buyer",
        "criteria": {"metric": "event_count", "event_name": "buy", "min": 50},
    },
    "tiers": {"code": "silver", "name": "Silver", "level": 2, "criteria_config": {"min_points": 100}},
    "leaderboards": {
        "code": "spent",
        "name": "Spent",
        "metric": "event_sum",
        "selector": {"event_name": "buy", "field": "total"},
    },
    "rules": {
        "code": "thanks",
        "name": "Thanks",
        "when": {"event_types": ["buy"]},
        "then": [{"type": "points", "amount": 5}],
        "limits": {"per_day": 50},
    },
    "rewards": {"code": "coupon", "name": "Coupon", "type": "coupon", "max_claims_per_user": None},
    "webhooks": {"url": "https://example.com/hook", "event_types": ["*"]},
}


def done(answer):
    assert answer.status_code < 300 or answer.status_code == 302, answer.content
    return answer.json() if answer.status_code < 300 else None


def canary(place: str) -> str:
    return f"canary {place}"


@pytest.fixture
def planted(api: Api, admin_api: Api, tenant, tmp_path):
    """A participant with a row in every table of participants, and canaries in every field that a client can fill."""
    created = {name: done(admin_api.post(f"/admin/{name}", body)) for name, body in DEFINITIONS.items()}
    done(admin_api.post("/admin/badges", {"code": "gift", "name": "Gift"}))
    different = {"code": "different", "name": "Different", "event_types": ["buy"], "condition": DISTINCT}
    create_streak(tenant=tenant, data=different, now=timezone.now())
    reward = created["rewards"]["id"]
    done(admin_api.post(f"/admin/rewards/{reward}/codes", {"codes": ["CODE-1", "CODE-2", "CODE-3"]}))
    plant_by_api(api, admin_api, reward)
    plant_history(tmp_path)
    plant_in_console(tenant)
    board_tasks.build_waiting()
    board_tasks.fold_waiting()
    done(
        api.post("/events", {"participant_id": ME, "event_name": "buy", "properties": {"total": 10**10}})
    )  # not folded yet
    exported(admin_api)  # is noted in the change log
    preview_undo(tenant)
    deliver_due()
    assert all_places(), "nothing was planted"
    return tenant


def plant_by_api(api: Api, admin_api: Api, reward: str) -> None:
    me = {"participant_id": ME}
    words = {"reason": canary("reason"), "metadata": {canary("name"): canary("metadata")}}
    about = {"email": canary("attribute"), "deep": {"list": [canary("attribute in a list")]}}
    profile = {"display_name": canary("display name"), "avatar_url": "https://example.com/canary.png"}
    done(api.post("/participants", me | profile | {"attributes": about, "timezone": "Europe/Berlin"}))
    done(api.patch(f"/participants/{ME}", {"attributes": {"patched": canary("patch")}, "timezone": "Asia/Tokyo"}))
    done(api.post("/points/award", me | words | {"amount": 200, "idempotency_key": canary("key")}))
    done(api.post("/points/award", me | words | {"amount": 9, "expires_at": "2099-01-01T00:00:00Z"}))
    done(api.post("/points/deduct", me | words | {"amount": 3}, headers={"Idempotency-Key": "canary-header"}))
    awards = [{"participant_id": name, "amount": 1, "reason": canary("item")} for name in (ME, OTHER)]
    awards[1].pop("reason")
    for key in (f"batch-{ME}", "weekly"):
        done(api.post("/points/award-batch", {"awards": awards}, headers={"Idempotency-Key": key}))
    properties = {
        "sku": canary("distinct value"),
        canary("property"): {"a": [canary("property in a list")]},
        "total": 5,
    }
    event = me | {"event_name": "buy", "properties": properties}
    first = done(api.post("/events", event | {"idempotency_key": canary("event key")}))
    done(admin_api.post(f"/admin/participants/{ME}/streaks/visits/freeze", {"reason": canary("freeze")}))
    batch = done(api.post("/events/batch", {"events": [event, event]}))
    assert batch["processed"] == 2, batch
    done(admin_api.post(f"/admin/events/{first['event_id']}/reverse", {"reason": canary("reversal of an event")}))
    done(api.post("/badges/award", me | {"badge_code": "gift", "metadata": {"why": canary("badge")}}))
    done(api.post("/tiers/assign", me | {"tier_code": "silver", "reason": canary("tier")}))
    claims = [
        done(api.post(f"/rewards/{reward}/claim", me, headers={"Idempotency-Key": f"{ME}-{n}"})) for n in (1, 2, 3)
    ]
    done(admin_api.post(f"/admin/claims/{claims[0]['claim_id']}/cancel", {"reason": canary("cancellation")}))
    done(admin_api.post(f"/admin/claims/{claims[1]['claim_id']}/fulfil", {"reason": canary("fulfilment")}))
    entries = done(api.get(f"/participants/{ME}/points/transactions?page_size=100"))["transactions"]
    first = [entry["id"] for entry in entries if entry["type"] == "award"][-1]
    done(admin_api.post(f"/admin/transactions/{first}/reverse", {"reason": canary("reversal of an entry")}))


def plant_history(folder) -> None:
    path = folder / "canary.csv"
    path.write_text(
        f'participant_id,event_name,timestamp,properties\n{ME},buy,2026-01-02T00:00:00Z,"{{""sku"": ""canary old""}}"\n'
    )
    call_command("backfill_events", str(path), "--tenant", "acme", "--json")


def plant_in_console(tenant) -> None:
    """Texts that staff write about a participant, and their audit trail."""
    console, me = Console(tenant), Participant.objects.get(external_id=ME)
    done(console.edit("participants_participant_change", me.pk, display_name=canary("name by staff")))
    done(console.post("participants_participant_adjust", me.pk, amount="5", delta="5", reason=canary("adjustment")))
    done(console.post("participants_participant_award", me.pk, amount="5", reason=canary("award by staff")))
    claim = Claim.objects.filter(status="claimed").get()
    done(console.post("rewards_claim_cancel", claim.pk, reason=canary("cancellation by staff")))
    event = Event.objects.filter(reversed_at=None)[0]
    done(console.post("facts_event_reverse", event.pk, reason=canary("reversal by staff")))


def tables() -> Iterable[tuple[str, list]]:
    for model in apps.get_models():
        yield model._meta.label, list(model._base_manager.values())


def all_places() -> set[str]:
    """Return the columns and Redis keys that contain a canary."""
    places = {
        f"{label}.{column}"
        for label, rows in tables()
        for row in rows
        for column, value in row.items()
        if "canary" in repr(value).lower()
    }
    return places | redis_places(settings.REDIS_URL)


def preview_undo(tenant: Any) -> None:
    """What the participant's first caller wrote would be taken back."""
    actor = LedgerEntry.objects.filter(participant__external_id=ME).earliest("pk").actor_json
    request = UndoRequest(Cause(actor["kind"], actor["id"]), since=timezone.now() - timedelta(days=1), is_dry_run=True)
    for _ in run(store(tenant=tenant, request=request, now=timezone.now())):
        pass


def exported(admin_api: Api) -> Any:
    return json.loads(b"".join(admin_api.get(f"/admin/participants/{ME}/export").streaming_content))


def words_in(value: Any) -> Iterator[str]:
    """Yield the texts in a JSON value that contain a canary."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for each in value:
            yield from words_in(each)
    elif "canary" in str(value):
        yield str(value)


def planted_rows() -> dict[tuple[str, Any], Any]:
    """Return all rows by table and key, except for the keys of batches, which concern many participants."""
    batches = IdempotencyKey.objects.filter(subject__in=Tenant.objects.values("pk")).values_list("pk", flat=True)
    keys = {("participants.IdempotencyKey", pk) for pk in batches}
    models = [model for model in apps.get_models() if model.__module__.startswith(OWN_PACKAGES)]
    rows = {(model._meta.label, row.pk): row for model in models for row in model._base_manager.all()}
    return {at: model_to_dict(row) for at, row in rows.items() if at not in keys}


def model_to_dict(row: Any) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def redis_places(url: str) -> set[str]:
    if not url:
        return set()
    found = set()
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter():
            if b"canary" in key.lower() or b"canary" in (client.dump(key) or b"").lower():
                found.add(f"redis {key!r}")
    return found


def by_api(admin_api, query):
    done(admin_api.delete(f"/admin/participants/{ME}{query}"))


def by_console(tenant, page):
    me = Participant.objects.get(external_id=ME)
    console = Console(tenant, user=User.objects.get(username="ops"))
    done(
        console.post(
            f"participants_participant_{page}", me.pk, post="yes", confirmed="yes", audit_reason="asked by letter"
        )
    )


def test_the_canaries_reach_every_table_with_rows_of_participants(planted):
    mine = [
        model
        for model in apps.get_models()
        if model.__module__.startswith(OWN_PACKAGES)
        and any(field.name in {"participant", "participant_id"} for field in model._meta.get_fields())
    ]

    empty = [model._meta.label for model in mine if not model._base_manager.exists()]
    assert empty == ["participants.Removal"]  # is written by an erasure
    assert Delivery.objects.exists()
    assert {
        "participants.Participant.external_id",
        "participants.Participant.attributes",
        "participants.IdempotencyKey.key",
        "participants.DomainEvent.data",
        "facts.Event.properties",
        "points.LedgerEntry.reason",
        "points.LedgerEntry.metadata",
        "badges.BadgeAward.metadata",
        "streaks.ParticipantStreak.progress",
        "streaks.ParticipantStreak.freezes",
        "challenges.Enrolment.progress",
        "rewards.Claim.reason",
    } <= all_places()


NOT_OF_ONE_PARTICIPANT = {
    "leaderboards.ScoreRange": "counts the scores of all; its lower bound is the place of some participant",
    "participants.Removal": "says how many rows an erasure removed, so it is empty before",
}


def test_every_table_with_rows_of_participants_is_exported():
    tables = {table.model._meta.label for table in personal_tables().values()}
    names = {"participant", "participant_id", "subject"}
    mine = {
        model._meta.label
        for model in apps.get_models()
        if model.__module__.startswith(OWN_PACKAGES) and names & {field.name for field in model._meta.get_fields()}
    }

    assert mine - tables == set(NOT_OF_ONE_PARTICIPANT)


def test_the_export_has_all_rows_of_the_participant_and_no_others(planted, admin_api):
    me = Participant.objects.get(external_id=ME)
    body = exported(admin_api)

    for name, table in personal_tables().items():
        assert body[name], f"{name}: no row was planted"
        if {"participant", "participant_id"} & {field.name for field in table.model._meta.get_fields()}:
            assert len(body[name]) == table.model._base_manager.filter(participant_id=me.pk).count(), name
    assert OTHER not in json.dumps(body)


@pytest.mark.parametrize("query", ["", "?anonymize=true"])
def test_whatever_an_erasure_removes_was_in_the_export(planted, admin_api, query):
    body, before = exported(admin_api), planted_rows()
    known = set(words_in(body))

    by_api(admin_api, query)

    after = planted_rows()
    removed = [row for at, row in before.items() if after.get(at) != row]
    words = {word for row in removed for value in row.values() for word in words_in(value)}
    assert len(words) > 20
    assert words - known == set()


@pytest.mark.parametrize("way", ["api", "console"])
def test_anonymising_leaves_no_canary_anywhere(planted, admin_api, way):
    by_api(admin_api, "?anonymize=true") if way == "api" else by_console(planted, "anonymize")

    assert all_places() == set()


@pytest.mark.parametrize("way", ["api", "console"])
def test_after_deletion_the_id_stays_in_the_feed_until_it_is_pruned(planted, admin_api, settings, way):
    by_api(admin_api, "") if way == "api" else by_console(planted, "delete")
    deliver_due()

    assert all_places() == {"participants.DomainEvent.data"}
    [remaining] = [event for event in DomainEvent.objects.all() if "canary" in repr(event.data)]
    assert (remaining.type, remaining.data) == ("participant.deleted", {"participant_id": ME})

    forget_after_retention(settings)

    assert all_places() == set()
    remaining.refresh_from_db()
    assert remaining.data["participant_id"].startswith("erased_")


def forget_after_retention(settings) -> None:
    """Run the nightly tasks after EVENT_RETENTION_DAYS."""
    later = timezone.now() + timedelta(days=settings.EVENT_RETENTION_DAYS + 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gamify.webhooks.tasks.timezone.now", lambda: later)
        webhook_tasks.prune()


def test_a_batch_key_that_contains_an_erased_id_still_replays_its_answer(planted, api, admin_api):
    awards = {"awards": [{"participant_id": name, "amount": 1} for name in (ME, OTHER)]}
    by_api(admin_api, "?anonymize=true")

    again = api.post("/points/award-batch", awards, headers={"Idempotency-Key": f"batch-{ME}"})

    assert again.headers["Idempotency-Replayed"] == "true"


# --- an installation of several processes -------------------------------------------------------------------------------


class Served:
    """The API of an installation, with the methods of `Api` that planting uses."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def post(self, path, body, *, headers=None):
        return self._answer("POST", path, json.dumps(body).encode(), headers or {})

    def patch(self, path, body):
        return self._answer("PATCH", path, json.dumps(body).encode(), {})

    def get(self, path):
        return self._answer("GET", path, None, {})

    def delete(self, path):
        return self._answer("DELETE", path, None, {})

    def _answer(self, method, path, body, headers):
        answer = self._caller.send(method, path.removeprefix("/"), body, Connection="close", **headers)
        return SimpleNamespace(status_code=answer.status, content=answer.body, json=answer.json)


@pytest.mark.deployment
@pytest.mark.timeout(600)
def test_no_canary_is_in_a_dump_in_redis_or_in_the_logs_of_an_installation(installed, figures):
    with installed(WEB_WORKERS="2", LOG_LEVEL="INFO", SWEEP_SECONDS="2") as trial:
        api = plant_in_installation(trial)
        assert b"canary" in dump(trial.database)
        done(api.delete(f"/admin/participants/{ME}?anonymize=true"))
        for number in range(RACES):
            done(api.delete(f"/admin/participants/canary-of-a-race-{number}?anonymize=true"))

        assert {
            "dump": canaries_in(dump(trial.database).decode()),
            "redis": redis_places(trial.deployment.environment["REDIS_URL"]),
            "logs": canaries_in(trial.logs()),
        } == {"dump": [], "redis": set(), "logs": []}
        trial.verify_ledger()

    figures(f"0 canaries in dump, Redis and logs after {RACES + 1} participants were anonymised")


@pytest.mark.deployment
@pytest.mark.timeout(600)
def test_without_the_eraser_of_keys_canaries_are_in_the_dump(installed):
    with installed(WEB_WORKERS="2", without="eraser_of_keys") as trial:
        api = plant_in_installation(trial)
        done(api.delete(f"/admin/participants/{ME}?anonymize=true"))

        assert canaries_in(dump(trial.database).decode())


def plant_in_installation(trial):
    """Plant canaries by the API, also in requests that are refused, and in first writes that race."""
    port = trial.serve()
    for name in ("worker", "beat"):
        trial.start(name)
    api = Served(trial.caller(port))
    created = {name: done(api.post(f"/admin/{name}", body)) for name, body in DEFINITIONS.items()}
    done(api.post("/admin/badges", {"code": "gift", "name": "Gift"}))
    reward = created["rewards"]["id"]
    done(api.post(f"/admin/rewards/{reward}/codes", {"codes": ["CODE-1", "CODE-2", "CODE-3"]}))
    plant_by_api(api, api, reward)
    for body in ({"participant_id": ME, "amount": canary("amount")}, {"participant_id": ME, canary("field"): 1}):
        assert api.post("/points/award", body).status_code == 422
    for number in range(RACES):
        award = {"participant_id": f"canary-of-a-race-{number}", "amount": 1}
        clients = [Served(trial.caller(port)) for _ in range(6)]
        answers = in_threads([partial(client.post, "/points/award", award) for client in clients])
        assert {answer.status_code for answer in answers} == {200}
    return api


def canaries_in(text: str) -> list[str]:
    return [line[:300] for line in text.splitlines() if "canary" in line.lower()]
