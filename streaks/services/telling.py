"""What was told of a participant's streak, and what is told next: broken once, at risk once before each break."""

from operator import attrgetter

from participants.models import Participant
from participants.work import UnitOfWork
from streaks.engine.counting import Standing
from streaks.models import ParticipantStreak
from streaks.selectors import CompiledStreak

TOLD = ("count", "warned_of", "at_risk_at", "breaks_at")

told_so_far = attrgetter(*TOLD)
"""What was told of a row, and the instants at which there is something to tell next."""


def told_of(row: ParticipantStreak, standing: Standing) -> None:
    """Note `standing` as what was told, and the instants at which there is something to tell next."""
    row.count = standing.current
    row.breaks_at = standing.breaks_at
    row.at_risk_at = None if standing.breaks_at == row.warned_of else standing.at_risk_at


def told_broken(work: UnitOfWork, participant: Participant, streak: CompiledStreak, row: ParticipantStreak) -> None:
    """Tell that the run that was last told of is broken."""
    data = {
        "user_id": participant.external_id,
        "definition_id": str(streak.id),
        "streak_code": streak.code,
        "final_count": row.count,
    }
    work.emit("streak.broken", participant, data)
    row.count = 0


def told_at_risk(
    work: UnitOfWork, participant: Participant, streak: CompiledStreak, row: ParticipantStreak, standing: Standing
) -> None:
    """Tell that the streak is about to break."""
    data = {
        "user_id": participant.external_id,
        "definition_id": str(streak.id),
        "streak_code": streak.code,
        "current_count": standing.current,
        "window_ends_at": standing.breaks_at and standing.breaks_at.isoformat().replace("+00:00", "Z"),
    }
    work.emit("streak.at_risk", participant, data)
    row.warned_of = standing.breaks_at


def told_restored(
    work: UnitOfWork, participant: Participant, streak: CompiledStreak, standing: Standing, *, reason: str | None
) -> None:
    """Tell that a broken run lives again without a tick."""
    data = {
        "user_id": participant.external_id,
        "definition_id": str(streak.id),
        "streak_code": streak.code,
        "new_count": standing.current,
        "reason": reason,
    }
    work.emit("streak.restored", participant, data)
