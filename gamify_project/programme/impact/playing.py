"""Plays the past under two sets of definitions, in dry runs of the unit of work: the code that decided then decides again.

Each participant is a new one in memory, with today's attributes, and with points, tier and badges as they were when the period
began. Streaks, challenges, limits of rules and claims begin at nothing, on both sides alike. What a participant would have done
otherwise is not known: claims for points, deductions and direct ticks are not played.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from gamify.facts.engine.events import EventInput
from gamify.facts.services import publish_changes
from gamify.facts.services.events import emit_in_unit
from gamify.points.services import Note, credit
from gamify_project.programme.impact.drafting import Side, planned_side, present_side
from gamify_project.programme.impact.past import Act, Past, Person
from gamify_project.programme.impact.report import Gained, Impact
from gamify_project.programme.planning import Plan
from participants.errors import DomainError
from participants.models import DomainEvent, Participant
from participants.work import UnitOfWork, restartable, unit_of_work

OnProgress = Callable[[int], object]
"""Called after each batch with the number of participants in it."""

NOTE = Note("Replayed award", {}, None)
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
    before = present_side(plan.tenant)
    after = planned_side(plan, at=before)
    past = Past(plan.tenant, since=now - timedelta(days=days), until=now, max_events=max_events)
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
    """Return what each participant gets under the definitions of `side`, by external id."""
    with unit_of_work(side.tenant, [], now=now, is_silent=True, is_dry_run=True, is_history=True) as work:
        work.assume(*side.fresh_rewards())
        participants = {person.row.external_id: _as_they_were(work, person) for person in people}
        for person in people:
            for act in person.acts:
                _do(work, participants[person.row.external_id], act)
        gained = {name: Gained(tier=participant.tier_code) for name, participant in participants.items()}
        for participant, event in work.emitted:
            _note(gained[participant.external_id], event, side)
        return gained


def _as_they_were(work: UnitOfWork, person: Person) -> Participant:
    participant = work.participant(person.row.external_id)
    for name in ("attributes", "timezone", "past_zones", "visible", "is_active"):
        setattr(participant, name, getattr(person.row, name))
    participant.balance, participant.total_earned = person.balance, person.earned
    participant.total_spent = person.earned - person.balance
    participant.tier_code = person.tier_code
    return participant


def _do(work: UnitOfWork, participant: Participant, act: Act) -> None:
    """Play one act. What the product refuses, such as points beyond 64 bits, gives nothing."""
    try:
        if act.name:
            emit_in_unit(work, EventInput(participant.external_id, act.name, act.at, act.properties), None)
        else:
            credit(work, participant, act.points, note=NOTE, at=act.at)
            publish_changes(work, participant, now=work.now, at=act.at)
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
