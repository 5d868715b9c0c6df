"""After any sequence of actions and folds, every answer equals the naive computation of `oracle`."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gamify.badges.services import award as award_badge
from gamify.facts.models import Event
from gamify.facts.services import reverse_event
from gamify.leaderboards.engine.periods import CLIENT_KINDS as PERIODS
from gamify.leaderboards.engine.periods import local_day, period_on
from gamify.leaderboards.engine.ranking import ranges
from gamify.leaderboards.selectors.ranking import stored_board
from gamify.leaderboards.services import drifts, fold
from gamify.points.models import EntryType, LedgerEntry
from gamify.points.services import reverse
from participants.errors import DomainError, ParticipantNotFound
from participants.services.participants import anonymize, delete
from tests.client import Api
from tests.factories import BadgeFactory, TenantFactory, raw_key
from tests.gamify.leaderboards.boards import create_filled_board, page, rank
from tests.gamify.leaderboards.oracle import naive_page

NOW = datetime(2026, 2, 26, 20, tzinfo=UTC)  # a Thursday: midnight, a new week and a new month follow within days
PEOPLE = [f"user_{number}" for number in range(7)]
TEAMS = ("red", "blue", None)

AHEAD = -0.05  # hours ago: events may be a few minutes ahead

person = st.sampled_from(PEOPLE)
amount = st.one_of(
    st.sampled_from([0.25, 1, 2]), st.sampled_from([0.1, 10**9 + 0.000001, 10**15 - 1, 10**15, 10**15 + 1])
)
awarding = st.tuples(st.just("award"), person, st.integers(1, 4))
deducting = st.tuples(st.just("deduct"), person, st.integers(1, 4))
event = st.tuples(
    st.just("event"), person, amount, st.sampled_from(["pro", "free"]), st.one_of(st.integers(0, 60), st.just(AHEAD))
)
step = st.one_of(
    awarding,
    awarding,
    event,
    event,
    deducting,
    st.tuples(st.just("badge"), person, st.integers(0, 2)),
    st.tuples(st.just("team"), person, st.sampled_from(TEAMS)),
    st.tuples(st.just("seen"), person, st.booleans()),
    st.tuples(st.just("reverse"), st.integers(0, 30)),
    st.tuples(st.just("undo"), st.integers(0, 30)),
    st.tuples(st.just("anonymize"), person),
    st.tuples(st.just("delete"), person),
    st.tuples(st.just("wait"), st.sampled_from([1, 3600, 14_280, 86_400, 4 * 86_400])),
    st.tuples(st.just("fold")),
)

BOARDS = {
    "earned": {"metric": "points_earned"},
    "tokyo": {"metric": "points_earned", "timezone": "Asia/Tokyo"},
    "balance": {"metric": "points_balance"},
    "count": {"metric": "event_count", "selector": {"event_name": "buy"}},
    "sum": {"metric": "event_sum", "selector": {"event_name": "buy", "field": "amount", "filter": {"plan": "pro"}}},
    "badges": {"metric": "badges_count"},
    "reds": {"metric": "points_earned", "participant_filter": {"team": "red"}},
}
WINDOWS = ("all_time", "yearly", "monthly", "weekly", "daily")
PARTS = ("all_time", "weekly")  # in these, every participant is read too


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch):
    """Small limits, so that a few participants fill leaves and groups."""
    for name, value in {
        "MAX_LEAF": 3, "NEW_LEAF": 1, "SMALL_LEAF": 1, "MAX_GROUP": 3, "NEW_GROUP": 1, "SMALL_GROUP": 1,
    }.items():  # fmt: skip
        monkeypatch.setattr(ranges, name, value)
    monkeypatch.setattr(stored_board, "MAX_LEAF", 1)


class World:
    """A tenant with boards, and the actions of the generated steps."""

    def __init__(self, clock, late: bool) -> None:
        self.clock = clock
        self.tenant = TenantFactory()
        self.api = Api(raw_key(self.tenant))
        self.now = NOW
        for number in range(3):
            BadgeFactory(tenant=self.tenant, code=f"badge_{number}")
        self.boards = {} if late else self._make_boards()

    def _make_boards(self):
        return {code: create_filled_board(self.tenant, code, now=self.now, **given) for code, given in BOARDS.items()}

    def finish(self) -> None:
        """Create the boards if they were not created at the start. They are then filled from the history."""
        self.boards = self.boards or self._make_boards()

    def take(self, name: str, *given) -> None:
        getattr(self, f"_{name}")(*given)

    def _award(self, who, amount):
        self.api.post("/points/award", {"participant_id": who, "amount": amount, "reason": "r"})

    def _deduct(self, who, amount):
        self.api.post("/points/deduct", {"participant_id": who, "amount": amount, "reason": "r"})

    def _event(self, who, amount, plan, hours_ago):
        at = (self.now - timedelta(hours=hours_ago)).isoformat()
        properties = {"amount": amount, "plan": plan}
        self.api.post(
            "/events", {"participant_id": who, "event_name": "buy", "properties": properties, "timestamp": at}
        )

    def _badge(self, who, number):
        award_badge(tenant=self.tenant, participant_id=who, badge_code=f"badge_{number}", metadata={}, now=self.now)

    def _team(self, who, team):
        self.api.post("/participants", {"participant_id": who, "attributes": {"team": team}})

    def _seen(self, who, visible):
        self.api.post("/participants", {"participant_id": who, "visible": visible})

    def _anonymize(self, who):
        with suppress(ParticipantNotFound):
            anonymize(tenant=self.tenant, external_id=who, now=self.now)

    def _delete(self, who):
        with suppress(ParticipantNotFound):
            delete(tenant=self.tenant, external_id=who, now=self.now)

    def _wait(self, seconds):
        self.now += timedelta(seconds=seconds)
        self.clock.move_to(self.now)

    def _fold(self):
        fold(tenant=self.tenant, now=self.now)

    def _undo(self, number):
        """An event that was reversed already, or whose participant is gone, is refused."""
        events = list(Event.objects.filter(tenant=self.tenant).order_by("pk"))
        if events:
            self.tenant.refresh_from_db()
            event_id = str(events[number % len(events)].pk)
            with suppress(DomainError):
                reverse_event(tenant=self.tenant, event_id=event_id, reason=None, now=self.now)

    def _reverse(self, number):
        """Points that were spent are not taken back."""
        awards = list(LedgerEntry.objects.filter(tenant=self.tenant, type=EntryType.AWARD).order_by("pk"))
        if awards:
            self.tenant.refresh_from_db()
            award = str(awards[number % len(awards)].pk)
            with suppress(DomainError):
                reverse(tenant=self.tenant, transaction_id=award, reason=None, now=self.now)


DELETED_BEFORE_THE_FOLD = [
    ("award", "user_6", 3),
    ("award", "user_5", 4),
    ("fold",),
    ("delete", "user_6"),
    ("award", "user_2", 1),
]


@pytest.mark.django_db
@pytest.mark.timeout(300)
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(step, min_size=5, max_size=30), late=st.booleans())
@example(steps=DELETED_BEFORE_THE_FOLD, late=False)
def test_every_answer_equals_the_naive_computation(steps, late):
    with time_machine.travel(NOW, tick=False) as clock:
        world = World(clock, late)
        for each in steps:
            world.take(*each)
        world.finish()

        _compare(world)
        fold(tenant=world.tenant, now=world.now)
        _compare(world)
        world.tenant.refresh_from_db()
        assert list(drifts(tenant=world.tenant, now=world.now)) == []


def _compare(world: World) -> None:
    for code, board in world.boards.items():
        for window in WINDOWS if code != "balance" else ("all_time",):
            expected = naive_page(board, window, now=world.now)
            _compare_page(world, code, expected, period=window)
            if window in PARTS:
                _compare_parts(world, code, window, expected)
            if window != "all_time" and not board.participant_filter:
                key = _key_before(board, window, now=world.now)
                _compare_page(
                    world, code, naive_page(board, window, now=world.now, back=1), period=window, period_key=key
                )


def _key_before(board, window: str, *, now: datetime) -> str:
    return period_on(PERIODS[window], local_day(now, ZoneInfo(board.timezone))).previous.key


def _compare_page(world: World, code: str, expected, **query) -> None:
    answer = page(world.api, code, limit=100, **query)
    assert answer | {"entries": _known(code, answer["entries"])} == answer | expected | {
        "entries": _known(code, expected["entries"])
    }, (code, query)


def _known(code: str, entries):
    """Without `change` for the board with a filter: the history does not contain who was a member when a period ended."""
    return [{**entry, "change": None} for entry in entries] if code == "reds" else entries


def _compare_parts(world: World, code: str, window: str, expected) -> None:
    entries = _known(code, expected["entries"])
    for offset in range(0, len(entries) + 2, 2):
        listed = page(world.api, code, period=window, limit=2, offset=offset)["entries"]
        assert _known(code, listed) == entries[offset : offset + 2], (code, window, offset)
    for index, entry in enumerate(entries):
        listed = page(world.api, code, period=window, limit=3, around=entry["participant_id"])["entries"]
        start = max(0, min(index - 1, len(entries) - 3))
        assert _known(code, listed) == entries[start : start + 3], (code, window, entry)
        ranked = rank(world.api, entry["participant_id"], code, period=window)
        assert (ranked["rank"], ranked["score"]) == (entry["rank"], entry["score"])
