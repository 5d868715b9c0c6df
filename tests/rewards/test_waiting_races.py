"""Pending claims are not overtaken_pairs, and no deadlock occurs, whatever two connections do concurrently."""

import random
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit
from gamify.points.services import Change, award
from participants.auditing import audits
from participants.errors import DomainError
from participants.models import DomainEvent, Participant, Tenant
from participants.services.tenants import create_tenant
from rewards.models import Claim, Reward
from rewards.services import add_codes, cancel, change_reward, claim, create_reward, serve_pending_in_chunks
from tests.factories import RuleFactory
from tests.threads import all_at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.two_connections]


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def tenant(now):
    return create_tenant(slug="acme", name="Acme", now=now)


@pytest.fixture
def mug(tenant, now):
    """A reward without stock, which a rule grants for the event `mug`."""
    return granted(tenant, now, "mug", total_inventory=0, max_claims_per_user=None)


def granted(tenant, now, name, **fields):
    reward = create_reward(tenant=tenant, data={"name": name, "reward_type": "physical", **fields}, now=now)
    RuleFactory(tenant=tenant, code=name, event_types=[name], grants=[{"type": "reward", "id": str(reward.pk)}])
    return reward


def buy(tenant, user, name="mug"):
    tenant, now = Tenant.objects.get(pk=tenant.pk), timezone.now()
    return emit(tenant=tenant, event=EventInput(user, name, now), now=now)


def ask(tenant, reward, user):
    try:
        answer = claim(tenant=tenant, reward_id=str(reward.pk), participant_id=user, now=timezone.now())
    except DomainError as refusal:
        return refusal.code
    return answer.code_value or "claimed"


def restock(tenant, reward, **changes):
    tenant = Tenant.objects.get(pk=tenant.pk)
    change_reward(tenant=tenant, reward_id=str(reward.pk), changes=lambda locked: changes, now=timezone.now())


def states(reward):
    rows = Claim.objects.filter(reward_id=reward.pk).order_by("pk")
    return list(rows.values_list("participant__external_id", "status"))


@contextmanager
def uncommitted(write):
    """Another connection has run `write` and commits at the end of the block."""
    written, ends = Event(), Event()

    def run():
        try:
            with transaction.atomic():
                write()
                written.set()
                assert ends.wait(30)
        finally:
            connections.close_all()

    thread = Thread(target=run)
    thread.start()
    assert written.wait(30)
    yield
    ends.set()
    thread.join(30)
    assert not thread.is_alive()


def is_somebody_waiting():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


@contextmanager
def waiting_behind(first, second):
    """`second` waits on one connection for the end of `first` on another; the block runs meanwhile."""
    with thread_results() as (start, results), uncommitted(first):
        start(second)
        yield results


@contextmanager
def thread_results():
    results, threads = [], []

    def start(call):
        def run():
            try:
                results.append(call())
            finally:
                connections.close_all()

        threads.append(Thread(target=run))
        threads[-1].start()
        while not is_somebody_waiting():
            assert threads[-1].is_alive(), "it did not wait"

    yield start, results
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_a_claim_during_a_restock_comes_after_pending_claims(tenant, mug):
    buy(tenant, "w")

    with waiting_behind(partial(restock, tenant, mug, total_inventory=1), partial(ask, tenant, mug, "n")) as results:
        pass

    assert results == ["out_of_stock"]
    assert states(mug) == [("w", "claimed")]


def test_stock_that_comes_during_a_grant_goes_to_its_pending_claim(tenant, mug):
    with waiting_behind(partial(buy, tenant, "w"), partial(restock, tenant, mug, total_inventory=1)):
        pass

    assert states(mug) == [("w", "claimed")]
    assert ask(tenant, mug, "n") == "out_of_stock"


