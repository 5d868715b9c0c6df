"""Calendar windows of a participant whose time zone changes: windows remain local dates (docs/contract.md §10).

Before the change the windows lie in the old zone, afterwards in the new one, with the same ordinals. A participant who flies
west may have a date twice: it is one window in two pieces. One who flies east across the date line may skip a date: it has no
length and cannot be missed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from streaks.engine.windows import CalendarWindows

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Stay:
    """The windows of one time zone, in which a participant is in the period [since, until)."""

    windows: CalendarWindows
    since: datetime
    until: datetime

    def has(self, number: int) -> bool:
        """Whether the period of this stay contains an instant of window `number`."""
        return self.windows.start(number) < self.until and self.windows.end(number) > self.since


@dataclass(frozen=True)
class TravellingWindows:
    """The windows of several stays. The stays cover all time without a gap."""

    stays: Sequence[Stay]

    @property
    def jumps(self) -> Sequence[datetime]:
        """The instants at which the zone changed."""
        return [stay.since for stay in self.stays[1:]]

    def ordinal(self, at: datetime) -> int:
        """The number of the window that contains `at` (aware)."""
        return next(stay for stay in self.stays if at < stay.until).windows.ordinal(at)

    def start(self, number: int) -> datetime:
        """The first instant (UTC) of window `number`. For a skipped window, the instant of the change that skipped it."""
        stay = next(self._with(number), None) or self._behind(number)
        return max(stay.windows.start(number), stay.since)

    def end(self, number: int) -> datetime:
        """The instant (UTC) at which window `number` ends. A date that occurs twice ends with its second occurrence."""
        pieces = list(self._with(number))
        return min(pieces[-1].windows.end(number), pieces[-1].until) if pieces else self.start(number)

    def is_empty(self, number: int) -> bool:
        """Whether the window contains no instant."""
        return self.start(number) == self.end(number)

    def key(self, number: int) -> str:
        """The name of the window on the wire."""
        return self.stays[-1].windows.key(number)

    def _with(self, number: int) -> Iterator[Stay]:
        return (stay for stay in self.stays if stay.has(number))

    def _behind(self, number: int) -> Stay:
        """The first stay that began after window `number` had ended in its zone."""
        return next(stay for stay in self.stays if stay.windows.end(number) <= stay.since)


def windows_across_zones(
    pieces: Sequence[tuple[CalendarWindows, datetime | None]],
) -> CalendarWindows | TravellingWindows:
    """Join windows of several zones.

    `pieces` are the windows of each zone with the instant until which they apply, oldest first. That instant is None for
    the last.
    """
    if len(pieces) == 1:
        return pieces[0][0]
    ends = [until or END for _, until in pieces]
    begins = [BEGINNING, *ends[:-1]]
    return TravellingWindows(
        tuple(Stay(windows, since, until) for (windows, _), since, until in zip(pieces, begins, ends, strict=True))
    )
