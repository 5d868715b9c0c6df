"""Calendar windows of somebody whose time zone changes: they stay local dates (contract §10, participant's zone).

Until a change the windows are those of the old zone, afterwards those of the new one, under the same ordinals. Who flies west
may live a date twice: it is one window, in two pieces. Who flies across the date line eastwards may skip one: it has no length,
and not visiting in it is not a miss.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from streaks.engine.windows import CalendarWindows

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Stay:
    """Windows that hold in [since, until)."""

    windows: CalendarWindows
    since: datetime
    until: datetime

    def has(self, number: int) -> bool:
        """Whether any instant of window `number` is in this stay."""
        return self.windows.start(number) < self.until and self.windows.end(number) > self.since


@dataclass(frozen=True)
class TravellingWindows:
    """The windows of `stays`, which follow one another without a gap: the first is since ever, the last for ever."""

    stays: Sequence[Stay]

    @property
    def jumps(self) -> Sequence[datetime]:
        """The instants at which the zone changed."""
        return [stay.since for stay in self.stays[1:]]

    def ordinal(self, at: datetime) -> int:
        """The number of the window that `at` (aware) is in."""
        return next(stay for stay in self.stays if at < stay.until).windows.ordinal(at)

    def start(self, number: int) -> datetime:
        """The first instant (UTC) of window `number`; of one that was skipped, the instant of the change that did it."""
        stay = next(self._with(number), None) or self._behind(number)
        return max(stay.windows.start(number), stay.since)

    def end(self, number: int) -> datetime:
        """The instant at which window `number` is over for good."""
        pieces = list(self._with(number))
        return min(pieces[-1].windows.end(number), pieces[-1].until) if pieces else self.start(number)

    def is_empty(self, number: int) -> bool:
        """Whether no instant is in the window."""
        return self.start(number) == self.end(number)

    def key(self, number: int) -> str:
        """The name of the window on the wire."""
        return self.stays[-1].windows.key(number)

    def _with(self, number: int) -> Iterator[Stay]:
        return (stay for stay in self.stays if stay.has(number))

    def _behind(self, number: int) -> Stay:
        """The first stay that began when window `number` was over there."""
        return next(stay for stay in self.stays if stay.windows.end(number) <= stay.since)


def windows_across_zones(
    pieces: Sequence[tuple[CalendarWindows, datetime | None]],
) -> CalendarWindows | TravellingWindows:
    """Windows with the instant until which each held, oldest first; None for the last, which hold now."""
    if len(pieces) == 1:
        return pieces[0][0]
    ends = [until or END for _, until in pieces]
    begins = [BEGINNING, *ends[:-1]]
    return TravellingWindows(
        tuple(Stay(windows, since, until) for (windows, _), since, until in zip(pieces, begins, ends, strict=True))
    )
