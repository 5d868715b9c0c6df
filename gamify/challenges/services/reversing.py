"""Reversal of an event: enrolments get the state that they would have without it."""

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
UNKNOWN_STATE = "The challenge was changed since, so the progress without the event is not known"
EARNED_BY_ANOTHER = "Its grants belong to another event and are not taken back"
STILL_REACHED = "It is reached without the event too; its grants are taken back, and are not given again"


@dataclass(frozen=True)
class _Past:
    """The events of a participant that a challenge matched.

    `enrolled_at` is the start of an enrolment that existed before the first of them, or None if an event enrolled.
    """

    history: Sequence[MatchedEvent]
    enrolled_at: datetime | None


def undo(work: UnitOfWork, participant: Participant, event: Event) -> Iterator[Undone]:
    """Set the enrolments that the event concerned to the state without it, and report what was undone.

    1. Replay all events that the challenge matched. If the result is not the stored state, the challenge was changed since:
       the enrolment stays as it is.
    2. Replay them without this event, and store the result. An enrolment that only this event started is removed.

    A replay is needed because prerequisites, rounds and terms depend on the order of events.
    """
    notes = event.undo_notes_of(DOMAIN)
    if not notes:
        return
    by_id = challenges_in(work.catalog).by_id
    challenges = [by_id[UUID(note["id"])] for note in notes]
    work.load(loads_for(challenges))
    pasts = _pasts(event)
    for challenge in challenges:
        row = work.row(Enrolment, participant, challenge.id)
        if row is not None:
            yield from _undo(work, participant, challenge, row, pasts[str(challenge.id)], event)


def _pasts(event: Event) -> Mapping[str, _Past]:
    """The past of each challenge, by its id as text. It includes `event`, and has the order in which events were recorded.

    One query reads the events for all challenges.
    """
    others = others_of(event).order_by("pk").only("occurred_at", "marks").iterator()
    matched: defaultdict[str, list[tuple[MatchedEvent, str | None]]] = defaultdict(list)
    for each in sorted([*others, event], key=lambda each: each.pk):
        for note in each.undo_notes_of(DOMAIN):
            matched[note["id"]].append((MatchedEvent(each.pk, each.occurred_at, note["heard"]), note["since"]))
    return {challenge: _past(events) for challenge, events in matched.items()}


def _past(matched: Sequence[tuple[MatchedEvent, str | None]]) -> _Past:
    """The past of one challenge. The note of the first event says since when the participant was enrolled before it."""
    since = matched[0][1]
    return _Past([each for each, _ in matched], None if since is None else datetime.fromisoformat(since))


def _undo(
    work: UnitOfWork, participant: Participant, challenge: CompiledChallenge, row: Enrolment, past: _Past, event: Event
) -> Iterator[Undone]:
    before = replay(challenge.rules, past.history, enrolled_at=past.enrolled_at)
    if before.state != row.state:
        yield _undone(challenge, "challenge_progress", obstacle=UNKNOWN_STATE)
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
    """Report milestones and completions whose grants do not follow the reversal:

    - reached by another event, which would not have reached them without this one: their grants stay;
    - reached by this event, and now by others: their grants were taken back with this event, and are not given again.
    """
    for (number, objectives), earned_by in before.earned_by.items():
        is_reached = (number, objectives) in after.earned_by
        type_name = "challenge" if objectives is None else "challenge_milestone"
        if earned_by != event.pk and not is_reached:
            yield _undone(challenge, type_name, amount=objectives, obstacle=EARNED_BY_ANOTHER)
        elif earned_by == event.pk and is_reached and _has_grants(challenge, objectives):
            yield _undone(challenge, type_name, amount=objectives, obstacle=STILL_REACHED)


def _has_grants(challenge: CompiledChallenge, objectives: int | None) -> bool:
    if objectives is None:
        return bool(challenge.grants)
    return any(each.grants for each in challenge.rules.milestones if each.objectives == objectives)


def _undone(challenge: CompiledChallenge, type_name: str, **more: Any) -> Undone:
    return Undone(type=type_name, name=challenge.name, code=challenge.code, **more)
