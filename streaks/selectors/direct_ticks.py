"""When a participant recorded direct ticks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from participants.models import Participant
from streaks.engine.counting import windows_of
from streaks.models import ParticipantStreak
from streaks.selectors.catalog import CompiledStreak
from streaks.selectors.statuses import state_of


@dataclass(frozen=True)
class TickedWindow:
    """A window [start, end) with `ticks` direct ticks. Those beyond the number that satisfies a window are not stored."""

    start: datetime
    end: datetime
    ticks: int


def ticked_windows(row: ParticipantStreak, streak: CompiledStreak, participant: Participant) -> Iterator[TickedWindow]:
    """Yield the windows with direct ticks, under the present rules of the streak. The instants of the ticks are not stored."""
    state = state_of(row, streak, participant)
    windows = windows_of(state, streak.terms.rules_for(participant))
    if windows is None:
        return
    for ticks, runs in state.direct_ticks.windows.items():
        for first, length in runs:
            for number in range(first, first + length):
                yield TickedWindow(windows.start(number), windows.end(number), ticks)
