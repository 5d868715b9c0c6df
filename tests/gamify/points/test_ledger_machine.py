"""Whatever is done to a balance in whatever order, the ledger says what a naive book-keeper says who keeps every point by itself."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gamify.points.engine import InsufficientPoints
from gamify.points.models import ExpiringCredit, LedgerEntry
from gamify.points.selectors import totals_at
from gamify.points.services import AlreadyReversed, Change, NotReversible, adjust, award, deduct, expire, reverse
from participants.models import Participant, Tenant
from participants.selectors import find_participant
from participants.services.auditing import audit
from rewards.models import Reward
from rewards.services import AlreadyCancelled, cancel, claim
from tests.factories import TenantFactory

NEVER = datetime.max.replace(tzinfo=UTC)
AMOUNTS = st.integers(1, 50)
HOURS = st.integers(1, 30)
LIFETIMES = st.none() | st.integers(1, 300)


@dataclass
class Pile:
    """The points of one credit that are left; those that never expire are in one pile each as well."""

    entry_id: object
    left: int
    expires_at: datetime = NEVER
    expired: int = 0


@dataclass
class Debit:
    entry_id: object
    parts: list[tuple[Pile, int]]
    kind: str = "deduct"
    claim_id: object = None
    is_undone: bool = False


@dataclass
class Book:
    """Spends what expires first, and what came first of what does not."""

    piles: list[Pile] = field(default_factory=list)
    earned: int = 0
    spent: int = 0
    expired: int = 0

    @property
    def balance(self):
        return sum(pile.left for pile in self.piles)

    def pass_time(self, now):
        for pile in self.piles:
            if pile.expires_at <= now:
                pile.expired += pile.left
                self.expired += pile.left
                pile.left = 0

    def take(self, amount, order):
        parts = []
        for pile in sorted(self.piles, key=order):
            part = min(pile.left, amount)
            amount -= part
            pile.left -= part
            if part:
                parts.append((pile, part))
        assert not amount
        return parts

    def give_back(self, parts, now):
        for pile, part in parts:
            if pile.expires_at > now:
                pile.left += part
            else:
                self.piles.append(Pile(None, part))


def by_expiry(pile):
    return pile.expires_at


class Ledger(RuleBasedStateMachine):
    @initialize()
    def open_the_book(self):
        self.tenant = TenantFactory()
        self.book, self.now = Book(), datetime(2026, 2, 14, 10, tzinfo=UTC)
        self.credits, self.debits, self.seen = [], [], []
        self.reward = Reward.objects.create(
            tenant=self.tenant, code="mug", name="Mug", reward_type="physical", points_cost=13, max_claims_per_user=None,
            created_at=self.now, updated_at=self.now,
        )  # fmt: skip

        for hours in (40, 20, None):
            self.award(20, hours)

    @property
    def fresh(self):
        return Tenant.objects.get(pk=self.tenant.pk)

    def step(self):
        """Every write comes a second later than the one before."""
        self.now += timedelta(seconds=1)
        self.book.pass_time(self.now)

    @rule(amount=AMOUNTS, hours=LIFETIMES)
    def award_some(self, amount, hours):
        self.award(amount, hours)

    def award(self, amount, hours):
        self.step()
        expires_at = NEVER if hours is None else self.now + timedelta(hours=hours)
        change = Change("ada", amount, expires_at=None if hours is None else expires_at)
        credited = award(tenant=self.fresh, change=change, now=self.now)
        pile = Pile(credited.transaction_id, amount, expires_at)
        self.book.piles.append(pile)
        self.book.earned += amount
        self.credits.append([pile, amount, False])

    @rule(amount=AMOUNTS)
    def deduct(self, amount):
        self.step()
        change = Change("ada", amount)
        if amount > self.book.balance:
            with pytest.raises(InsufficientPoints):
                deduct(tenant=self.fresh, change=change, now=self.now)
            return
        deducted = deduct(tenant=self.fresh, change=change, now=self.now)
        self.debits.append(Debit(deducted.transaction_id, self.book.take(amount, by_expiry)))
        self.book.spent += amount

    @rule(delta=st.integers(-30, 30).filter(bool))
    def adjust(self, delta):
        self.step()
        if -delta > self.book.balance:
            with pytest.raises(InsufficientPoints):
                adjust(tenant=self.fresh, participant_id="ada", delta=delta, reason="r", now=self.now)
            return
        adjusted = adjust(tenant=self.fresh, participant_id="ada", delta=delta, reason="r", now=self.now)
        self.book.earned += delta
        if delta > 0:
            pile = Pile(adjusted.transaction_id, delta)
            self.book.piles.append(pile)
            self.credits.append([pile, delta, False])
        else:
            parts = self.book.take(-delta, by_expiry)
            self.debits.append(Debit(adjusted.transaction_id, parts, kind="adjust"))

    @rule()
    def claim(self):
        self.step()
        asked = {"reward_id": str(self.reward.pk), "participant_id": "ada", "deducts_points": True}
        if self.book.balance < 13:
            with pytest.raises(InsufficientPoints):
                claim(tenant=self.fresh, **asked, now=self.now)
            return
        claimed = claim(tenant=self.fresh, **asked, now=self.now)
        entry = LedgerEntry.objects.filter(tenant=self.tenant, type="claim").order_by("-number")[0]
        parts = self.book.take(13, by_expiry)
        self.debits.append(Debit(entry.pk, parts, kind="claim", claim_id=claimed.claim_id))
        self.book.spent += 13

    @precondition(lambda self: any(debit.kind == "claim" for debit in self.debits))
    @rule(data=st.data())
    def cancel(self, data):
        self.step()
        debit = data.draw(st.sampled_from([debit for debit in self.debits if debit.kind == "claim"]))
        asked = {"claim_id": str(debit.claim_id), "reason": None}
        if debit.is_undone:
            with pytest.raises(AlreadyCancelled):
                cancel(tenant=self.fresh, **asked, now=self.now)
            return
        cancel(tenant=self.fresh, **asked, now=self.now)
        self.put_back(debit)

    def put_back(self, debit):
        amount = sum(part for _, part in debit.parts)
        self.book.give_back(debit.parts, self.now)
        if debit.kind == "adjust":
            self.book.earned += amount
        else:
            self.book.spent -= amount
        debit.is_undone = True

    @precondition(lambda self: any(debit.kind != "claim" for debit in self.debits))
    @rule(data=st.data())
    def reverse_a_debit(self, data):
        self.step()
        debit = data.draw(st.sampled_from([debit for debit in self.debits if debit.kind != "claim"]))
        asked = {"transaction_id": str(debit.entry_id), "reason": None}
        if debit.is_undone:
            with pytest.raises(AlreadyReversed):
                reverse(tenant=self.fresh, **asked, now=self.now)
            return
        reverse(tenant=self.fresh, **asked, now=self.now)
        self.put_back(debit)

    @precondition(lambda self: self.credits)
    @rule(data=st.data(), is_dry_run=st.booleans())
    def reverse_a_credit(self, data, is_dry_run):
        self.step()
        credit = data.draw(st.sampled_from(self.credits))
        pile, amount, is_undone = credit
        asked = {"transaction_id": str(pile.entry_id), "reason": None, "is_dry_run": is_dry_run}
        wanted = amount - pile.expired
        refusal = self.refusal(wanted, is_undone=is_undone)
        if refusal:
            with pytest.raises(refusal):
                reverse(tenant=self.fresh, **asked, now=self.now)
            return
        undone = reverse(tenant=self.fresh, **asked, now=self.now)
        assert (undone.delta, undone.new_balance) == (-wanted, self.book.balance - wanted)
        if not is_dry_run:
            self.book.take(wanted, self.order_of(pile))
            self.book.earned -= wanted
            credit[2] = True

    def refusal(self, wanted, *, is_undone):
        if is_undone:
            return AlreadyReversed
        if wanted > self.book.balance:
            return InsufficientPoints
        return None if wanted else NotReversible

    def order_of(self, own):
        """What is left of it first; then what never expires where it does not, else what expires first."""
        never_first = own.expires_at == NEVER
        return lambda pile: (
            pile is not own or never_first,
            never_first and pile.expires_at != NEVER,
            pile.expires_at,
        )

    @rule(hours=HOURS, is_swept=st.booleans())
    def time_passes(self, hours, is_swept):
        self.now += timedelta(hours=hours)
        self.book.pass_time(self.now)
        if is_swept:
            expire(tenant=self.fresh, now=self.now)

    @invariant()
    def every_answer_agrees(self):
        ada = find_participant(self.tenant, "ada", now=self.now)
        said = (0, 0, 0, 0) if ada is None else (ada.balance, ada.total_earned, ada.total_spent, ada.total_expired)
        assert said == (self.book.balance, self.book.earned, self.book.spent, self.book.expired)
        self.seen.append((self.now, said))

    @invariant()
    def what_is_written_agrees_with_itself(self):
        ada = Participant.objects.filter(tenant=self.tenant).first()
        if ada is None:
            return
        entries = list(LedgerEntry.objects.of(ada).order_by("number"))
        assert [entry.number for entry in entries] == list(range(1, ada.ledger_count + 1))
        assert sum(entry.delta for entry in entries) == ada.balance == (entries[-1].balance_after if entries else 0)
        rows = ExpiringCredit.objects.of(ada)
        assert (rows.aggregate(rest=Sum("rest"))["rest"] or 0) <= ada.balance
        first = rows.unspent().order_by("expires_at").first()
        assert ada.next_expiry_at == (first.expires_at if first else None)
        left = {pile.entry_id: pile.left for pile in self.book.piles if pile.expires_at > self.now}
        for row in rows.filter(expires_at__gt=self.now):
            assert row.rest == left[row.entry_id]

    def teardown(self):
        """What was said of any moment is still said of it, when it is asked for later; and nobody who audits it finds a fault."""
        if not hasattr(self, "tenant"):
            return
        ada = find_participant(self.tenant, "ada", now=self.now)
        for at, said in dict(self.seen).items():
            totals = totals_at(ada, at, now=self.now)
            assert (totals.balance, totals.earned, totals.spent, totals.expired) == said
        faults = []
        audit(tenant=self.tenant, now=self.now, report=faults.append)
        assert not faults


@pytest.mark.timeout(600)
@pytest.mark.django_db
def test_the_ledger_agrees_with_the_book():
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
