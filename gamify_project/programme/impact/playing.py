"""Plays the past under two sets of definitions, in dry runs of the unit of work: the code that decided then decides again.

Each participant is a new one in memory, with today's attributes, who stands as they stood when the period began. All do again what they
did, at the same times. What the product refuses now, such as a claim without the points for it, does not happen.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from gamify_project.programme.impact.acts import Act
from gamify_project.programme.impact.drafting import Side, planned_side, present_side
from gamify_project.programme.impact.past import Past, Person
from gamify_project.programme.impact.report import Gained, Impact
from gamify_project.programme.impact.standing import put
from gamify_project.programme.planning import Plan
from participants.errors import DomainError
from participants.models import DomainEvent, Participant
from participants.work import UnitOfWork, reading, restartable, settle, unit_of_work

OnProgress = Callable[[int], object]
"""Called after each batch with the number of participants in it."""

CODE_FIELDS = {"badge.awarded": "badge_code", "challenge.completed": "challenge_code"}
REWARDS = ("reward.claimed", "reward.pending")


def impact_of(
    plan: Plan,
    *,
    days: int,
    now: datetime,
    max_events: int | None = None,
    on_progress: OnProgress = lambda participants: None,
) -> Impact:
    """Play the last `days` days under the present definitions and under those of `plan`. Nothing is written or locked while playing."""
    with reading(plan.tenant):
        return _played(
            plan, since=now - timedelta(days=days), days=days, now=now, max_events=max_events, on_progress=on_progress
        )


def _played(
    plan: Plan, *, since: datetime, days: int, now: datetime, max_events: int | None, on_progress: OnProgress
) -> Impact:
    before, after = present_side(plan.tenant, since=since), planned_side(plan, since=since)
    past = Past(plan.tenant, since=since, until=now, max_events=max_events)
    impact = Impact(days)
    for people in past.batches():
        sides = [_play(side=side, people=people, now=now) for side in (before, after)]
        for person in people:
            impact.add(person, *(side[person.row.external_id] for side in sides))
        on_progress(len(people))
    impact.is_cut = past.is_cut
    return impact


@restartable
def _play(*, side: Side, people: Sequence[Person], now: datetime) -> Mapping[str, Gained]:
    """Return what each participant gets under the definitions of `side`, by external id. Takes what they get from its stock."""
    stock = side.stock()
    with unit_of_work(side.tenant, [], now=now, is_silent=True, is_dry_run=True, is_history=True) as work:
        work.assume(*stock)
        participants = {person.row.external_id: put(work, person.row, person.standing) for person in people}
        for act, external_id in _in_order(people):
            _do(work, participants[external_id], act)
        work.now = now
        gained = {name: Gained(tier=participant.tier_code) for name, participant in participants.items()}
        for participant, event in work.emitted:
            _note(gained[participant.external_id], event, side)
    side.take(stock)
    return gained


def _in_order(people: Sequence[Person]) -> Sequence[tuple[Act, str]]:
    """Return what all of them did, in the order in which it happened: who comes first gets the last piece."""
    acts = [(act, person.row.external_id) for person in people for act in person.acts]
    return sorted(acts, key=lambda pair: pair[0].at)


def _do(work: UnitOfWork, participant: Participant, act: Act) -> None:
    """Play one act at its time. What the product refuses gives nothing."""
    work.now = act.at
    settle(work, [participant])
    try:
        act.play(work, participant)
    except DomainError:
        return


def _note(gained: Gained, event: DomainEvent, side: Side) -> None:
    data: Mapping[str, Any] = event.data
    if event.type == "points.awarded":
        gained.points += data["amount"]
    elif event.type in REWARDS:
        gained.things["reward", side.rewards[UUID(data["reward_id"])].code] += 1
    elif event.type in CODE_FIELDS:
        gained.things[event.type.partition(".")[0], data[CODE_FIELDS[event.type]]] += 1
