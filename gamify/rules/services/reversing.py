"""Reverses an event for rules: the firings that it used up of limits are given back."""

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
    """Subtract the event's firings from the tallies.

    A cooldown then counts from the newest firing that remains, as far as its time is known. Returns nothing, because nothing that was
    granted is taken back here.
    """
    notes = event.undo_notes_of("rules")
    if not notes:
        return ()
    work.load([Load(RuleTally, "rule_id", tuple({UUID(note["id"]) for note in notes}))])
    for note in notes:
        row = work.row(RuleTally, participant, UUID(note["id"]))
        if row is not None:
            _give_back(work, row, event, date.fromisoformat(note["day"]))
    return ()


def _give_back(work: UnitOfWork, row: RuleTally, event: Event, day: date) -> None:
    tally = without_firing(row.tally, day=day, last_at=row.last_at)
    if not tally.total:
        work.remove(row)
        return
    if row.last_at == event.occurred_at:
        newest = _newest_firing(event, str(row.rule_id), tally) or row.last_at
        tally = without_firing(row.tally, day=day, last_at=newest)
    row.tally = tally
    work.change(row, "total", "days", "last_at")


def _newest_firing(event: Event, rule_id: str, tally: Tally) -> datetime | None:
    """Return the time of the rule's newest firing for another event; None if that firing was for a change, whose time is unknown."""
    day = tally.newest_day
    if day is None:  # the remaining firings are older than the stored days
        return event.occurred_at - RETENTION
    begin = datetime.combine(day, time(), UTC)  # one day more on either side, because the zone of the day is not known
    events = others_of(event).filter(occurred_at__gte=begin - DAY, occurred_at__lt=begin + 2 * DAY)
    firing = {"id": rule_id, "day": day.isoformat()}
    return max((each.occurred_at for each in events if firing in each.undo_notes_of("rules")), default=None)
