"""Several connections write, fold, fill and read at the same moment. These tests run on SQLite too, where writers wait for each other."""

from datetime import timedelta
from functools import partial
from threading import Event
from time import sleep

import pytest
from django.utils import timezone

from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit, record_history
from gamify.leaderboards.engine.measures import MAX_SUM
from gamify.leaderboards.selectors import boards_in
from gamify.leaderboards.selectors.ranking.pages import PageRequest
from gamify.leaderboards.services import answer_page, answer_rank, build, create_leaderboard, drifts, fold
from gamify.points.services import Change, award
from participants.catalog import catalog_of
from participants.models import Tenant
from participants.services.tenants import create_tenant
from participants.work import UnitOfWork
from tests.gamify.leaderboards.boards import create_filled_board
from tests.threads import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)

AWARDS = 8
PEOPLE = [f"user_{number}" for number in range(6)]


@pytest.fixture
def tenant():
    return create_tenant(slug="acme", name="Acme", now=timezone.now())


def fresh(tenant):
    return Tenant.objects.get(pk=tenant.pk)


def awarded(tenant, who, amount=1):
    return award(tenant=fresh(tenant), change=Change(who, amount), now=timezone.now())


def parameters(tenant, code="top"):
    """The arguments of `answer_page` and `answer_rank` under the newest definitions."""
    newest, now = fresh(tenant), timezone.now()
    board = boards_in(catalog_of(newest)).active[code]
    return {"tenant": newest, "board": board, "period": board.current_period(board.default_kind, now=now), "now": now}


def page(tenant, code="top"):
    return answer_page(**parameters(tenant, code), request=PageRequest(100))


def test_a_unit_that_read_the_definitions_before_a_board_was_created_counts_for_it(tenant):
    awarded(tenant, "user_1", 10)
    began_before = fresh(tenant)
    assert not boards_in(catalog_of(began_before)).active
    create_filled_board(tenant)

    award(tenant=began_before, change=Change("user_1", 5), now=timezone.now())

    assert answer_rank(**parameters(tenant), participant_id="user_1").score == 15


def test_a_participant_who_is_created_while_a_board_is_created_is_on_it(tenant, monkeypatch):
    assert not boards_in(catalog_of(fresh(tenant))).active
    is_open, flush = Event(), UnitOfWork.flush

    def late_flush(work):
        is_open.set()
        sleep(0.5)
        flush(work)

    def makes():
        is_open.wait(10)
        return create_filled_board(tenant)

    monkeypatch.setattr(UnitOfWork, "flush", late_flush)
    _, board = all_at_once([partial(awarded, tenant, "user_1", 5), makes])

    assert board.built_at
    assert answer_rank(**parameters(tenant), participant_id="user_1").score == 5
    check(tenant)


def writes(tenant, who):
    return [awarded(tenant, who).new_balance for _ in range(AWARDS)]


def writes_and_reads(tenant, who):
    """The score that each read returns after each award."""
    scores = []
    for _ in range(AWARDS):
        awarded(tenant, who)
        scores.append(answer_rank(**parameters(tenant), participant_id=who).score)
    return scores


def reads(tenant):
    pages = [page(tenant) for _ in range(AWARDS)]
    return [(len(each.entries), each.total) for each in pages]


def folds(tenant):
    return [fold(tenant=fresh(tenant), now=timezone.now()) for _ in range(AWARDS)]


def fills(tenant):
    now = timezone.now()
    row = create_leaderboard(tenant=fresh(tenant), data={"code": "new", "name": "New"}, now=now)
    return list(build(board=row, now=now))


def check(tenant):
    fold(tenant=fresh(tenant), now=timezone.now())
    assert list(drifts(tenant=fresh(tenant), now=timezone.now())) == []


def test_every_writer_reads_their_own_write_while_others_fold(tenant):
    create_filled_board(tenant)
    writers = [partial(writes_and_reads, tenant, who) for who in PEOPLE]

    results = all_at_once([*writers, partial(folds, tenant), partial(folds, tenant)])

    assert results[: len(PEOPLE)] == [list(range(1, AWARDS + 1))] * len(PEOPLE)
    assert not any(isinstance(result, Exception) for result in results)
    check(tenant)


def test_a_board_is_exact_if_it_is_filled_while_others_write_fold_and_read(tenant, monkeypatch):
    monkeypatch.setattr("gamify.leaderboards.services.building.CHUNK", 1)
    create_filled_board(tenant)
    for who in PEOPLE:
        awarded(tenant, who, 3)
    writers = [partial(writes, tenant, who) for who in PEOPLE]

    *results, filled, read = all_at_once([*writers, *(partial(each, tenant) for each in (folds, fills, reads))])

    assert not any(isinstance(result, Exception) for result in [*results, filled])
    assert read == [(len(PEOPLE), len(PEOPLE))] * AWARDS
    for code in ("top", "new"):
        scores = {each.row.external_id: each.row.score for each in page(tenant, code).entries}
        assert scores == dict.fromkeys(PEOPLE, 3 + AWARDS)
    check(tenant)


def test_large_events_at_the_same_time_do_not_exceed_the_limit_of_a_sum(tenant):
    create_filled_board(tenant, metric="event_sum", selector={"event_name": "score", "field": "n"})
    now, most = timezone.now(), {"n": 10**15}
    history = [EventInput("a", "score", now - timedelta(seconds=number), most) for number in range(1, 999)]
    record_history(tenant=fresh(tenant), events=history, now=now)

    at_once = [lambda: emit(tenant=fresh(tenant), event=EventInput("a", "score", now, most), now=now)] * 4
    assert not any(isinstance(result, Exception) for result in all_at_once(at_once))

    assert [entry.row.score for entry in page(tenant).entries] == [MAX_SUM]
    assert list(drifts(tenant=fresh(tenant), now=now)) == []
