"""A wrong clock: every time that the process reads is so many seconds ahead as a file says, which may change meanwhile."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.utils import timezone
from uuid_utils.compat import uuid7

from participants import ids
from participants.ids import first_id_at

AFTER_THE_TIME = 2**80 - 1


def follow(file: Path) -> None:
    right = timezone.now

    def wrong() -> datetime:
        return right() + timedelta(seconds=float(file.read_text()))

    def wrong_id() -> UUID:
        return UUID(int=first_id_at(wrong()).int | uuid7().int & AFTER_THE_TIME)

    timezone.now = wrong
    ids.uuid7 = wrong_id


def set_clock(file: Path, *, seconds_ahead: float) -> None:
    """Set the clocks of the processes that follow `file`. They never read half of a number."""
    new = file.with_suffix(".new")
    new.write_text(str(seconds_ahead))
    new.replace(file)
