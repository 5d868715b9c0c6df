"""Sums of event properties are answered with all digits, however large they are."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from gamify.badges.profile import badge_body
from gamify.badges.selectors.statuses import BadgeStatus
from gamify.badges.selectors.statuses import Progress as BadgeProgress
from gamify.challenges.engine import Objective, State
from gamify.facts.engine.conditions import Condition, ConditionKind, Progress
from gamify.facts.engine.metrics import MetricKind
from gamify.leaderboards.engine.measures import compile_measure
from participants.engine import exact_number
from streaks.selectors.progress import sum_as_json

pytestmark = pytest.mark.engine

SUMS = [Decimal("999999999999999.000001"), Decimal("1000000000000000000.5"), Decimal("0.1"), Decimal("1.5"), Decimal(7)]
CONDITION = Condition(ConditionKind.SUM, Decimal(10**30), "n")


def on_a_board(total):
    return compile_measure("event_sum", MetricKind.EVENT_SUM, {"field": "n"}).display_score(int(total * 10**6))


def in_a_challenge(total):
    state = State(enrolled_at=datetime(2026, 1, 1, tzinfo=UTC), progress={"o": Progress(1, total)})
    return state.current(Objective("o", "O", CONDITION))


def as_a_target(total):
    return Objective("o", "O", replace(CONDITION, minimum=total)).target


def of_a_badge(total):
    badge = SimpleNamespace(code="b", name="B", description=None, icon=None, rarity="common")
    return badge_body(BadgeStatus(badge, None, BadgeProgress(total, total)))["progress"]["current"]


@pytest.mark.parametrize("shown", [on_a_board, in_a_challenge, as_a_target, of_a_badge, sum_as_json, exact_number])
@pytest.mark.parametrize("total", SUMS)
def test_no_digit_of_a_sum_is_lost(shown, total):
    assert Decimal(str(shown(total))) == total
