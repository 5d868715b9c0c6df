"""Every operation with an idempotency key stores its answer. A repeat reads it back from the database, equal to the first answer."""

import ast
from dataclasses import asdict, replace
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from gamify.facts.engine.events import EventInput
from gamify.facts.services import Refused, emit
from gamify.points.models import Boost
from gamify.points.services import Change, adjust, award, award_batch, deduct
from gamify.tiers.services import Assignment, assign
from participants.engine import MAX_BIGINT, uuid_of
from participants.models import IdempotencyKey
from rewards.models import Reward
from rewards.services import claim, create_reward
from streaks.services import create_streak, record
from tests.factories import BadgeFactory, BoostFactory, ParticipantFactory, RuleFactory, TierFactory

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
KEY = "key-1"
CHANGE = Change("ada", 100, idempotency_key=KEY)
BATCH = [Change("ada", 100), Change("bo", MAX_BIGINT)]
PURCHASE = EventInput("ada", "purchase", NOW, idempotency_key=KEY)

OPERATIONS = {
    "points.award": lambda tenant: award(tenant=tenant, change=CHANGE, now=NOW),
    "points.award-batch": lambda tenant: award_batch(tenant=tenant, changes=BATCH, refused={}, key=KEY, now=NOW),
    "points.deduct": lambda tenant: deduct(tenant=tenant, change=CHANGE, now=NOW),
    "points.adjust": lambda tenant: adjust(
        tenant=tenant, participant_id="ada", delta=-7, reason="by hand", idempotency_key=KEY, now=NOW
    ),
    "tiers.assign": lambda tenant: assign(
        tenant=tenant, assignment=Assignment("ada", "gold", "a jubilee", idempotency_key=KEY), now=NOW
    ),
    "events": lambda tenant: emit(tenant=tenant, event=PURCHASE, now=NOW),
    "rewards.claim": lambda tenant: claim(
        tenant=tenant, reward_id=_reward_id(tenant), participant_id="ada", key=KEY, now=NOW
    ),
    "streaks.record": lambda tenant: record(
        tenant=tenant, participant_id="ada", streak_code="daily", at=NOW, key=KEY, now=NOW
    ),
}

ID = "an id"
REPORTED_ONLY = {"events.backfill", "streaks.backfill"}
"""Imports only report that a line is a repeat. They return no stored answer."""

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def definitions(tenant):
    """Two tiers, a boost, a badge, a rule, a reward and a streak, so that no field of an answer is empty."""
    TierFactory(tenant=tenant, code="silver", level=1, criteria_config={"min_points": 0})
    TierFactory(tenant=tenant, code="gold", level=2, criteria_config={"min_points": 1_150})
    BoostFactory(tenant=tenant, multiplier=Decimal("1.5"))
    BadgeFactory(tenant=tenant, code="rich", name="Rich", criteria={"metric": "total_earned", "min": 1_100})
    RuleFactory(tenant=tenant, code="purchases")
    create_reward(tenant=tenant, data={"name": "Mug", "reward_type": "physical"}, now=NOW)
    create_streak(tenant=tenant, data={"code": "daily", "name": "Daily", "event_types": ["login"]}, now=NOW)
    tenant.refresh_from_db()
    ParticipantFactory(tenant=tenant, external_id="ada", tier_code="silver", points=1_000)


def _reward_id(tenant) -> str:
    return str(Reward.objects.of(tenant).get().pk)


def comparable(result: Any) -> dict[str, Any]:
    """The fields of a result without `is_replay`. Refusals of a batch are compared by their code, message and status."""
    if hasattr(result, "results"):
        return {"results": [comparable(each) for each in result.results]}
    if isinstance(result, Refused):
        error = result.error
        return {"participant_id": result.participant_id, "error": [error.code, error.message, error.status]}
    return asdict(replace(result, is_replay=False))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_repeat_gets_the_first_answer(tenant, operation):
    first = OPERATIONS[operation](tenant)
    repeated = OPERATIONS[operation](tenant)

    assert IdempotencyKey.objects.get().operation == operation
    assert not first.is_replay
    assert repeated.is_replay
    assert type(repeated) is type(first)
    assert comparable(repeated) == comparable(first)


def test_every_operation_is_in_the_table():
    assert set(operations_in_the_code()) == OPERATIONS.keys() | REPORTED_ONLY


def operations_in_the_code():
    """The constants that the code passes to `IdempotencyRequest(...)` and `Change.idempotency(...)` first."""
    for path in (
        each for package in ("gamify", "rewards", "streaks") for each in (ROOT / package).rglob("services/*.py")
    ):
        module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            name = getattr(call.func, "id", getattr(call.func, "attr", None))
            if name in {"IdempotencyRequest", "idempotency"} and isinstance(call.args[0], ast.Name):
                constant = getattr(module, call.args[0].id, None)
                yield from [constant] if constant else []


AWARDED = {
    "transaction_id": ID,
    "amount": 150,
    "new_balance": 1_150,
    "base_amount": 100,
    "multiplier": "1.5000",
    "tier_upgrade": {"code": "gold", "name": "Gold", "level": 2, "previous_code": "silver", "previous_level": 1},
    "badges_unlocked": [{"code": "rich", "name": "Rich"}],
}
LIMIT = "Points ever earned would exceed 9223372036854775807"
STORED = {
    "points.award": AWARDED,
    "points.award-batch": [AWARDED, {"error": {"code": "balance_limit", "message": LIMIT, "status": 400}}],
    "points.deduct": {"transaction_id": ID, "amount": 100, "new_balance": 900},
    "points.adjust": {"transaction_id": ID, "delta": -7, "new_balance": 993},
    "tiers.assign": {
        "tier": {"code": "gold", "name": "Gold", "level": 2},
        "previous_tier": {"code": "silver", "name": "Silver", "level": 1},
        "reason": "a jubilee",
        "assigned_at": "2026-02-14T10:00:00+00:00",
    },
    "events": {
        "event_id": ID,
        "fact_id": ID,
        "rewards_granted": [
            {
                "type": "points",
                "id": ID,
                "name": "Points",
                "amount": 15,
                "source": {"type": "rule", "code": "purchases"},
            }
        ],
    },
    "rewards.claim": {
        "claim_id": ID,
        "reward_name": "Mug",
        "reward_type": "physical",
        "code_value": None,
        "points_deducted": 0,
        "new_balance": 1_000,
    },
    "streaks.record": {
        "streak_code": "daily",
        "new_count": 1,
        "longest_count": 1,
        "is_new_record": True,
        "already_recorded": False,
    },
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_stored_shape_is_that_of_earlier_releases(tenant, operation):
    OPERATIONS[operation](tenant)

    assert without_ids(IdempotencyKey.objects.get().answer) == STORED[operation]


def test_an_award_without_a_multiplier_stores_neither_it_nor_the_requested_amount(tenant):
    Boost.objects.all().delete()
    award(tenant=tenant, change=CHANGE, now=NOW)

    assert IdempotencyKey.objects.get().answer.keys() == AWARDED.keys() - {"base_amount", "multiplier"}
    assert award(tenant=tenant, change=CHANGE, now=NOW).multiplier is None


def without_ids(answer):
    """The stored JSON with ID in place of every generated id."""
    if isinstance(answer, list):
        return [without_ids(each) for each in answer]
    if isinstance(answer, dict):
        return {name: without_ids(value) for name, value in answer.items()}
    return ID if isinstance(answer, str) and uuid_of(answer) else answer
