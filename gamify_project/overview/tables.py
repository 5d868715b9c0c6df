"""The tables of the overview that show more than one number per day: tiers, how long streaks last, who comes back, stock."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from gamify.tiers.models import Tier
from gamify_project.overview.stored import DAYS, RETENTION_WEEKS, StoredFigures
from participants.models import Tenant
from rewards.models import Reward

LENGTHS = (1, 2, 3, 5, 7, 10, 14, 21, 30)
WEEK = timedelta(days=7)
SHOWN_REWARDS = 10


@dataclass(frozen=True)
class Share:
    """A row of a table with a bar. `percent` is from 0 to 100."""

    label: str
    number: int
    percent: int


def tier_spread(tenant: Tenant, stored: StoredFigures) -> Sequence[Share]:
    """Return the participants per tier, and of those without one, lowest tier first."""
    spread = stored.parts.get("tiers.spread", {})
    known = Tier.objects.of(tenant).filter(code__in=list(spread)).order_by("level", "code")
    people = max(stored.days.get("people.total", {}).items(), default=(None, 0))[1]
    without = max(people - sum(spread.values()), 0)
    rows = [("No tier", without), *((tier.name, spread[tier.code]) for tier in known)]
    return [Share(label, number, _percent(number, people)) for label, number in rows] if spread else []


def survival(stored: StoredFigures) -> Sequence[Share]:
    """Return how many runs of streaks reach a length, estimated from the last 30 days.

    At each length, some runs break and the others go on (Kaplan and Meier): the share that survives a length is the product of the
    shares that went on so far. Runs that are still alive count as going on.
    """
    reached, ended = (_by_length(stored, name) for name in ("streaks.reached", "streaks.ended"))
    alive, shares = 1.0, {}
    for length in range(1, LENGTHS[-1] + 1):
        shares[length] = alive
        at_stake = max(reached.get(length, 0), ended.get(length, 0))
        alive *= 1 - (ended.get(length, 0) / at_stake if at_stake else 0)
    last = max(reached, default=0)
    return [
        Share(str(length), reached.get(length, 0), round(shares[length] * 100)) for length in LENGTHS if length <= last
    ]


def _by_length(stored: StoredFigures, name: str) -> Mapping[int, int]:
    return {int(length): number for length, number in stored.parts.get(name, {}).items()}


@dataclass(frozen=True)
class Cohort:
    """The participants who were first seen, and active, in the week that began on `week`, and which share came back `later`."""

    week: date
    size: int
    later: Sequence[int]


def retention(stored: StoredFigures) -> Sequence[Cohort]:
    """Return the cohorts of the last weeks that are over, oldest first."""
    return [cohort for sunday in sorted(stored.cohorts) if (cohort := _cohort(stored, sunday)).size][-RETENTION_WEEKS:]


def _cohort(stored: StoredFigures, sunday: date) -> Cohort:
    monday = sunday - timedelta(days=6)
    size = stored.cohorts[sunday].get(monday.isoformat(), 0)
    later = [stored.cohorts[day].get(monday.isoformat(), 0) for day in _sundays_after(stored, sunday)]
    return Cohort(monday, size, [_percent(number, size) for number in later])


def _sundays_after(stored: StoredFigures, sunday: date) -> Iterator[date]:
    """Yield the following Sundays until the first that was not measured."""
    while (sunday := sunday + WEEK) in stored.cohorts:
        yield sunday


@dataclass(frozen=True)
class Stock:
    """A reward that has run out, or will within 30 days if as many are given as in the last 30 days."""

    reward: Reward
    left: int
    given: int

    @property
    def days(self) -> int:
        """How many days the stock lasts."""
        return self.left * DAYS // self.given if self.given else 0


def rewards_running_out(tenant: Tenant, stored: StoredFigures) -> Sequence[Stock]:
    """Return the active rewards that run out, the first ones first."""
    given = stored.parts.get("rewards.given", {})
    found = (Stock(reward, left, given.get(reward.code, 0)) for reward, left in _limited(tenant))
    short = [stock for stock in found if not stock.left or stock.left < stock.given]
    return sorted(short, key=lambda stock: (stock.days, stock.reward.name))[:SHOWN_REWARDS]


def _limited(tenant: Tenant) -> Iterator[tuple[Reward, int]]:
    for reward in Reward.objects.of(tenant).active():
        pieces = None if reward.total_inventory is None else max(reward.total_inventory - reward.claimed, 0)
        limits = [left for left in (pieces, reward.available_codes) if left is not None]
        if limits:
            yield reward, min(limits)


def _percent(number: int, whole: int) -> int:
    return round(number * 100 / whole) if whole else 0
