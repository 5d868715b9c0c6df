"""The ledger against a naive model: whatever is asked, in whatever order, both say the same."""

from collections import defaultdict
from datetime import UTC, datetime

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from gamify.points.engine import InsufficientPoints
from gamify.points.models import LedgerEntry
from gamify.points.services import AwardResult, Change, award, award_batch, deduct
from participants.ids import new_id
from participants.models import DomainEvent, Participant
from participants.services.participants import delete
from participants.services.tenants import create_tenant
from participants.work import IdempotencyKeyReused

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)

people = st.sampled_from(["ann", "Ann", "bob"])
amounts = st.integers(min_value=1, max_value=60)
keys = st.none() | st.sampled_from(["k1", "k2"])


class Ledger(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.tenant = create_tenant(slug=f"t-{new_id()}", name="T", now=NOW)
        self.entries = defaultdict(list)
        self.done = {}

    def expected(self, operation, change):
        """("new" | "replay" | "reused", balance) of the model."""
        earlier = self.done.get((operation, change.participant_id, change.idempotency_key))
        if change.idempotency_key is None or earlier is None:
            return "new", None
        return ("replay", earlier[1]) if earlier[0] == change.amount else ("reused", None)

    def write_down(self, operation, change, delta):
        self.entries[change.participant_id].append(delta)
        balance = sum(self.entries[change.participant_id])
        if change.idempotency_key is not None:
            self.done[operation, change.participant_id, change.idempotency_key] = (change.amount, balance)
        return balance

    def change_of(self, person, amount, key):
        return Change(person, amount, idempotency_key=key)

    @rule(person=people, amount=amounts, key=keys)
    def award(self, person, amount, key):
        change = self.change_of(person, amount, key)
        verdict, balance = self.expected("award", change)

        if verdict == "reused":
            with pytest.raises(IdempotencyKeyReused):
                award(tenant=self.tenant, change=change, now=NOW)
            return
        awarded = award(tenant=self.tenant, change=change, now=NOW)

        balance = balance if verdict == "replay" else self.write_down("award", change, amount)
        assert (awarded.new_balance, awarded.is_replay) == (balance, verdict == "replay")

    @rule(person=people, amount=amounts, key=keys)
    def deduct(self, person, amount, key):
        change = self.change_of(person, amount, key)
        verdict, balance = self.expected("deduct", change)

        if verdict == "reused":
            with pytest.raises(IdempotencyKeyReused):
                deduct(tenant=self.tenant, change=change, now=NOW)
        elif verdict == "new" and amount > sum(self.entries[person]):
            with pytest.raises(InsufficientPoints):
                deduct(tenant=self.tenant, change=change, now=NOW)
        else:
            deducted = deduct(tenant=self.tenant, change=change, now=NOW)
            balance = balance if verdict == "replay" else self.write_down("deduct", change, -amount)
            assert (deducted.new_balance, deducted.is_replay) == (balance, verdict == "replay")

    @rule(items=st.lists(st.tuples(people, amounts, keys), min_size=1, max_size=6))
    def award_batch(self, items):
        changes = [self.change_of(*item) for item in items]

        batch = award_batch(tenant=self.tenant, changes=changes, refused={}, key=None, now=NOW)

        for change, result in zip(changes, batch.results, strict=True):
            verdict, balance = self.expected("award", change)
            if verdict == "reused":
                assert isinstance(result.error, IdempotencyKeyReused)
                continue
            assert isinstance(result, AwardResult)
            balance = balance if verdict == "replay" else self.write_down("award", change, change.amount)
            assert (result.new_balance, result.is_replay) == (balance, verdict == "replay")

    @precondition(lambda self: any(self.entries.values()))
    @rule(data=st.data())
    def delete(self, data):
        person = data.draw(st.sampled_from([name for name, entries in self.entries.items() if entries]))

        delete(tenant=self.tenant, external_id=person, now=NOW)

        del self.entries[person]
        self.done = {key: value for key, value in self.done.items() if key[1] != person}

    @invariant()
    def database_says_the_same(self):
        rows = {row.external_id: row for row in Participant.objects.of(self.tenant)}
        assert set(rows) == {name for name, entries in self.entries.items() if entries}
        for name, row in rows.items():
            entries = LedgerEntry.objects.of(row).order_by("number")
            deltas = self.entries[name]
            assert list(entries.values_list("delta", flat=True)) == deltas
            assert list(entries.values_list("number", flat=True)) == list(range(1, len(deltas) + 1))
            assert [entry.balance_after for entry in entries] == [sum(deltas[: n + 1]) for n in range(len(deltas))]
            assert (row.balance, row.total_earned, row.total_spent) == (
                sum(deltas),
                sum(delta for delta in deltas if delta > 0),
                -sum(delta for delta in deltas if delta < 0),
            )
            told = DomainEvent.objects.filter(participant_id=row.pk, type__startswith="points.")
            assert told.count() == len(deltas)

    def teardown(self):
        in_ledger = LedgerEntry.objects.filter(tenant=self.tenant).aggregate(Sum("delta"))["delta__sum"] or 0
        assert in_ledger == sum(map(sum, self.entries.values()))


@pytest.mark.django_db
@pytest.mark.timeout(300)
def test_the_ledger_agrees_with_a_naive_model():
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
