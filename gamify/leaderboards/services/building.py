"""Fill a board from the history, in chunks of participants, while units of work and folds continue.

Nothing that is written meanwhile is lost or counted twice:

- For a participant who was filled already, changes are folded as usual.
- For the others, a change may be folded before their chunk. Filling then replaces their scores with those of the history, which
  includes the change.
- A unit of work that began before the board existed does not note changes for it. Therefore filling first waits for these units.
"""

import time
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
from participants.database import instance_from
from participants.ids import new_id
from participants.models import Participant, Tenant
from participants.work import reading, wait_for_open_units

CHUNK = 1_000
FIRST_CHUNK = 200
LOCK_SECONDS = 0.5
"""A chunk that holds its locks for longer is followed by a smaller one. So long histories do not block awards for long."""

TRACK_FIELDS = ("track", "built_to", "built_at", "people_filled", "people_to_fill")


def build(*, board: Leaderboard, now: datetime) -> Iterator[int]:
    """Fill a board that is not complete. Continues after the last participant who was filled.

    Generator: yields the number of participants of each chunk, and 0 while it waits for open units of work.
    """
    yield from wait_for_open_units()
    size, began = min(FIRST_CHUNK, CHUNK), time.monotonic()
    while (filled := _build_chunk(board=board, size=size, now=now)) is not None:
        size = next_size(size, seconds=time.monotonic() - began)
        yield filled
        began = time.monotonic()


def next_size(size: int, *, seconds: float) -> int:
    """The size of the next chunk, after one of this size took so many seconds: half or double, FIRST_CHUNK to CHUNK."""
    return min(CHUNK, max(FIRST_CHUNK, size // 2) if seconds > LOCK_SECONDS else size * 2)


def rebuild(*, board: Leaderboard, now: datetime) -> Iterator[int]:
    """Fill a board again on a new track. Its answers have `building` true until that is done. Yields as `build` does."""
    with transaction.atomic():
        row = Leaderboard.objects.select_for_update().get(pk=board.pk)
        begin_track(row)
        row.save(update_fields=TRACK_FIELDS)
        bump_catalog_version(board.tenant)
    yield from build(board=row, now=now)


def begin_track(row: Leaderboard) -> None:
    """Give the board a new track without scores. The caller saves the row."""
    row.track, row.built_to, row.built_at = new_id(), None, None
    row.people_filled, row.people_to_fill = 0, None


def _build_chunk(*, board: Leaderboard, size: int, now: datetime) -> int | None:
    """Fill the board for the next chunk of participants, or mark it as complete.

    Returns the number of participants. None if nothing is left to do: the board is complete (perhaps filled by another worker)
    or inactive.
    """
    tenant = board.tenant
    with reading(tenant), transaction.atomic():
        lock_boards(tenant)
        tenant.refresh_from_db()
        row = Leaderboard.objects.of(tenant).active().filter(pk=board.pk, built_at=None).first()
        if row is None:
            return None
        people = next_people(tenant, row.built_to, size=size)
        if not people:
            _complete(tenant, row, now=now)
            return None
        _fill(tenant, row, people, now=now)
        _store_progress(tenant, row, people)
        return len(people)


def next_people(tenant: Tenant, last: UUID | None, *, size: int) -> Sequence[UUID]:
    """The ids of the next `size` participants after the id `last`, in rising order."""
    people = Participant.objects.of(tenant).order_by("pk").values_list("pk", flat=True)
    return list((people if last is None else people.filter(pk__gt=last))[:size])


def _store_progress(tenant: Tenant, row: Leaderboard, people: Sequence[UUID]) -> None:
    """Store that `people`, who come after `built_to`, are filled. The first chunk counts all participants."""
    filled, to_fill = row.people_filled, row.people_to_fill
    if row.built_to is None or to_fill is None:  # a worker of the previous release fills boards and counts none
        everybody = Participant.objects.of(tenant)
        filled = 0 if row.built_to is None else everybody.filter(pk__lte=row.built_to).count()
        to_fill = everybody.count()
    Leaderboard.objects.filter(pk=row.pk, track=row.track).update(
        built_to=people[-1], people_filled=filled + len(people), people_to_fill=to_fill
    )


def _complete(tenant: Tenant, row: Leaderboard, *, now: datetime) -> None:
    Leaderboard.objects.filter(pk=row.pk, track=row.track).update(built_at=now)
    bump_catalog_version(tenant)


def _fill(tenant: Tenant, row: Leaderboard, people: Sequence[UUID], *, now: datetime) -> None:
    """Fill the board for these participants, and fold their waiting changes into all boards in the same transaction.

    The history of this board already includes these changes. Folding them later would count them twice.
    """
    changes = lock_with_changes(tenant, people)
    fold = Fold(tenant, boards_in(catalog_of(tenant)), changes, now=now)
    result = fold.run()
    _refill(tenant, compile_board(row), people, result, fold=fold, now=now)
    store_fold(tenant, result)
    delete_changes(tenant, changes)


def _refill(
    tenant: Tenant, board: Board, people: Sequence[UUID], result: FoldResult, *, fold: Fold, now: datetime
) -> None:
    fold.load_track(board.track, people)
    for slot, draft in result.drafts.of_participants(people):
        if slot[0] == board.track:
            draft.is_removed = True
    members = [person for person in _people(tenant, board, people) if board.has_member(person)]
    refill(result.drafts, tenant, board, members, now=now)
    if board.measure.is_property_sum:
        drafts = {each: result.drafts.find((board.track, ALL_TIME.code), each) for each in people}
        totals = {each: 0 if draft is None else draft.score for each, draft in drafts.items()}
        replace_large_sums(tenant, board.measure, totals)
    result.moves, result.has_changed_closed_period = result.drafts.moves(), True


def _people(tenant: Tenant, board: Board, ids: Sequence[UUID]) -> Sequence[Participant]:
    """The participants with these ids. For a sum they have only the columns that filling needs, because reading them all is slow."""
    people = Participant.objects.of(tenant).filter(pk__in=ids)
    if board.measure.is_level:
        return list(people)
    columns = ["id", "is_active", "visible", *(["attributes"] if board.member_filter else [])]
    rows = people.values_list(*columns)
    return [instance_from(Participant, zip(columns, row, strict=True), alias=people.db) for row in rows]
