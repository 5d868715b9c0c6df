"""Translate the domain events of a unit of work into score changes: one per participant and instant.

This works for every use case, because it reads what the unit emitted. Only this module knows how domain events change scores.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from gamify.facts.models import Event
from gamify.facts.services import Undone
from gamify.leaderboards.engine.measures import (
    BADGES_COUNT,
    PERSON,
    POINTS_BALANCE,
    POINTS_EARNED,
    streak_key,
)
from gamify.leaderboards.models import ScoreChange
from gamify.leaderboards.selectors.catalog import Boards, boards_in
from gamify.leaderboards.services.limiting import refused_measures, take_back
from gamify.leaderboards.services.waking import wake_folder
from gamify.points.models import EntryType
from participants.models import DomainEvent, Participant
from participants.work import UnitOfWork

ScoreDelta = tuple[datetime, str, int | None]
"""The instant at which it counts, the key of a measure, and the amount to add (None for a level, which is looked up)."""


def note_score_changes(work: UnitOfWork) -> None:
    """Add a `ScoreChange` for each participant and instant for which the unit changed a score. Runs before the unit is written."""
    boards = boards_in(work.catalog)
    if not boards.active:
        return
    noted: defaultdict[tuple[UUID, datetime], dict[str, int | None]] = defaultdict(dict)
    for participant, event in work.emitted:
        refused = refused_measures(work, event.data["event_id"]) if event.type == "event.recorded" else ()
        for at, key, amount in score_deltas_of(event, boards):
            if key in refused:
                continue
            changes = noted[participant.pk, at]
            changes[key] = None if amount is None else (changes.get(key) or 0) + amount
    _note(work, noted)


def _note(work: UnitOfWork, noted: Mapping[tuple[UUID, datetime], Mapping[str, int | None]]) -> None:
    for (participant_id, at), changes in noted.items():
        work.add(
            ScoreChange(
                tenant_id=work.tenant.pk, participant_id=participant_id, at=at, created_at=work.now, changes=changes
            )
        )
    if noted and not work.is_dry_run:
        transaction.on_commit(partial(wake_folder, work.tenant.pk))


def score_deltas_of(event: DomainEvent, boards: Boards) -> Iterator[ScoreDelta]:
    """The changes of scores that a domain event causes, for measures that some board uses."""
    deltas_of = SCORE_DELTAS.get(event.type)
    if deltas_of is not None:
        yield from (delta for delta in deltas_of(event, boards) if delta[1] == PERSON or delta[1] in boards.by_measure)


def _balance(event: DomainEvent, boards: Boards) -> Iterator[ScoreDelta]:
    yield event.occurred_at, POINTS_BALANCE, None


def _award(event: DomainEvent, boards: Boards) -> Iterator[ScoreDelta]:
    yield from _balance(event, boards)
    yield event.occurred_at, POINTS_EARNED, int(event.data.get("delta", event.data["amount"]))


def _reversal(event: DomainEvent, boards: Boards) -> Iterator[ScoreDelta]:
    """The reversal of an award removes the points at the instant at which they were earned. `delta` is negative."""
    yield from _balance(event, boards)
    if event.data["reversed_type"] == EntryType.AWARD:
        yield _instant(event.data["reversed_at"]), POINTS_EARNED, int(event.data["delta"])


def _badge(event: DomainEvent, boards: Boards) -> Iterator[ScoreDelta]:
    yield event.occurred_at, BADGES_COUNT, 1


def _revoked_badge(event: DomainEvent, boards: Boards) -> Iterator[ScoreDelta]:
    yield _instant(event.data["earned_at"]), BADGES_COUNT, -1


def _streak(event: DomainEvent, boards: Boards) -> Iterator[ScoreDelta]:
    yield event.occurred_at, streak_key(event.data["streak_code"]), None


def _events(event: DomainEvent, boards: Boards) -> Iterator[ScoreDelta]:
    data = event.data
    for measure in boards.measures_of_event(data["event_name"]):
        if amount := measure.amount(data["properties"]):
            yield _instant(data["timestamp"]), measure.key, amount


def _person(event: DomainEvent, boards: Boards) -> Iterator[ScoreDelta]:
    yield event.occurred_at, PERSON, None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


SCORE_DELTAS: Mapping[str, Callable[[DomainEvent, Boards], Iterator[ScoreDelta]]] = {
    "points.awarded": _award,
    "points.deducted": _balance,
    "points.refunded": _balance,
    "points.expired": _balance,
    "points.adjusted": _balance,
    "points.reversed": _reversal,
    "badge.awarded": _badge,
    "badge.revoked": _revoked_badge,
    "streak.incremented": _streak,
    "streak.decremented": _streak,
    "streak.broken": _streak,
    "streak.at_risk": _streak,
    "streak.restored": _streak,
    "streak.frozen": _streak,
    "streak.milestone_reached": _streak,
    "event.recorded": _events,
    "participant.updated": _person,
    "participant.anonymized": _person,
    "participant.deleted": _person,
}
"""How each type of domain event changes scores, by its exact name. All other types do not change scores."""


def undo(work: UnitOfWork, participant: Participant, event: Event) -> Iterator[Undone]:
    """Remove from the boards what a reversed event of a locked participant added, at the event's own time.

    The points and badges that resulted from the event are undone by their domains. Their domain events then change the boards.
    """
    boards = boards_in(work.catalog)
    amounts = {each.key: take_back(work, participant, event, each) for each in boards.measures_of_event(event.name)}
    taken = {key: -amount for key, amount in amounts.items() if amount}
    if taken:
        _note(work, {(participant.pk, event.occurred_at): taken})
    for board in boards.active.values():
        if amount := taken.get(board.measure.key):
            yield Undone(
                type="score", name=board.name, code=board.code, amount=_whole(board.measure.display_score(-amount))
            )


def _whole(score: object) -> int | None:
    return score if isinstance(score, int) else None
