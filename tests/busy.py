"""A tenant in which everything has happened that a ledger can tell of, all of it through the services."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from gamify.badges.services import award as award_badge
from gamify.badges.services import create_badge
from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit, record_history
from gamify.points.models import Boost, LedgerEntry
from gamify.points.services import Change, adjust, award, award_batch, deduct, expire, reverse
from gamify.tiers.services import Assignment, assign
from participants.models import Participant, Tenant
from participants.services.participants import anonymize
from rewards.models import Reward
from rewards.services import add_codes, cancel, claim, create_reward, fulfil
from tests.factories import RuleFactory, TierFactory

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
DAY = timedelta(days=1)


class Busy:
    """Every deed comes a minute after the one before."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant_id, self.now = tenant.pk, NOW
        self.define(tenant)
        self.earn()
        self.spend()
        self.undo()
        self.forget()

    def step(self, **more):
        self.now += timedelta(minutes=1)
        return {"tenant": Tenant.objects.get(pk=self.tenant_id), "now": self.now, **more}

    def define(self, tenant):
        TierFactory(tenant=tenant, code="bronze", level=1, criteria_config={"min_points": 0})
        TierFactory(
            tenant=tenant, code="gold", level=2, criteria_config={"min_points": 100}, points_multiplier=Decimal(2)
        )
        Boost.objects.create(
            tenant=tenant, code="eve", name="Eve", multiplier=Decimal("1.15"), created_at=NOW, updated_at=NOW,
            starts_at=NOW + 5 * DAY,
        )  # fmt: skip
        badges = [
            {"code": "shopper", "name": "Shopper", "criteria": {"metric": "event_count", "min": 1, "event_name": "buy"}}
        ]
        for data in [*badges, {"code": "kind", "name": "Kind"}]:
            create_badge(**self.step(data=data))
        self.coupon = self.offer("Coupon", "coupon", points_cost=20, max_claims_per_user=None)
        add_codes(**self.step(reward_id=str(self.coupon.pk), codes=[f"C{number}" for number in range(5)]))
        self.mug = self.offer("Mug", "physical", points_cost=15, max_claims_per_user=None, total_inventory=2)
        grants = [{"type": "points", "amount": 10}, {"type": "reward", "id": str(self.mug.pk)}]
        RuleFactory(tenant=tenant, code="buying", event_types=["buy"], grants=grants)

    def offer(self, name, kind, **more) -> Reward:
        return create_reward(**self.step(data={"name": name, "reward_type": kind, **more}))

    def award(self, who, amount, key=None, expires_in=None):
        expires_at = None if expires_in is None else self.now + expires_in
        change = Change(who, amount, idempotency_key=key, expires_at=expires_at)
        return award(**self.step(change=change)).transaction_id

    def deduct(self, who, amount, key=None):
        return deduct(**self.step(change=Change(who, amount, idempotency_key=key))).transaction_id

    def claim(self, who, reward, key=None, *, pays=True):
        return claim(**self.step(reward_id=str(reward.pk), participant_id=who, deducts_points=pays, key=key)).claim_id

    def earn(self):
        self.first = self.award("ada", 50, key="first")
        self.award("ada", 80, expires_in=2 * DAY)
        self.award("ada", 60, key="lasting", expires_in=90 * DAY)
        self.doubled = self.award("ada", 15)
        changes = [Change("bo", 70, idempotency_key="item"), Change("cy", 30), Change("ada", 5)]
        award_batch(**self.step(changes=changes, refused={}, key="batch"))
        for who in ("bo", "cy", "dee"):
            emit(**self.step(event=EventInput(who, "buy", self.now)))
        events = [EventInput("dee", "buy", NOW - DAY)]
        record_history(**self.step(events=events, then=lambda work, taken: None))
        award_badge(**self.step(participant_id="ada", badge_code="kind", metadata={}))
        assign(**self.step(assignment=Assignment("cy", "gold", "because", "given")))

    def spend(self):
        self.deducted = self.deduct("ada", 30, key="spent")
        self.early_claim = self.claim("ada", self.coupon, key="claimed")
        self.late_claim = self.claim("bo", self.coupon)
        self.free_claim = self.claim("cy", self.coupon, pays=False)
        fulfil(**self.step(claim_id=str(self.late_claim), reason=None))
        for delta in (25, -12):
            adjust(
                **self.step(participant_id="bo", delta=delta, reason="a mistake", idempotency_key=f"by hand {delta}")
            )
        self.now += 3 * DAY
        expire(**self.step())
        self.now += 3 * DAY
        self.award("ada", 33, expires_in=10 * DAY)

    def undo(self):
        self.cancelled = self.claim("ada", self.coupon)
        cancel(**self.step(claim_id=str(self.cancelled), reason="not wanted"))
        self.undoing = reverse(**self.step(transaction_id=str(self.deducted), reason="twice")).transaction_id
        wrong = self.award("cy", 11, expires_in=DAY)
        self.deduct("cy", 4)
        reverse(**self.step(transaction_id=str(wrong), reason=None))
        negative = LedgerEntry.objects.get(tenant_id=self.tenant_id, type="adjust", delta=-12)
        reverse(**self.step(transaction_id=str(negative.pk), reason=None))

    def forget(self):
        self.award("fay", 100, key="of fay")
        self.claim("fay", self.coupon, key="of fay")
        anonymize(**self.step(external_id="fay"))
        self.deduct("ada", 45)

    def entries(self, who, **which) -> Sequence[LedgerEntry]:
        return LedgerEntry.objects.filter(tenant_id=self.tenant_id, participant__external_id=who, **which)

    def person(self, who):
        return Participant.objects.filter(tenant_id=self.tenant_id, external_id=who)
