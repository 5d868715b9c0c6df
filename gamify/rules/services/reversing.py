"""An event is undone: what it used up of the limits of rules is given back."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from gamify.facts.models import Event
from gamify.facts.selectors import others_of
from gamify.facts.services import Undone
from gamify.rules.engine.limits import RETENTION, Tally, without_firing
from gamify.rules.models import RuleTally
from participants.models import Participant
from participants.work import Load, UnitOfWork

DAY = timedelta(days=1)


def undo(work: UnitOfWork, participant: Participant, event: Event) -> Iterable[Undone]:
    """Firings count no more towards day, week and ever; a cooldown goes by the newest that is left, as far as that is known.
    Nothing of it was granted, so there is nothing to tell.
    """
    marks = event.undo_notes_of("rules")
    if not marks:
        return ()
    work.load([Load(RuleTally, "rule_id", tuple({UUID(mark["id"]) for mark in marks}))])
    for mark in marks:
        row = work.row(RuleTally, participant, UUID(mark["id"]))
        if row is not None:
            _give_back(work, row, event, date.fromisoformat(mark["day"]))
    return ()


def _give_back(work: UnitOfWork, row: RuleTally, event: Event, day: date) -> None:
    tally = without_firing(row.tally, day=day, last_at=row.last_at)
    if not tally.total:
        work.remove(row)
        return
    if row.last_at == event.occurred_at:
        tally = without_firing(row.tally, day=day, last_at=_newest(event, str(row.rule_id), tally) or row.last_at)
    row.tally = tally
    work.change(row, "total", "days", "last_at")


def _newest(event: Event, rule_id: str, tally: Tally) -> datetime | None:
    """When the rule fired last for another event; None where it was for something else, and nobody noted the time."""
    day = tally.newest_day
    if day is None:  # longer ago than days are remembered
        return event.occurred_at - RETENTION
    begin = datetime.combine(day, time(), UTC)  # wherever the day was
    events = others_of(event).filter(occurred_at__gte=begin - DAY, occurred_at__lt=begin + 2 * DAY)
    fired = {"id": rule_id, "day": day.isoformat()}
    return max((each.occurred_at for each in events if fired in each.undo_notes_of("rules")), default=None)