def test_a_restock_waits_for_a_locked_participant_and_serves_them(tenant, mug, now):
    buy(tenant, "w")
    points = partial(award, tenant=tenant, change=Change("w", 10), now=now)

    with waiting_behind(points, partial(restock, tenant, mug, total_inventory=1)):
        assert ask(tenant, mug, "n") == "out_of_stock"

    assert states(mug) == [("w", "claimed")]
    assert Participant.objects.get(external_id="w").balance == 10


def deadlocks():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


def at_random(tenant, rewards, seed):
    """Send fifty random requests on one connection. Returns the errors."""
    chance, problems = random.Random(seed), []
    for number in range(50):
        reward = chance.choice(rewards)
        deeds = (
            partial(buy, tenant, f"w{chance.randrange(30)}", chance.choice(["mug", "coupon", "both"])),
            partial(
                claim, tenant=tenant, reward_id=str(reward.pk), participant_id=f"n{seed}-{number}", now=timezone.now()
            ),
            partial(cancel_one_of, tenant, reward, chance),
            partial(bring, tenant, reward, f"{seed}-{number}"),
        )
        try:
            chance.choices(deeds, (6, 4, 2, 1))[0]()
        except DomainError as refusal:
            if refusal.status not in {400, 404}:
                problems.append(refusal)
    return problems


def bring(tenant, reward, name):
    if reward.reward_type == "coupon":
        add_codes(
            tenant=tenant, reward_id=str(reward.pk), codes=[f"{name}-{each}" for each in "ABC"], now=timezone.now()
        )
    else:
        restock(tenant, reward, total_inventory=Reward.objects.get(pk=reward.pk).claimed + 3)


def cancel_one_of(tenant, reward, chance):
    claims = list(Claim.objects.filter(reward_id=reward.pk).exclude(status="cancelled").values_list("pk", flat=True))
    if claims:
        cancel(tenant=tenant, claim_id=str(chance.choice(claims)), reason=None, now=timezone.now())


def first_events(*kinds):
    """Map claim ids to the id of their first event of these kinds. Ids that one process makes are ordered by time."""
    rows = DomainEvent.objects.filter(type__in=kinds).order_by("-pk").values_list("data__claim_id", "pk")
    return dict(rows)


def overtaken_pairs(reward):
    """Pairs of claims of which the later one was served while the earlier one was pending."""
    waited, served = first_events("reward.pending"), first_events("reward.claimed")
    ended = first_events("reward.claimed", "reward.cancelled")
    claims = [str(pk) for pk in Claim.objects.filter(reward_id=reward.pk).order_by("pk").values_list("pk", flat=True)]
    return [
        (earlier, later)
        for place, earlier in enumerate(claims)
        if earlier in waited
        for later in claims[place + 1 :]
        if later in served and (earlier not in ended or served[later] < ended[earlier])
    ]


def test_random_concurrent_requests_overtake_no_pending_claim_and_do_not_deadlock(tenant, mug, now):
    coupon = granted(tenant, now, "coupon", max_claims_per_user=None)
    add_codes(tenant=tenant, reward_id=str(coupon.pk), codes=["FIRST"], now=now)
    grants = [{"type": "reward", "id": str(reward.pk)} for reward in (mug, coupon)]
    RuleFactory(tenant=tenant, code="both", event_types=["both"], grants=grants)
    before = deadlocks()

    rewards = [mug, Reward.objects.get(pk=coupon.pk)]
    problems = all_at_once([partial(at_random, tenant, rewards, seed) for seed in range(8)])

    assert problems == [[]] * 8
    assert deadlocks() == before
    assert not rewards_awaited_in_stock(rewards)
    assert first_events("reward.pending")
    assert [found for reward in rewards for found in overtaken_pairs(reward)] == []
    assert [drift for name in ("claims", "stock") for drift in audits[name].find(tenant, lambda number: None)] == []


def rewards_awaited_in_stock(rewards):
    """Rewards that have stock and pending claims: the sweep would serve them."""
    return [
        reward.name
        for reward in rewards
        if sum(serve_pending_in_chunks(reward=Reward.objects.get(pk=reward.pk), now=timezone.now()))
    ]
