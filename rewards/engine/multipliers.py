"""Rewards that make points count more for a time (contract §13): `{"multiplier": 2, "duration_hours": 24}`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

MULTIPLIER_PLACES = 4
MULTIPLIER_DIGITS = 7
MAX_HOURS = 24 * 366


@dataclass(frozen=True)
class Multiplier:
    """Points for what happens from `since` on and before `until` are multiplied by `factor`."""

    factor: Decimal
    since: datetime
    until: datetime

    def is_active(self, at: datetime) -> bool:
        return self.since <= at < self.until


def multiplier_of(config: Mapping[str, Any], *, since: datetime) -> Multiplier:
    """What `config` says, as numbers of JSON, for one who gets it at `since`."""
    hours = timedelta(hours=float(config["duration_hours"]))
    return Multiplier(Decimal(str(config["multiplier"])), since, since + hours)
