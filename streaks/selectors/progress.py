"""The progress of participants in streaks, in the shape of the Phoenix dialect."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from gamify.facts.engine.conditions import NO_PROGRESS, ConditionKind, Progress
from participants.models import Tenant
from streaks.engine.counting import windows_of
from streaks.engine.milestones import earned_thresholds, next_threshold
from streaks.engine.windows import Windows
from streaks.selectors.configs import config_of
from streaks.selectors.statuses import ParticipantStreakStatus

MAX_FLOAT = Decimal(sys.float_info.max)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class StreakProgress:
    """One participant in one streak at the instant `now`: their status, and the progress of the open window.

    Fields about the window are null for a rolling streak that is not running, because it has no open window.
    """

    status: ParticipantStreakStatus
    tenant: Tenant
    now: datetime

    @property
    def current_window_key(self) -> str | None:
        return self._windows.key(self._number) if self._windows and self._number is not None else None

    @property
    def seconds_until_window_close(self) -> int | None:
        """Whole seconds, rounded down."""
        if self._windows is None or self._number is None:
            return None
        return max((self._windows.end(self._number) - self.now) // SECOND, 0)

    @property
    def current_window_progress(self) -> dict[str, Any]:
        """The progress of the ticks in the open window."""
        progress = self._progress
        return {"count": progress.count, "sum": sum_as_json(progress.total), "distinct": list(progress.distinct)}

    @property
    def earned_milestones(self) -> Sequence[int]:
        status = self.status
        return earned_thresholds(status.streak.milestones, status.streak_status.alive, status.state.paid)

    @property
    def next_milestone(self) -> int | None:
        status = self.status
        return next_threshold(status.streak.milestones, status.streak_status.alive, status.state.paid)

    @cached_property
    def config(self) -> dict[str, Any]:
        return config_of(self.status.streak.row, tenant_zone=self.tenant.timezone)

    @cached_property
    def _windows(self) -> Windows | None:
        return windows_of(self.status.state, self.status.rules)

    @property
    def _number(self) -> int | None:
        return self.status.streak_status.window

    @property
    def _progress(self) -> Progress:
        """The progress of the open window.

        A window that was satisfied under earlier rules has no stored progress. It gets the minimum of the condition, so that
        progress bars of clients show it as full.
        """
        stored = NO_PROGRESS if self._number is None else self.status.state.progress.get(self._number, NO_PROGRESS)
        condition = self.status.rules.condition
        if not self.status.streak_status.is_satisfied or stored.satisfies(condition):
            return stored
        if condition.kind is ConditionKind.COUNT:
            return replace(stored, count=int(condition.minimum))
        return replace(stored, total=condition.minimum) if condition.kind is ConditionKind.SUM else stored


def sum_as_json(total: Decimal) -> float | Decimal:
    """The sum as a JSON number: a float if that loses no digit, else a Decimal.

    It is at most the largest double, because readers of JSON fail beyond it.
    """
    number = float(min(total, MAX_FLOAT))
    return number if total > MAX_FLOAT or Decimal(str(number)) == total else total
