"""An event is undone: challenges stand as if it had never come."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gamify.challenges.engine import MatchedEvent, ReplayResult, State, replay
from gamify.challenges.models import Enrolment
from gamify.challenges.selectors import CompiledChallenge, challenges_in
from gamify.challenges.services.advancing import challenge_payload, loads_for
from gamify.facts.models import Event
from gamify.facts.selectors import others_of
from gamify.facts.services import Undone
from participants.models import Participant
from participants.work import UnitOfWork

DOMAIN = "challenges"
UNKNOWN_STATE = "It was changed since: where they would be without the event is not known"
EARNED_BY_ANOTHER = "What was given for it came of another event"
STILL_REACHED = "It is reached without the event too; what was given for it is taken back, and is not given again"


@dataclass(frozen=True)
class _Past:
    """What a challenge has heard of a participant, and whether they were enrolled before it."""

    history: Sequence[MatchedEvent]
    enrolled_at: datetime | None


def undo(work: UnitOfWork, participant: Participant, event: Event) -> Iterator[Undone]:
    """Since prerequisites, rounds and days hang on the order of events, all that a challenge has heard is gone through again
    without this one. It is believed where going through it with this one leads to where they stand; where it does not, since
    the challenge has been changed, they stand as they stood. Whoever was enrolled by this event alone is not any more.
    """
    marks = event.undo_notes_of(DOMAIN)
    if not marks:
        return
    known = challenges_in(work.catalog).by_id
    challenges = [known[UUID(mark["id"])] for mark in marks]
    work.load(loads_for(challenges))
    pasts = _pasts(event)
    for challenge in challenges:
        row = work.row(Enrolment, participant, challenge.id)
        if row is not None:
            yield from _undo(work, participant, challenge, row, pasts[str(challenge.id)], event)


def _pasts(event: Event) -> Mapping[str, _Past]:
    """By challenge, all that it heard, this event too, in the order in which it came; one read for all of them."""
    others = others_of(event).order_by("pk").only("occurred_at", "marks").iterator()
    heard: defaultdict[str, list[tuple[MatchedEvent, str | None]]] = defaultdict(list)
    for each in sorted([*others, event], key=lambda each: each.pk):
        for mark in each.undo_notes_of(DOMAIN):
            heard[mark["id"]].append((MatchedEvent(each.pk, each.occurred_at, mark["heard"]), mark["since"]))
    return {challenge: _past(found) for challenge, found in heard.items()}


def _past(heard: Sequence[tuple[MatchedEvent, str | None]]) -> _Past:
    """Whoever was enrolled by an event, of which no other is older, begins with an event."""
    since = heard[0][1]
    return _Past([each for each, _ in heard], None if since is None else datetime.fromisoformat(since))


def _undo(
    work: UnitOfWork, participant: Participant, challenge: CompiledChallenge, row: Enrolment, past: _Past, event: Event
) -> Iterator[Undone]:
    before = replay(challenge.rules, past.history, enrolled_at=past.enrolled_at)
    if before.state != row.state:
        yield _undone(challenge, "challenge_progress", kept=UNKNOWN_STATE)
        return
    rest = [each for each in past.history if each.key != event.pk]
    after = replay(challenge.rules, rest, enrolled_at=past.enrolled_at)
    if after.state != before.state:
        yield _set_back(work, participant, challenge, row, after.state)
    yield from _unchanged_parts(challenge, before, after, event)


def _set_back(
    work: UnitOfWork, participant: Participant, challenge: CompiledChallenge, row: Enrolment, state: State | None
) -> Undone:
    old, new = row.state, state or State(row.enrolled_at)
    if state is None:
        work.remove(row)
    else:
        _write(work, challenge, row, state)
    participant.challenges_completed += new.completions - old.completions
    open_again = [code for code in old.done if code not in new.done] if old.round == new.round else []
    counts = {"completions": new.completions, "total_completed": participant.challenges_completed}
    work.emit("challenge.set_back", participant, {**challenge_payload(challenge), "objectives": open_again, **counts})
    return _undone(challenge, "challenge" if new.completions < old.completions else "challenge_progress")


def _write(work: UnitOfWork, challenge: CompiledChallenge, row: Enrolment, state: State) -> None:
    row.state = state
    if not challenge.rules.term.has_ended(row.enrolled_at, work.now):
        row.expired_at = None
    work.change(row)


def _unchanged_parts(
    challenge: CompiledChallenge, before: ReplayResult, after: ReplayResult, event: Event
) -> Iterator[Undone]:
    """What other events brought with the help of this one, and what this one brought and others bring as well."""
    for (number, objectives), earned_by in before.earned_by.items():
        is_reached = (number, objectives) in after.earned_by
        type_name = "challenge" if objectives is None else "challenge_milestone"
        if earned_by != event.pk and not is_reached:
            yield _undone(challenge, type_name, amount=objectives, kept=EARNED_BY_ANOTHER)
        elif earned_by == event.pk and is_reached and _has_grants(challenge, objectives):
            yield _undone(challenge, type_name, amount=objectives, kept=STILL_REACHED)


def _has_grants(challenge: CompiledChallenge, objectives: int | None) -> bool:
    if objectives is None:
        return bool(challenge.grants)
    return any(each.grants for each in challenge.rules.milestones if each.objectives == objectives)


def _undone(challenge: CompiledChallenge, type_name: str, **more: Any) -> Undone:
    return Undone(type=type_name, name=challenge.name, code=challenge.code, **more)
