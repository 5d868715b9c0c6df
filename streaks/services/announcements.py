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


def pending_announcements(row: ParticipantStreak, standing: StreakStatus) -> PendingAnnouncements:
    """The difference between what the row announced and `status`."""
    is_at_risk = standing.is_at_risk and standing.breaks_at != row.warned_of
    columns = _columns(standing, standing.breaks_at if is_at_risk else row.warned_of)
    return PendingAnnouncements(
        final_count=row.count if row.count and not standing.current else None,
        is_at_risk=is_at_risk,
        current_count=standing.current,
        breaks_at=standing.breaks_at,
        is_revived=standing.current > row.count,
        columns=columns,
        has_changed=any(getattr(row, name) != value for name, value in columns.items()),
    )


def _columns(standing: StreakStatus, warned_of: datetime | None) -> dict[str, Any]:
    at_risk_at = None if standing.breaks_at == warned_of else standing.at_risk_at
    instants = {"warned_of": warned_of, "at_risk_at": at_risk_at, "breaks_at": standing.breaks_at}
    return {"count": standing.current, **instants}


def set_announced(row: ParticipantStreak, standing: StreakStatus) -> None:
    """Set the columns ANNOUNCED of the row to `status`. The caller writes the row."""
    for name, value in _columns(standing, row.warned_of).items():
        setattr(row, name, value)


def emit_announcements(
    work: UnitOfWork, participant: Participant, streak: CompiledStreak, news: PendingAnnouncements
) -> None:
    """Emit the domain events for a break and for a risk."""
    if news.final_count is not None:
        emit_broken(work, participant, streak, news.final_count)
    if news.is_at_risk:
        _emit_at_risk(work, participant, streak, news)


def emit_broken(work: UnitOfWork, participant: Participant, streak: CompiledStreak, final_count: int) -> None:
    """Emit that the announced run is broken."""
    data = {
        "user_id": participant.external_id,
        "definition_id": str(streak.id),
        "streak_code": streak.code,
        "final_count": final_count,
    }
    work.emit("streak.broken", participant, data)


def _emit_at_risk(
    work: UnitOfWork, participant: Participant, streak: CompiledStreak, news: PendingAnnouncements
) -> None:
    data = {
        "user_id": participant.external_id,
        "definition_id": str(streak.id),
        "streak_code": streak.code,
        "current_count": news.current_count,
        "window_ends_at": news.breaks_at and news.breaks_at.isoformat().replace("+00:00", "Z"),
    }
    work.emit("streak.at_risk", participant, data)


def emit_restored(
    work: UnitOfWork, participant: Participant, streak: CompiledStreak, standing: StreakStatus, *, reason: str | None
) -> None:
    """Emit that a broken run is alive again without a tick."""
    data = {
        "user_id": participant.external_id,
        "definition_id": str(streak.id),
        "streak_code": streak.code,
        "new_count": standing.current,
        "longest_count": standing.longest,
        "reason": reason,
    }
    work.emit("streak.restored", participant, data)
