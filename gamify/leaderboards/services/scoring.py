"""Translate the domain events of a unit of work into score changes: one per participant and instant.

This works for every use case, because it reads what the unit emitted. Only this module knows how domain events change scores.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from gamify.facts.models import Event
from gamify.facts.services import Undone
from gamify.leaderboards.engine.measures import PERSON
from gamify.leaderboards.models import ScoreChange
from gamify.leaderboards.selectors.catalog import Boards, boards_in
from gamify.leaderboards.services.limiting import refused_measures, take_back
from gamify.leaderboards.services.waking import wake_folder
from participants.database import new_instance
from participants.models import DomainEvent, Participant
from participants.work import UnitOfWork

EVENT_RECORDED = "event.recorded"
PERSON_EVENTS = ("participant.updated", "participant.anonymized", "participant.deleted")

ScoreDelta = tuple[datetime, str, int | None]
"""The instant at which it counts, the key of a measure, and the amount to add (None for a level, which is looked up)."""


def note_score_changes(work: UnitOfWork) -> None:
    """Add a `ScoreChange` for each participant and instant for which the unit changed a score. Runs before the unit is written."""
    boards = boards_in(work.catalog)
    if not boards.active:
        return
    noted: defaultdict[tuple[UUID, datetime], dict[str, int | None]] = defaultdict(dict)
    for participant, event in work.emitted:
        refused = refused_measures(work, event.data["event_id"]) if event.type == EVENT_RECORDED else ()
        for at, key, amount in score_deltas_of(event, boards):
            if key in refused:
                continue
            changes = noted[participant.pk, at]
            changes[key] = None if amount is None else (changes.get(key) or 0) + amount
    _note(work, noted)


def _note(work: UnitOfWork, noted: Mapping[tuple[UUID, datetime], Mapping[str, int | None]]) -> None:
    for (participant_id, at), changes in noted.items():
        work.add(
            new_instance(
                ScoreChange,
                tenant_id=work.tenant.pk,
                participant_id=participant_id,
                at=at,
                created_at=work.now,
                changes=changes,
            )
        )
    if noted and not work.is_dry_run:
        transaction.on_commit(partial(wake_folder, work.tenant.pk))


def score_deltas_of(event: DomainEvent, boards: Boards) -> Iterator[ScoreDelta]:
    """The changes of scores that a domain event causes, for measures that some board uses."""
    if event.type == EVENT_RECORDED:
        yield from _events(event, boards)
    elif event.type in PERSON_EVENTS:
        yield event.occurred_at, PERSON, None
    for metric in boards.metrics_changed_by.get(event.type, ()):
        if (key := metric.key_of(event.data)) in boards.by_measure:
            yield from ((at, key, amount) for at, amount in metric.changed_by[event.type](event))


def _events(event: DomainEvent, boards: Boards) -> Iterator[ScoreDelta]:
    data = event.data
    for measure in boards.by_event[data["event_name"]]:
        if amount := measure.amount(data["properties"]):
            yield datetime.fromisoformat(data["timestamp"]), measure.key, amount


def undo(work: UnitOfWork, participant: Participant, event: Event) -> Iterator[Undone]:
    """Remove from the boards what a reversed event of a locked participant added, at the event's own time.

    The points and badges that resulted from the event are undone by their domains. Their domain events then change the boards.
    """
    boards = boards_in(work.catalog)
    amounts = {each.key: take_back(work, participant, event, each) for each in boards.by_event[event.name]}
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
