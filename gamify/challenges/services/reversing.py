"""An event is undone: challenges stand as if it had never come."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gamify.challenges.engine import Happening, Replayed, State, replayed
from gamify.challenges.models import Enrolment
from gamify.challenges.selectors import CompiledChallenge, challenges_in
from gamify.challenges.services.advancing import loads_for, named
from gamify.facts.models import Event
from gamify.facts.selectors import others_of
from gamify.facts.services import Undone
from participants.models import Participant
from participants.work import UnitOfWork

DOMAIN = "challenges"
NOT_KNOWN = "It was changed since: where they would be without the event is not known"
OF_ANOTHER = "What was given for it came of another event"
ALL_THE_SAME = "It is reached without the event too; what was given for it is taken back, and is not given again"


@dataclass(frozen=True)
class _Past:
    """What a challenge has heard of a participant, and whether they were enrolled before it."""

    history: Sequence[Happening]
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
    heard: defaultdict[str, list[tuple[Happening, str | None]]] = defaultdict(list)
    for each in sorted([*others, event], key=lambda each: each.pk):
        for mark in each.undo_notes_of(DOMAIN):
            heard[mark["id"]].append((Happening(each.pk, each.occurred_at, mark["heard"]), mark["since"]))
    return {challenge: _past(found) for challenge, found in heard.items()}


def _past(heard: Sequence[tuple[Happening, str | None]]) -> _Past:
    """Whoever was enrolled by an event, of which no other is older, begins with an event."""
    since = heard[0][1]
    return _Past([each for each, _ in heard], None if since is None else datetime.fromisoformat(since))


def _undo(
    work: UnitOfWork, participant: Participant, challenge: CompiledChallenge, row: Enrolment, past: _Past, event: Event
) -> Iterator[Undone]:
    before = replayed(challenge.rules, past.history, enrolled_at=past.enrolled_at)
    if before.state != row.state:
        yield _told(challenge, "challenge_progress", kept=NOT_KNOWN)
        return
    rest = [each for each in past.history if each.key != event.pk]
    after = replayed(challenge.rules, rest, enrolled_at=past.enrolled_at)
    if after.state != before.state:
        yield _set_back(work, participant, challenge, row, after.state)
    yield from _kept(challenge, before, after, event)


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
    work.emit("challenge.set_back", participant, {**named(challenge), "objectives": open_again, **counts})
    return _told(challenge, "challenge" if new.completions < old.completions else "challenge_progress")


def _write(work: UnitOfWork, challenge: CompiledChallenge, row: Enrolment, state: State) -> None:
    row.state = state
    if not challenge.rules.term.has_ended(row.enrolled_at, work.now):
        row.expired_at = None
    work.change(row)


def _kept(challenge: CompiledChallenge, before: Replayed, after: Replayed, event: Event) -> Iterator[Undone]:
    """What other events brought with the help of this one, and what this one brought and others bring as well."""
    for (number, objectives), brought_by in before.brought.items():
        is_reached = (number, objectives) in after.brought
        type_name = "challenge" if objectives is None else "challenge_milestone"
        if brought_by != event.pk and not is_reached:
            yield _told(challenge, type_name, amount=objectives, kept=OF_ANOTHER)
        elif brought_by == event.pk and is_reached and _has_grants(challenge, objectives):
            yield _told(challenge, type_name, amount=objectives, kept=ALL_THE_SAME)


def _has_grants(challenge: CompiledChallenge, objectives: int | None) -> bool:
    if objectives is None:
        return bool(challenge.grants)
    return any(each.grants for each in challenge.rules.milestones if each.objectives == objectives)


def _told(challenge: CompiledChallenge, type_name: str, **more: Any) -> Undone:
    return Undone(type=type_name, name=challenge.name, code=challenge.code, **more)
