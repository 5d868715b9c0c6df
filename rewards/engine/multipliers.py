"""Points multipliers (docs/contract.md §13): `{"multiplier": 2, "duration_hours": 24}`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from participants.engine import is_in_period

MULTIPLIER_PLACES = 4
MULTIPLIER_DIGITS = 7
MAX_HOURS = 24 * 366


@dataclass(frozen=True)
class Multiplier:
    """Points of events in the half-open period [`since`, `until`) are multiplied by `factor`."""

    factor: Decimal
    since: datetime
    until: datetime

    def is_active(self, at: datetime) -> bool:
        return is_in_period(at, self.since, self.until)


def multiplier_of(config: Mapping[str, Any], *, since: datetime) -> Multiplier:
    """Build a multiplier that starts at `since` from the JSON of a reward's `config`."""
    hours = timedelta(hours=float(config["duration_hours"]))
    return Multiplier(Decimal(str(config["multiplier"])), since, since + hours)
