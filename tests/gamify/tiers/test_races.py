"""Two connections and more, at the same moment. These run on SQLite too, where writers queue up."""

from functools import partial

import pytest
from django.utils import timezone

from gamify.points.services import Change, award, award_batch
from gamify.tiers.models import TierChange
from gamify.tiers.services import Assignment, AssignmentResult, assign
from participants.models import DomainEvent, Participant
from participants.services.tenants import create_tenant
from tests.client import Api
from tests.factories import TierFactory, raw_key
from tests.threads import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    tenant = create_tenant(slug="acme", name="Acme", now=timezone.now())
    for code, level, min_points in (("bronze", 1, 0), ("silver", 2, 100), ("gold", 3, 1000)):
        TierFactory(tenant=tenant, code=code, level=level, criteria_config={"min_points": min_points})
    return tenant


@pytest.fixture
def now():
    return timezone.now()


def test_two_awards_that_cross_the_same_threshold_are_one_upgrade(tenant, now):
    award(tenant=tenant, change=Change("user_1", 90), now=now)

    results = all_at_once([partial(award, tenant=tenant, change=Change("user_1", 20), now=now)] * 2)

    assert sorted(result.tier_upgrade is None for result in results) == [False, True]
    assert DomainEvent.objects.filter(type="tier.upgraded").count() == 1
    assert list(TierChange.objects.oldest_first().values_list("number", "code")) == [(1, "bronze"), (2, "silver")]


def test_16_first_awards_of_a_new_participant_pass_every_threshold_once(tenant, now):
    results = all_at_once([partial(award, tenant=tenant, change=Change("new", 70), now=now)] * 16)

    assert sorted(result.tier_upgrade.code for result in results if result.tier_upgrade) == ["gold", "silver"]
    assert [change.code for change in TierChange.objects.oldest_first()] == ["bronze", "silver", "gold"]


def test_assignments_awards_and_batches_at_once_leave_one_chain(tenant, now):
    give = partial(assign, tenant=tenant, now=now)
    calls = [partial(give, assignment=Assignment("user_1", code)) for code in ("gold", "silver", "bronze")] * 3
    calls += [partial(award, tenant=tenant, change=Change("user_1", 60), now=now)] * 4
    calls += [
        partial(award_batch, tenant=tenant, changes=[Change("user_1", 60)] * 3, refused={}, key=None, now=now)
    ] * 2

    results = all_at_once(calls)

    assert not [result for result in results if isinstance(result, Exception)]
    changes = list(TierChange.objects.oldest_first())
    assert [change.number for change in changes] == list(range(1, len(changes) + 1))
    assert [change.previous_code for change in changes[1:]] == [change.code for change in changes[:-1]]
    assert Participant.objects.get().tier_code == changes[-1].code


def test_equal_assignments_under_one_key_are_one_assignment(tenant, now):
    assignment = Assignment("user_1", "gold", idempotency_key="vip")

    results = all_at_once([partial(assign, tenant=tenant, assignment=assignment, now=now)] * 8)

    assert all(isinstance(result, AssignmentResult) for result in results), results
    assert sum(result.is_replay for result in results) == 7
    assert DomainEvent.objects.filter(type="tier.assigned").count() == TierChange.objects.count() == 1


def test_two_concurrent_changes_of_one_tier_cannot_make_it_invalid(tenant):
    tier = TierFactory(tenant=tenant, award_type="manual", criteria_config={"min_points": 5})
    api = Api(raw_key(tenant, "admin"))
    patch = partial(api.patch, f"/admin/tiers/{tier.pk}")

    answers = all_at_once([partial(patch, {"award_type": "automatic"}), partial(patch, {"criteria_config": {}})])

    assert sorted(answer.status_code for answer in answers) == [200, 422]
