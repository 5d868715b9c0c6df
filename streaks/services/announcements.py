"""Announcements of a participant's streak: each break is announced once, and each risk once before its break.

The row stores what was announced. The pending announcements are the difference to the current status.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from participants.models import Participant
from participants.work import UnitOfWork
from streaks.engine.counting import StreakStatus
from streaks.engine.windows import iso_instant
from streaks.models import ParticipantStreak
from streaks.selectors import CompiledStreak

ANNOUNCED = ("count", "warned_of", "at_risk_at", "breaks_at")
"""The columns of a row that store what was announced, and when the next announcements are due."""


@dataclass(frozen=True)
class PendingAnnouncements:
    """What changed since the last announcement.

    A run of `final_count` windows broke (None: no break), a run of `current_count` is at risk of breaking at `breaks_at`, or a
    run is longer than announced without a tick (`is_revived`). `columns` are the new values of ANNOUNCED. `has_changed`: one
    of them differs from the row.
    """

    final_count: int | None
    is_at_risk: bool
    current_count: int
    breaks_at: datetime | None
    is_revived: bool
    columns: Mapping[str, Any]
    has_changed: bool


def pending_announcements(row: ParticipantStreak, status: StreakStatus) -> PendingAnnouncements:
    """The difference between what the row announced and `status`."""
    is_at_risk = status.is_at_risk and status.breaks_at != row.warned_of
    columns = _columns(status, status.breaks_at if is_at_risk else row.warned_of)
    return PendingAnnouncements(
        final_count=row.count if row.count and not status.current else None,
        is_at_risk=is_at_risk,
        current_count=status.current,
        breaks_at=status.breaks_at,
        is_revived=status.current > row.count,
        columns=columns,
        has_changed=any(getattr(row, name) != value for name, value in columns.items()),
    )


def _columns(status: StreakStatus, warned_of: datetime | None) -> dict[str, Any]:
    at_risk_at = None if status.breaks_at == warned_of else status.at_risk_at
    instants = {"warned_of": warned_of, "at_risk_at": at_risk_at, "breaks_at": status.breaks_at}
    return {"count": status.current, **instants}


def set_announced(row: ParticipantStreak, status: StreakStatus) -> None:
    """Set the columns ANNOUNCED of the row to `status`. The caller writes the row."""
    for name, value in _columns(status, row.warned_of).items():
        setattr(row, name, value)


def emit_announcements(
    work: UnitOfWork, participant: Participant, streak: CompiledStreak, pending: PendingAnnouncements
) -> None:
    """Emit the domain events for a break and for a risk."""
    if pending.final_count is not None:
        emit_broken(work, participant, streak, pending.final_count)
    if pending.is_at_risk:
        window_ends_at = pending.breaks_at and iso_instant(pending.breaks_at)
        data = {"current_count": pending.current_count, "window_ends_at": window_ends_at}
        emit_event(work, participant, streak, "streak.at_risk", data)


def emit_broken(work: UnitOfWork, participant: Participant, streak: CompiledStreak, final_count: int) -> None:
    """Emit that the announced run is broken."""
    emit_event(work, participant, streak, "streak.broken", {"final_count": final_count})


def emit_restored(
    work: UnitOfWork, participant: Participant, streak: CompiledStreak, status: StreakStatus, *, reason: str | None
) -> None:
    """Emit that a broken run is alive again without a tick."""
    data = {"new_count": status.current, "longest_count": status.longest, "reason": reason}
    emit_event(work, participant, streak, "streak.restored", data)


def emit_event(
    work: UnitOfWork, participant: Participant, streak: CompiledStreak, event: str, data: Mapping[str, Any]
) -> None:
    """Emit a domain event about a participant's streak. `data` are its fields besides participant and streak."""
    owner = {"user_id": participant.external_id, "definition_id": str(streak.id), "streak_code": streak.code}
    work.emit(event, participant, {**owner, **data})
