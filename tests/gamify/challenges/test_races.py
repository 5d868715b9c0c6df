"""One participant and several connections, with real threads."""

from datetime import UTC, datetime

import pytest

from gamify.challenges.models import Enrolment
from gamify.challenges.services import enroll
from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit
from gamify.points.models import LedgerEntry
from participants.models import DomainEvent, Participant, Tenant
from tests.factories import ChallengeFactory, objective
from tests.threads import all_at_once

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
AT_ONCE = 6

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.two_connections]


def fresh(tenant):
    return Tenant.objects.get(pk=tenant.pk)


def test_events_at_the_same_moment_complete_a_challenge_once(tenant):
    grants = [{"type": "points", "amount": 10}]
    milestones = [{"objectives": 1, "grants": grants}]
    ChallengeFactory(tenant=tenant, objectives=[objective("login", 4)], milestones=milestones, completion_grants=grants)

    answers = all_at_once(
        [lambda: emit(tenant=fresh(tenant), event=EventInput("ada", "login", NOW), now=NOW)] * AT_ONCE
    )

    earned = [given["type"] for answer in answers for given in answer.rewards_granted]
    assert sorted(earned) == ["challenge", "points", "points"]
    assert LedgerEntry.objects.count() == 2
    assert Participant.objects.get().challenges_completed == 1
    assert Enrolment.objects.get().progress["login"][0] == 4


def test_enrolling_at_the_same_moment_enrols_once(tenant):
    ChallengeFactory(tenant=tenant, code="quest")

    answers = all_at_once([lambda: enroll(tenant=fresh(tenant), participant_id="ada", code="quest", now=NOW)] * AT_ONCE)

    assert [answer.status for answer in answers] == ["active"] * AT_ONCE
    assert Enrolment.objects.count() == 1
    assert DomainEvent.objects.filter(type="challenge.enrolled").count() == 1
