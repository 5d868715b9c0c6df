"""Convert the stored terms of a streak (its periods, condition and grace) to rules of the engine.

All participants have the same rules, or each time zone has its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from gamify.facts.engine.conditions import Condition, ConditionKind
from participants.models import Participant
from streaks.engine.counting import Rules
from streaks.engine.excuses import Span
from streaks.engine.rolling import Rolling
from streaks.engine.windows import ROLLING, CalendarWindows, Period
from streaks.engine.zoned import TravellingWindows, windows_across_zones
from streaks.models import PARTICIPANT_ZONE, Streak, StreakRevision

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Terms:
    """The rules of a streak between two changes of its configuration (one revision).

    `is_personal`: windows follow the zone of each participant. `rules` then apply to participants without a zone of their
    own; otherwise they apply to everyone.
    """

    rules: Rules
    is_personal: bool = False

    @classmethod
    def of(cls, row: Streak | StreakRevision, tenant_zone: str, *, lead_seconds: int | None = None) -> "Terms":
        is_personal = row.timezone == PARTICIPANT_ZONE and row.period != ROLLING
        zone = tenant_zone if row.timezone in {None, PARTICIPANT_ZONE} else str(row.timezone)
        lead = None if lead_seconds is None else timedelta(seconds=lead_seconds)
        rules = Rules(
            windows=_windows(row, zone),
            grace=row.grace_periods,
            resets=row.reset_on_miss,
            lead=lead,
            condition=condition_of(row.condition),
        )
        return cls(rules, is_personal)

    def rules_for(self, participant: Participant) -> Rules:
        """The rules for this participant's ticks."""
        if not self.is_personal or not (participant.timezone or participant.past_zones):
            return self.rules
        pieces = [(self._in(zone), datetime.fromisoformat(until)) for zone, until in participant.past_zones]
        now_in = self._in(participant.timezone) if participant.timezone else self._calendar
        return replace(self.rules, windows=windows_across_zones([*pieces, (now_in, None)]))

    @cached_property
    def _calendar(self) -> CalendarWindows:
        windows = self.rules.windows
        assert isinstance(windows, CalendarWindows), "rolling windows follow no zone"  # noqa: S101
        return windows

    def _in(self, zone: str) -> CalendarWindows:
        return replace(self._calendar, zone=zone)


def _windows(row: Streak | StreakRevision, zone: str) -> CalendarWindows | Rolling:
    if row.period == ROLLING:
        return Rolling(timedelta(seconds=row.duration_seconds or 0))
    hours, minutes = map(int, row.reset_time.split(":"))
    reset = timedelta(hours=hours, minutes=minutes)
    period = Period(row.period)
    return CalendarWindows(period, zone, reset % HOUR if period.rules.wraps_reset else reset, row.week_start)


def condition_of(stored: Mapping[str, Any]) -> Condition:
    """The engine's condition for the stored form, such as `{"type": "sum", "field": "attrs.points", "min": 500}`."""
    return Condition(ConditionKind(stored["type"]), Decimal(str(stored["min"])), stored.get("field"))


def day_span(first: date, last: date, zone: str) -> Span:
    """The span of the local dates from `first` to `last`, both included."""
    days = CalendarWindows(Period.DAILY, zone)
    return days.start(first.toordinal()), days.end(last.toordinal())


def days_of(rules: Rules) -> CalendarWindows:
    """The days of a calendar with these rules: in today's zone with the same reset time. Days in UTC for rolling windows."""
    windows = rules.windows
    if isinstance(windows, TravellingWindows):
        windows = windows.stays[-1].windows
    return replace(windows, period=Period.DAILY) if isinstance(windows, CalendarWindows) else _UTC_DAYS


_UTC_DAYS = CalendarWindows(Period.DAILY)


def zone_of(rules: Rules) -> ZoneInfo:
    """The time zone in which the windows of these rules have their dates."""
    return ZoneInfo(days_of(rules).zone)
