"""Two connections and more, at the same moment. These run on SQLite too, where writers queue up."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from gamify.badges.models import Badge, BadgeAward
from gamify.badges.services import award
from participants.models import DomainEvent, Participant
from participants.services.definitions import CodeConflict, create_definition, update_definition
from participants.services.tenants import create_tenant
from tests.factories import BadgeFactory, ParticipantFactory
from tests.threads import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return create_tenant(slug="acme", name="Acme", now=timezone.now())


@pytest.mark.parametrize("is_known", [True, False])
def test_16_identical_awards_are_one_award_and_16_equal_answers(tenant, is_known):
    BadgeFactory(tenant=tenant, code="first_steps")
    if is_known:
        ParticipantFactory(tenant=tenant, external_id="user_1")
    now = timezone.now()
    give = partial(award, tenant=tenant, participant_id="user_1", badge_code="first_steps")

    results = all_at_once([
        partial(give, metadata={"attempt": attempt}, now=now + timedelta(milliseconds=attempt))
        for attempt in range(16)
    ])  # fmt: skip

    row = BadgeAward.objects.get()
    assert {result.earned_at for result in results} == {row.earned_at}
    assert [result.already_earned for result in results].count(False) == 1
    assert row.earned_at == now + timedelta(milliseconds=row.metadata["attempt"])
    assert Participant.objects.count() == DomainEvent.objects.filter(type="badge.awarded").count() == 1


def test_concurrent_awards_of_different_badges_are_all_earned(tenant):
    badges = BadgeFactory.create_batch(16, tenant=tenant)
    give = partial(award, tenant=tenant, participant_id="user_1", metadata={}, now=timezone.now())

    results = all_at_once([partial(give, badge_code=badge.code) for badge in badges])

    assert not any(result.already_earned for result in results)
    assert BadgeAward.objects.count() == 16
    assert Participant.objects.count() == 1


def test_16_concurrent_creations_of_one_code_create_one_badge_and_15_conflicts(tenant):
    create = partial(create_definition, Badge, noun="badge", tenant=tenant, now=timezone.now())

    results = all_at_once([partial(create, data={"code": "same", "name": f"Badge {n}"}) for n in range(16)])

    assert sum(isinstance(result, CodeConflict) for result in results) == 15
    assert [result.name for result in results if isinstance(result, Badge)] == [Badge.objects.get().name]


def test_concurrent_edits_of_different_fields_are_all_stored(tenant):
    badge = BadgeFactory(tenant=tenant)
    changes = [{"name": "New"}, {"rarity": "epic"}, {"category": "event"}, {"display_order": 7}]
    rows = [Badge.objects.get() for _ in changes]

    all_at_once([
        partial(update_definition, row, tenant=tenant, changes=change, now=timezone.now())
        for row, change in zip(rows, changes, strict=True)
    ])  # fmt: skip

    badge.refresh_from_db()
    assert (badge.name, badge.rarity, badge.category, badge.display_order) == ("New", "epic", "event", 7)
