"""A reversed event gives back what it used up of the limits of rules."""

from datetime import UTC, date, datetime, timedelta

import pytest

from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit, reverse_event
from gamify.rules.engine.limits import Tally, without_firing
from gamify.rules.models import RuleTally
from tests.factories import RuleFactory, TierFactory

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def bought(tenant, at=NOW, user="ada"):
    return emit(tenant=tenant, event=EventInput(user, "purchase", at), now=NOW)


def undo(tenant, emitted, **given):
    return reverse_event(tenant=tenant, event_id=str(emitted.event_id), reason=None, now=NOW, **given)


def gives(tenant, at=NOW):
    """Whether the rule fires for one more event."""
    return bool(bought(tenant, at).rewards_granted)


@pytest.mark.parametrize("limit", ["per_day", "per_week", "ever"])
def test_a_limit_that_an_event_used_up_is_given_back(tenant, limit):
    RuleFactory(tenant=tenant, limits={limit: 2})
    first, _ = bought(tenant), bought(tenant)
    assert not gives(tenant)

    undo(tenant, first)

    assert [gives(tenant), gives(tenant)] == [True, False]


def test_reversing_the_only_firing_removes_the_tally(tenant):
    RuleFactory(tenant=tenant, limits={"ever": 1})

    undo(tenant, bought(tenant))

    assert not RuleTally.objects.exists()


def test_a_cooldown_counts_from_the_newest_firing_that_remains(tenant):
    RuleFactory(tenant=tenant, limits={"cooldown_seconds": 3600})
    bought(tenant, NOW - timedelta(hours=2))
    last = bought(tenant, NOW)

    undo(tenant, last)

    assert RuleTally.objects.get().last_at == NOW - timedelta(hours=2)
    assert [gives(tenant, NOW - timedelta(minutes=60)), gives(tenant, NOW - timedelta(minutes=10))] == [True, False]


def test_a_cooldown_counts_from_a_firing_of_an_earlier_day(tenant):
    RuleFactory(tenant=tenant, limits={"cooldown_seconds": 3600, "ever": 9})
    bought(tenant, NOW - 3 * DAY)
    last = bought(tenant, NOW)

    undo(tenant, last)

    tally = RuleTally.objects.get()
    assert (tally.total, tally.days, tally.last_at) == (1, {"2026-02-11": 1}, NOW - 3 * DAY)


def test_a_firing_that_was_not_the_newest_leaves_the_cooldown_alone(tenant):
    RuleFactory(tenant=tenant, limits={"cooldown_seconds": 3600})
    early = bought(tenant, NOW - timedelta(hours=5))
    bought(tenant, NOW)

    undo(tenant, early)

    assert RuleTally.objects.get().last_at == NOW


def test_a_firing_for_a_change_that_followed_is_given_back_too(tenant):
    TierFactory(tenant=tenant, code="start", level=1, criteria_config={"min_points": 0})
    TierFactory(tenant=tenant, code="gold", level=2, criteria_config={"min_points": 10})
    RuleFactory(tenant=tenant, code="pays")
    RuleFactory(tenant=tenant, code="cheers", event_types=[], changes=["tier.upgraded"], limits={"ever": 5})
    emitted = bought(tenant)
    assert RuleTally.objects.get().total == 1

    undo(tenant, emitted)

    assert not RuleTally.objects.exists()


def test_the_limits_of_others_and_of_a_preview_stay(tenant, nothing_written):
    RuleFactory(tenant=tenant, limits={"ever": 1})
    bought(tenant, user="bob")
    emitted = bought(tenant)

    with nothing_written():
        undo(tenant, emitted, is_dry_run=True)
    undo(tenant, emitted)

    assert RuleTally.objects.get().participant.external_id == "bob"


@pytest.mark.engine
def test_a_day_that_is_no_longer_stored_counts_only_in_the_total():
    tally = Tally(5, {date(2026, 2, 14): 2}, NOW)

    assert without_firing(tally, day=date(2025, 1, 1), last_at=NOW) == Tally(4, {date(2026, 2, 14): 2}, NOW)
