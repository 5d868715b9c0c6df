"""The people of the demo and what they do each day. Pure functions with fixed random seeds."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

SEED = 20260214
COFFEE, MUG = 100, 400
"""What the rewards cost, in points."""

FIRST_NAMES = ("Ada", "Bo", "Chen", "Dina", "Emil", "Fatou", "Goran", "Hana", "Ines", "Jun", "Kofi", "Lena", "Mara")
LAST_NAMES = ("Adler", "Brandt", "Costa", "Diallo", "Eriksen", "Fujita", "García", "Haddad", "Ivanova", "Jensen")
PLANS = ("free", "free", "free", "pro", "enterprise")
FOUNDERS = (4, 22)


@dataclass(frozen=True)
class Activity:
    """Something that people do: the points for it, how often it happens, and which streaks it ticks besides `daily_login`.

    `event` is the event that the application reports for it.
    """

    reason: str
    amount: int
    weight: int
    streaks: Sequence[str] = ()
    event: str | None = None


ACTIVITIES = (
    Activity("Completed a lesson", 20, 6, ("daily_lesson", "weekly_lesson"), "lesson_completed"),
    Activity("Daily login", 5, 10),
    Activity("Purchase completed", 120, 3, ("monthly_purchase",), "purchase_completed"),
    Activity("Invited a friend", 250, 1, ("invitations",), "friend_invited"),
)
# (badge, reason, number): the badge is awarded for this number of deeds with this reason; None means any reason.
BADGES = (
    ("first_steps", None, 1),
    ("regular", None, 25),
    ("scholar", "Completed a lesson", 10),
    ("big_spender", "Purchase completed", 6),
    ("ambassador", "Invited a friend", 3),
    ("legend", None, 70),
)


@dataclass(frozen=True)
class Person:
    """A person. `liveliness` is the probability that they do something on a day."""

    external_id: str
    display_name: str
    plan: str
    liveliness: float
    is_founder: bool


@dataclass(frozen=True)
class Deed:
    """An activity of one person on one day."""

    person: Person
    activity: Activity

    @property
    def streaks(self) -> Sequence[str]:
        return ("daily_login", *self.activity.streaks)


def people(number: int) -> list[Person]:
    """Return the first `number` people. The same index always gives the same person."""
    return [_person(index) for index in range(number)]


def _person(index: int) -> Person:
    random = Random(f"{SEED}-{index}")  # noqa: S311 - the same demo for everyone
    name = f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}"
    plan, liveliness = random.choice(PLANS), random.betavariate(1.2, 3)
    return Person(f"demo_{index:03}", name, plan, liveliness, is_founder=index in FOUNDERS)


def deeds(cast: Sequence[Person], *, at: datetime) -> Iterator[Deed]:
    """Yield the deeds on the day of `at`, at most one per person."""
    for person in cast:
        random = Random(f"{SEED}-{person.external_id}-{at:%Y-%m-%d}")  # noqa: S311 - the same demo for everyone
        if random.random() < person.liveliness:
            weights = [each.weight for each in ACTIVITIES]
            yield Deed(person, random.choices(ACTIVITIES, weights=weights)[0])


def wishes(person: Person, *, at: datetime) -> tuple[bool, bool]:
    """Whether the person wants to claim a coffee, and a mug, on the day of `at`."""
    random = Random(f"{SEED}-{person.external_id}-{at:%Y-%m-%d}-coffee")  # noqa: S311 - the same demo for everyone
    return random.random() < person.liveliness / 20, random.random() < person.liveliness / 60


@dataclass
class Diary:
    """The history of one person so far: current points, and number of deeds by reason."""

    wallet: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def is_empty(self) -> bool:
        return not self.counts

    def pay(self, amount: int) -> bool:
        """Spend `amount` points if there are enough. Return whether it succeeded."""
        if self.wallet < amount:
            return False
        self.wallet -= amount
        return True

    def write(self, deed: Deed) -> list[str]:
        """Record a deed. Return the codes of the badges that it earns."""
        done = deed.activity.reason
        self.wallet += deed.activity.amount
        self.counts[done] += 1
        return [code for code, reason, number in BADGES if reason in {None, done} and self._of(reason) == number]

    def _of(self, reason: str | None) -> int:
        return self.counts.total() if reason is None else self.counts[reason]
