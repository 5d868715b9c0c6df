"""Sums of a property are exact to six decimals. A board refuses amounts beyond the limits, and the trace reports it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from gamify.facts.engine.events import EventInput
from gamify.facts.models import Event
from gamify.facts.services import record_history, reverse_event
from gamify.leaderboards.engine.measures import MAX_AMOUNT, MAX_SUM, MILLIONTHS
from gamify.leaderboards.engine.ranking.places import BEST_PLACE, CARRY, join_score, split_score
from gamify.leaderboards.models import LargeSum, Score, ScoreRange
from gamify.leaderboards.services import drifts, fold, rebuild
from participants.exact_json import exact_json
from participants.ids import new_id
from tests.factories import ParticipantFactory
from tests.gamify.leaderboards.boards import create_filled_board, entries_of, fill, rank

NOW = datetime(2026, 2, 26, 12, tzinfo=UTC)
SUM = {"metric": "event_sum", "selector": {"event_name": "score", "field": "n"}}
MOST = 10**15
FULL = 10**18


def score(api, who, n):
    answer = api.post("/events", {"participant_id": who, "event_name": "score", "properties": {"n": n}})
    assert answer.status_code == 200, answer.json()
    return answer.json()["event_id"]


def score_often(tenant, who, n, times):
    """Record `times` events in one unit of work, one second apart."""
    first = NOW - timedelta(hours=2)
    events = [EventInput(who, "score", first + timedelta(seconds=number), {"n": n}) for number in range(times)]
    tenant.refresh_from_db()
    assert all(taken.refusal is None for taken in record_history(tenant=tenant, events=events, now=NOW))


def refusals(api, event_id):
    """The code and note of each board in the decision trace of an event."""
    trace = api.get(f"/events/{event_id}/explain").json()
    heard = [each for fact in trace["facts"] for each in fact["heard"]]
    return [(each["code"], each["note"]) for each in heard if each["type"] == "leaderboard"]


def assert_audit_and_rebuild_agree(tenant, board, api):
    before = entries_of(api, board.code)
    tenant.refresh_from_db()
    assert list(drifts(tenant=tenant, now=NOW)) == []
    for _ in rebuild(board=board, now=NOW):
        pass
    assert entries_of(api, board.code) == before


@pytest.mark.engine
@given(one=st.integers(-(10**24), 10**25), other=st.integers(-(10**24), 10**25))
def test_the_two_columns_of_a_score_sort_like_the_score(one, other):
    assert (split_score(one) < split_score(other)) == (one < other)
    assert join_score(*split_score(one)) == one
    assert 0 <= split_score(one)[1] < CARRY
    assert one < BEST_PLACE[0]


@pytest.mark.engine
def test_json_writes_a_decimal_with_all_its_digits():
    sent = {"a": Decimal("1000000000000000000.000001"), "b": 'x"y', "c": [Decimal("1E+3"), 0.5, None]}

    assert exact_json(sent) == r'{"a":1000000000000000000.000001,"b":"x\"y","c":[1000,0.5,null]}'


@pytest.mark.django_db
@pytest.mark.parametrize("folds", [False, True])
def test_one_event_can_add_more_than_a_billion(tenant, api, folds):
    board = create_filled_board(tenant, **SUM)
    score(api, "a", 2_000_000_000)
    score(api, "b", 1_000_000_000)

    if folds:
        fold(tenant=tenant, now=NOW)

    assert entries_of(api) == [(1, "a", 2_000_000_000), (2, "b", 1_000_000_000)]
    assert_audit_and_rebuild_agree(tenant, board, api)


@pytest.mark.django_db
def test_many_events_add_up_beyond_64_bits(tenant, api):
    board = create_filled_board(tenant, **SUM)
    score_often(tenant, "a", 1_000_000_000, 4_700)

    assert entries_of(api) == [(1, "a", 4_700_000_000_000)]
    fold(tenant=tenant, now=NOW)
    assert entries_of(api) == [(1, "a", 4_700_000_000_000)]
    assert_audit_and_rebuild_agree(tenant, board, api)


@pytest.mark.django_db
@pytest.mark.parametrize("folds", [False, True])
def test_a_millionth_decides_the_rank_near_the_limit(tenant, api, folds):
    board = create_filled_board(tenant, **SUM)
    for who, last in {"a": 0.000002, "b": 0.000003, "c": 0.000001}.items():
        score_often(tenant, who, MOST, 999)
        score(api, who, last)

    if folds:
        fold(tenant=tenant, now=NOW)

    sums = {who: Decimal(f"999000000000000000.00000{digit}") for who, digit in {"b": 3, "a": 2, "c": 1}.items()}
    assert entries_of(api) == [(place, who, total) for place, (who, total) in enumerate(sums.items(), 1)]
    assert (rank(api, "c")["rank"], rank(api, "c")["score"]) == (3, sums["c"])
    assert entries_of(api, around="c", limit=1) == [(3, "c", sums["c"])]
    assert_audit_and_rebuild_agree(tenant, board, api)


@pytest.mark.django_db
def test_a_board_refuses_an_amount_above_the_limit_of_an_event(tenant, api):
    board = create_filled_board(tenant, **SUM)
    create_filled_board(tenant, "reds", participant_filter={"team": "red"}, **SUM)
    score(api, "a", MOST)

    refused = score(api, "a", MOST + 1)

    assert entries_of(api) == [(1, "a", MOST)]
    assert Event.objects.count() == 2
    assert refusals(api, refused) == [("top", "the amount exceeds 10^15, the most that one event may add")]
    assert_audit_and_rebuild_agree(tenant, board, api)


@pytest.mark.django_db
@pytest.mark.parametrize("amount", [MOST, 1, 0.000001])
def test_a_board_refuses_an_amount_that_would_exceed_the_limit_of_a_sum(tenant, api, admin_api, amount):
    board = create_filled_board(tenant, **SUM)
    score_often(tenant, "a", MOST, 999)
    last = score(api, "a", MOST)
    assert refusals(api, last) == []

    refused = score(api, "a", amount)

    assert entries_of(api) == [(1, "a", FULL)]
    reason = "the sum would exceed 10^18, the most that one participant may have"
    assert refusals(api, refused) == [("top", reason)]
    assert_audit_and_rebuild_agree(tenant, board, api)
    assert refusals(api, score(api, "a", amount)) == [("top", reason)]


@pytest.mark.django_db
def test_a_reversal_makes_room_and_a_refused_amount_stays_refused(tenant, api):
    board = create_filled_board(tenant, **SUM)
    score_often(tenant, "a", MOST, 1_000)
    refused = score(api, "a", 5)
    counted = str(Event.objects.order_by("pk").first().pk)

    for event_id in (counted, refused):
        tenant.refresh_from_db()
        reverse_event(tenant=tenant, event_id=event_id, reason=None, now=NOW)
    score(api, "a", 7)

    assert entries_of(api) == [(1, "a", FULL - MOST + 7)]
    assert_audit_and_rebuild_agree(tenant, board, api)


@pytest.mark.django_db
def test_a_board_over_a_history_beyond_the_limit_counts_up_to_it(tenant, api):
    score_often(tenant, "a", MOST, 1_002)

    board = create_filled_board(tenant, **SUM)

    assert entries_of(api) == [(1, "a", FULL)]
    assert len(refusals(api, score(api, "a", 1))) == 1
    assert_audit_and_rebuild_agree(tenant, board, api)


@pytest.mark.django_db
def test_small_amounts_before_a_large_one_in_the_same_unit_count_towards_the_limit(tenant, api):
    create_filled_board(tenant, **SUM)
    events = [EventInput("a", "score", NOW - timedelta(minutes=10), {"n": n}) for n in (5, 10**12, 6)]
    tenant.refresh_from_db()

    record_history(tenant=tenant, events=events, now=NOW)

    assert LargeSum.objects.get().total == (10**12 + 11) * MILLIONTHS


@pytest.mark.django_db
def test_the_audit_finds_a_sum_that_differs_from_the_events(tenant, api):
    create_filled_board(tenant, **SUM)
    score(api, "a", 10**12)
    LargeSum.objects.update(score=5)

    tenant.refresh_from_db()
    found = [(each.what, each.stored, each.expected) for each in drifts(tenant=tenant, now=NOW)]

    assert found == [("a in all events", 5, 10**12 * MILLIONTHS)]


@pytest.mark.django_db
def test_a_release_that_does_not_know_the_carry_can_still_write(tenant):
    """It inserts rows without the column `carry`."""
    person, track = ParticipantFactory(tenant=tenant), new_id()
    keys = [value if connection.vendor == "postgresql" else value.hex for value in (tenant.pk, person.pk, track)]
    scores, ranges = Score._meta.db_table, ScoreRange._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {scores} (tenant_id, participant_id, track, period, score, earliness, is_shown) "
            "VALUES (%s, %s, %s, 0, 5, 0, true)", keys
        )  # fmt: skip
        cursor.execute(
            f"INSERT INTO {ranges} (tenant_id, participant_id, track, id, period, level, score, earliness, count) "
            "VALUES (%s, %s, %s, %s, 0, 0, 5, 0, 1)", [*keys, keys[2]]
        )  # fmt: skip

    assert (Score.objects.get().total, ScoreRange.objects.get().low[0]) == (5, 5)


@pytest.mark.django_db
def test_the_migration_fills_boards_of_sums_again(tenant, api):
    """An earlier release stopped at 2^62 millionths."""
    board, other = create_filled_board(tenant, **SUM), create_filled_board(tenant, "earned")
    score_often(tenant, "a", 1_000_000_000, 4_700)
    fold(tenant=tenant, now=NOW)
    Score.objects.filter(track=board.track).update(carry=0, score=2**62)

    import_module("gamify.leaderboards.migrations.0003_refill_sums").refill_sums(apps, None)

    board.refresh_from_db(), other.refresh_from_db()
    assert (board.built_at is None, other.built_at is None) == (True, False)
    fill(board, now=NOW)
    assert entries_of(api) == [(1, "a", 4_700_000_000_000)]
    assert_audit_and_rebuild_agree(tenant, board, api)


@pytest.mark.engine
def test_the_limits_are_those_of_the_contract():
    assert (MAX_AMOUNT, MAX_SUM) == (10**15 * MILLIONTHS, 10**18 * MILLIONTHS)
