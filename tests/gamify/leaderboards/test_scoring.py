"""The exact name of a domain event decides whether it changes scores."""

import pytest

from gamify.facts.services import board_metrics
from gamify.leaderboards.models import ScoreChange
from gamify.leaderboards.services.scoring import EVENT_RECORDED, PERSON_EVENTS
from participants import events
from participants.events import event_types
from participants.work import unit_of_work
from tests.gamify.leaderboards.boards import create_filled_board

WITHOUT_SCORES = {
    "participant.created",
    "event.reversed",  # the undoer of boards takes the amounts back
    "reward.claimed",
    "reward.pending",
    "reward.fulfilled",
    "reward.cancelled",
    "streak.nudged",
    "tier.entered",
    "tier.upgraded",
    "tier.assigned",
    "tier.reverted",
    "challenge.enrolled",
    "challenge.objective_completed",
    "challenge.completed",
    "challenge.expired",
    "challenge.set_back",
    "webhook.test",
    "webhook.disabled",
}


def test_each_type_of_domain_event_either_changes_scores_or_does_not():
    """A new type of domain event fails here until it is added to a metric or to WITHOUT_SCORES."""
    scoring = {EVENT_RECORDED, *PERSON_EVENTS, *(name for each in board_metrics.values() for name in each.changed_by)}

    assert scoring | WITHOUT_SCORES == set(event_types)
    assert not scoring & WITHOUT_SCORES


@pytest.mark.django_db
def test_a_new_domain_event_about_badges_does_not_count_as_a_badge(tenant, monkeypatch):
    create_filled_board(tenant, metric="badges_count")
    tenant.refresh_from_db()
    monkeypatch.setattr(event_types, "_entries", dict(event_types._entries))
    events.register("badge.shared", "A badge was shown to friends.", {})

    with unit_of_work(tenant, ["a"], now=tenant.created_at) as work:
        participant = work.participant("a")
        work.touch(participant)
        work.emit("badge.shared", participant, {})

    assert ScoreChange.objects.count() == 0
