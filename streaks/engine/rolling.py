"""Rolling windows: of one length, the first opened by a participant's tick, the others following it without a gap.

After a break the next tick opens anew, on a grid of its own; the windows of runs before stay where they were, so that what was
missed or excused between them does not depend on when somebody came back. The window in which that happened begins with the
tick: what was before it on the old grid was not over, so nobody has missed it. A tick older than the newest anchor has no effect.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class Anchor:
    """The tick at which a run of rolling windows opened, and the number of the window that it opened. `earlier` are those of
    runs that broke before, oldest first: their windows stay where they were."""

    at: datetime
    first: int
    earlier: tuple["Anchor", ...] = ()


@dataclass(frozen=True)
class RollingWindows:
    """Windows of `length`, each run's on the grid of its own anchor; the grid of the first is continued backwards. An instant
    between the last window before an anchor and the anchor has the number of the window that opens there."""

    length: timedelta
    anchor: Anchor

    @property
    def jumps(self) -> Sequence[datetime]:
        """Nowhere: time only goes on."""
        return ()

    def ordinal(self, at: datetime) -> int:
        """The number of the window that `at` (aware) is in."""
        anchor = next((anchor for anchor in self._newest_first if anchor.at <= at), self._newest_first[-1])
        return anchor.first + (at - anchor.at) // self.length

    def start(self, number: int) -> datetime:
        """The instant (UTC) at which window `number` begins."""
        anchor = next((anchor for anchor in self._newest_first if anchor.first <= number), self._newest_first[-1])
        return anchor.at.astimezone(UTC) + (number - anchor.first) * self.length

    def end(self, number: int) -> datetime:
        """The instant (UTC) at which window `number` is over."""
        return self.start(number) + self.length

    def is_empty(self, number: int) -> bool:
        """They all have the same length."""
        return False

    def key(self, number: int) -> str:
        """The name of the window on the wire: when it began, in ISO 8601."""
        return self.start(number).isoformat().replace("+00:00", "Z")

    @property
    def _newest_first(self) -> Sequence[Anchor]:
        return (self.anchor, *reversed(self.anchor.earlier))


@dataclass(frozen=True)
class Rolling:
    """What a definition says of rolling windows: their length. Where they lie, each participant's anchor says."""

    length: timedelta

    def windows_from(self, anchor: Anchor) -> RollingWindows:
        return RollingWindows(self.length, anchor)
