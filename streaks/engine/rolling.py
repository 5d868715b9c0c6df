"""Rolling windows: windows of equal length. A participant's tick opens the first, and the others follow without a gap.

After a break the next tick opens a new run of windows, on a grid of its own. The windows of earlier runs do not move. So the
missed or excused windows between runs do not depend on when the participant comes back. The window that was open on the old
grid when the new run began ends with that tick and is not missed. A tick older than the newest anchor has no effect.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from streaks.engine.windows import iso_instant


@dataclass(frozen=True)
class Anchor:
    """The tick that opened a run of rolling windows, and the number of the window that it opened.

    `earlier` are the anchors of earlier runs, oldest first.
    """

    at: datetime
    first: int
    earlier: tuple["Anchor", ...] = ()


@dataclass(frozen=True)
class RollingWindows:
    """Windows of `length`, each run on the grid of its own anchor. The grid of the first anchor also extends backwards.

    A new anchor cuts off the window that was open on the old grid. Instants in that piece have the number of the window that
    opens at the anchor.
    """

    length: timedelta
    anchor: Anchor

    @property
    def jumps(self) -> Sequence[datetime]:
        """None: ordinals never go backwards."""
        return ()

    def ordinal(self, at: datetime) -> int:
        """The number of the window that contains `at` (aware)."""
        anchor = next((anchor for anchor in self._newest_first if anchor.at <= at), self._newest_first[-1])
        return anchor.first + (at - anchor.at) // self.length

    def start(self, number: int) -> datetime:
        """The instant (UTC) at which window `number` begins."""
        anchor = next((anchor for anchor in self._newest_first if anchor.first <= number), self._newest_first[-1])
        return anchor.at.astimezone(UTC) + (number - anchor.first) * self.length

    def end(self, number: int) -> datetime:
        """The instant (UTC) at which window `number` ends."""
        return self.start(number) + self.length

    def is_empty(self, number: int) -> bool:
        """Never: all windows have the same length."""
        return False

    def key(self, number: int) -> str:
        """The name of the window on the wire: its start in ISO 8601."""
        return iso_instant(self.start(number))

    @property
    def _newest_first(self) -> Sequence[Anchor]:
        return (self.anchor, *reversed(self.anchor.earlier))


@dataclass(frozen=True)
class Rolling:
    """The rolling windows of a definition: only their length. The anchor of each participant says where they lie."""

    length: timedelta

    def windows_from(self, anchor: Anchor) -> RollingWindows:
        return RollingWindows(self.length, anchor)
