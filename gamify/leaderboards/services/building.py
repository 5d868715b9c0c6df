"""A board over a history is filled in the background: everybody is looked at, in chunks, while writes and folding go on.

What is written meanwhile counts as well: whoever was looked at goes on by changes, and of the others a change comes to a part of what
their history will set. What began before the board was there is waited for.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from gamify.leaderboards.engine.periods import ALL_TIME
from gamify.leaderboards.models import Leaderboard
from gamify.leaderboards.selectors.catalog import Board, boards_in, compile_board
from gamify.leaderboards.selectors.ranking.fold import Fold, FoldResult
from gamify.leaderboards.selectors.ranking.refill import refill
from gamify.leaderboards.services.folding import delete_changes, lock_with_changes
from gamify.leaderboards.services.limiting import replace_large_sums
from gamify.leaderboards.services.storing import lock_boards, store_fold
from participants.catalog import bump_catalog_version, catalog_of
from participants.ids import new_id
from participants.models import Participant, Tenant
from participants.work import reading, wait_for_open_units

CHUNK = 200


def build(*, board: Leaderboard, now: datetime) -> Iterator[int]:
    """Fill a board that is not complete, from where it was left; answers how many participants were looked at, chunk by chunk."""
    yield from wait_for_open_units()
    while (looked_at := _build_chunk(board=board, now=now)) is not None:
        yield looked_at


def rebuild(*, board: Leaderboard, now: datetime) -> Iterator[int]:
    """Fill a board anew, whatever it holds; until that is done, its answers say so."""
    with transaction.atomic():
        row = Leaderboard.objects.select_for_update().get(pk=board.pk)
        begin_track(row)
        row.save(update_fields=["track", "built_to", "built_at"])
        bump_catalog_version(board.tenant)
    yield from build(board=row, now=now)


def begin_track(row: Leaderboard) -> None:
    """What was kept so far measures something else."""
    row.track, row.built_to, row.built_at = new_id(), None, None


def _build_chunk(*, board: Leaderboard, now: datetime) -> int | None:
    """None when there is nothing left to do, as where somebody else has done it."""
    tenant = board.tenant
    with reading(tenant), transaction.atomic():
        lock_boards(tenant)
        tenant.refresh_from_db()
        row = Leaderboard.objects.of(tenant).active().filter(pk=board.pk, built_at=None).first()
        if row is None:
            return None
        people = _next_people(tenant, row.built_to)
        if not people:
            _complete(tenant, row, now=now)
            return None
        _fill(tenant, row, people, now=now)
        Leaderboard.objects.filter(pk=row.pk).update(built_to=people[-1])
        return len(people)


def _next_people(tenant: Tenant, last: UUID | None) -> Sequence[UUID]:
    people = Participant.objects.of(tenant).order_by("pk").values_list("pk", flat=True)
    return list((people if last is None else people.filter(pk__gt=last))[:CHUNK])


def _complete(tenant: Tenant, row: Leaderboard, *, now: datetime) -> None:
    Leaderboard.objects.filter(pk=row.pk).update(built_at=now)
    bump_catalog_version(tenant)


def _fill(tenant: Tenant, row: Leaderboard, people: Sequence[UUID], *, now: datetime) -> None:
    """Their changes are worked into all boards with it: they are in the history that this one is filled from."""
    changes = lock_with_changes(tenant, people)
    fold = Fold(tenant, boards_in(catalog_of(tenant)), changes, now=now)
    folded = fold.run()
    _refill(tenant, compile_board(row), people, folded, fold=fold, now=now)
    store_fold(tenant, folded)
    delete_changes(tenant, changes)


def _refill(
    tenant: Tenant, board: Board, people: Sequence[UUID], folded: FoldResult, *, fold: Fold, now: datetime
) -> None:
    fold.load_track(board.track, people)
    for slot, line in folded.drafts.of_participants(people):
        if slot[0] == board.track:
            line.is_removed = True
    members = [person for person in Participant.objects.of(tenant).filter(pk__in=people) if board.has_member(person)]
    refill(folded.drafts, tenant, board, members, now=now)
    if board.measure.is_property_sum:
        lines = {who: folded.drafts.find((board.track, ALL_TIME.code), who) for who in people}
        replace_large_sums(
            tenant, board.measure, {who: 0 if line is None else line.score for who, line in lines.items()}
        )
    folded.moves, folded.has_changed_closed_period = folded.drafts.moves(), True
