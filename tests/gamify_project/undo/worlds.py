"""A tenant with something of everything that a key can write, and two keys that write it."""

import json
from typing import Any
from uuid import UUID

from django.db.models import Model

from gamify.badges.models import BadgeAward
from gamify.facts.models import Event
from gamify.points.models import LedgerEntry
from gamify.tiers.models import TierChange
from gamify_project.undo.models import Undo
from gamify_project.undo.running import run
from participants.models import Participant, Tenant
from rewards.models import Claim
from tests.client import Api
from tests.factories import made_key

LONG_AGO = "2026-01-01T00:00:00Z"
DEFINITIONS: dict[str, list[dict[str, Any]]] = {
    "badges": [
        {"code": "gift", "name": "Gift"},
        {"code": "rich", "name": "Rich", "criteria": {"metric": "total_earned", "min": 500}},
        {"code": "shopper", "name": "Shopper", "criteria": {"metric": "event_count", "event_name": "buy", "min": 2}},
    ],
    "tiers": [
        {"code": "bronze", "name": "Bronze", "level": 1, "award_type": "manual"},
        {"code": "gold", "name": "Gold", "level": 3, "award_type": "manual"},
    ],
    "streaks": [{"code": "daily", "name": "Daily", "fact_type": "visit"}],
    "rules": [
        {
            "code": "thanks",
            "name": "Thanks",
            "when": {"event_types": ["buy"]},
            "then": [{"type": "points", "amount": 20}],
        },
        {
            "code": "bonus",
            "name": "Bonus",
            "when": {
                "changes": ["badge.awarded"],
                "expression": {"condition": {"field": "badge_code", "operator": "eq", "value": "gift"}},
            },
            "then": [{"type": "points", "amount": 7}],
        },
    ],
    "rewards": [
        {
            "code": "mug",
            "name": "Mug",
            "type": "physical",
            "points_cost": 10,
            "max_claims_per_user": None,
            "total_inventory": 10_000,
        },
        {"code": "coupon", "name": "Coupon", "type": "coupon", "max_claims_per_user": None},
    ],
}


class World:
    """The definitions of a tenant, and two keys of it."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        keys = {name: made_key(tenant, "admin", name=name) for name in ("a", "b", "operator")}
        self.a, self.b, self.operator = (Api(key.key) for key in keys.values())
        self.causes = {name: {"kind": "api_key", "id": str(key.row.pk)} for name, key in keys.items()}
        self.rewards: dict[str, str] = {}
        for kind, bodies in DEFINITIONS.items():
            for body in bodies:
                answer = self.operator.post(f"/admin/{kind}", body)
                assert answer.status_code == 201, answer.content
                if kind == "rewards":
                    self.rewards[body["code"]] = answer.json()["id"]

    def undo(self, name: str = "a", *, runs: bool = True, **given: Any) -> dict[str, Any]:
        """Ask for an undo of a key's writes, run it, and return the report."""
        body = {"cause": self.causes[name], "since": LONG_AGO, "reason": "Leaked", **given}
        answer = self.operator.post("/admin/undo", body, headers={"X-Request-Id": "undo-1"})
        assert answer.status_code == 202, answer.content
        if runs:
            finish(Undo.objects.get(pk=answer.json()["id"]))
        return self.report(answer.json()["id"])

    def report(self, undo_id: str) -> dict[str, Any]:
        report: dict[str, Any] = self.operator.get(f"/admin/undo/{undo_id}").json()
        return report

    def kept(self, undo_id: str) -> list[tuple[str, str, str]]:
        items = self.operator.get(f"/admin/undo/{undo_id}/kept?limit=1000").json()["items"]
        return [(item["type"], item["participant_id"], item["reason"]) for item in items]


def finish(undo: Undo) -> None:
    for _ in run(undo):
        pass


def done(answer: Any) -> Any:
    assert answer.status_code < 300, answer.content
    return json.loads(answer.content)


def balance(api: Api, who: str = "ada") -> int:
    return int(api.get(f"/participants/{who}/points").json()["balance"])


def standing(tenant: Tenant) -> dict[str, Any]:
    """Return what participants have, by their ids, without what is only a trace of an undo."""
    found: dict[str, Any] = {}
    for each in Participant.objects.of(tenant).order_by("external_id"):
        badges = BadgeAward.objects.of(each).values_list("badge__code", flat=True)
        claims = Claim.objects.of(each).exclude(status="cancelled").values_list("reward__code", flat=True)
        found[each.external_id] = {
            "balance": each.balance,
            "tier": each.tier_code,
            "events": each.total_events,
            "badges": sorted(badges),
            "claims": sorted(claims),
        }
    return {name: has for name, has in found.items() if any(has.values())}


def rows_of(tenant: Tenant, actor: str) -> dict[tuple[type[Model], UUID], dict[str, Any]]:
    """Return all rows that an actor wrote, with their columns."""
    return {
        (model, row["id"]): row
        for model in (LedgerEntry, Event, BadgeAward, TierChange, Claim)
        for row in model._default_manager.filter(tenant_id=tenant.pk, actor=actor).values()
    }
