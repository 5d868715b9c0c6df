"""Store the result of a fold: scores, ranges, and that the ranks of closed periods may have changed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F

from gamify.leaderboards.engine.ranking.drafts import ScoreDraft, ScoreDrafts, Slot
from gamify.leaderboards.engine.ranking.places import Move, Moves, split_score
from gamify.leaderboards.engine.ranking.ranges import Range, Ranges, should_look_up_leaves
from gamify.leaderboards.models import Folding, Score, ScoreRange
from gamify.leaderboards.selectors.ranking.fold import FoldResult
from gamify.leaderboards.selectors.ranking.stored_board import StoredBoard
from participants.database import insert, instance_from, update, upsert
from participants.ids import new_id
from participants.models import Tenant

SCORE_KEY = frozenset({"tenant_id", "participant_id", "track", "period"})


def lock_boards(tenant: Tenant) -> Folding:
    """Lock the boards of a tenant until the transaction ends. Every writer of scores needs this lock; a second one waits."""
    Folding.objects.get_or_create(tenant=tenant)
    return Folding.objects.select_for_update().get(tenant=tenant)


def store_fold(tenant: Tenant, result: FoldResult) -> None:
    """Store the result of a fold. The transaction must hold `lock_boards`."""
    _store_scores(tenant, result.drafts)
    _store_ranges(tenant, result.moves)
    if result.has_changed_closed_period:
        Folding.objects.filter(tenant=tenant).update(revision=F("revision") + 1)


def _store_scores(tenant: Tenant, drafts: ScoreDrafts) -> None:
    changed = [(slot, draft) for slot, draft in drafts if draft.is_changed]
    rows = [_score_row(tenant, slot, draft) for slot, draft in changed if not draft.is_removed]
    if rows:
        upsert(connection, rows, never_changed=SCORE_KEY)
    _delete_scores(tenant, [(slot, draft) for slot, draft in changed if draft.is_removed])


def _score_row(tenant: Tenant, slot: Slot, draft: ScoreDraft) -> Score:
    carry, rest = split_score(draft.score)
    values = {
        "tenant_id": tenant.pk,
        "participant_id": draft.participant_id,
        "track": slot[0],
        "period": slot[1],
        "carry": carry,
        "score": rest,
        "earliness": draft.earliness,
        "is_shown": draft.place_after is not None,
    }
    return instance_from(Score, values.items())


def _delete_scores(tenant: Tenant, drafts: Iterable[tuple[Slot, ScoreDraft]]) -> None:
    people: dict[Slot, list[UUID]] = {}
    for slot, draft in drafts:
        people.setdefault(slot, []).append(draft.participant_id)
    for (track, period), ids in people.items():
        Score.objects.filter(tenant_id=tenant.pk, track=track, period=period, participant_id__in=ids).delete()


def _store_ranges(tenant: Tenant, moves: Mapping[Slot, Moves]) -> None:
    """Update the ranges of all tracks and periods that have `moves`. All rows are written together, to save statements."""
    new: list[ScoreRange] = []
    changed: list[ScoreRange] = []
    removed: list[UUID] = []
    for slot, moved in moves.items():
        parts = _updated_ranges(StoredBoard(tenant.pk, *slot), list(moved.values()))
        joined = [each for part in parts for each in part.removed]
        for each in {each: None for part in parts for each in (*part.leaves, *part.groups) if each not in joined}:
            if each.id is None:
                new.append(_range_row(tenant, slot, each))
            elif each.is_changed:
                changed.append(_range_row(tenant, slot, each))
        removed += [each.id for each in joined if each.id is not None]
    _write(tenant, new, changed, removed)


def _updated_ranges(stored: StoredBoard, moved: Sequence[Move]) -> Sequence[Ranges]:
    """Apply the moves to the ranges that contain their places. Split and join ranges where necessary.

    Returns these ranges, followed by the sections that were rearranged. A range may be in both. Scores must have been written
    before, because the places of a leaf are read in order to split it.
    """
    ranges = _ranges_of_moves(stored, moved)
    ranges.apply(moved)
    return [ranges, *(_rearranged_section(stored, ranges, *run) for run in ranges.groups_to_rearrange())]


def _ranges_of_moves(stored: StoredBoard, moved: Sequence[Move]) -> Ranges:
    """All groups, and at least the leaves that contain the places of `moved`. If these are few, only they are read."""
    places = {place for move in moved for place in (move.before, move.after) if place is not None}
    groups = stored.groups()
    if should_look_up_leaves(groups, len(places)):
        return Ranges(stored.leaves_holding(places), groups)
    return Ranges.from_stored([*stored.leaves(), *groups])


def _rearranged_section(stored: StoredBoard, ranges: Ranges, first: int, last: int) -> Ranges:
    section = ranges.section(first, last, stored.leaves(*ranges.span(first, last)))
    for low, end in list(section.oversized_leaves()):
        section.split_leaf(low, stored.places(low, end))
    section.rearrange()
    return section


def _write(tenant: Tenant, new: list[ScoreRange], changed: list[ScoreRange], removed: list[UUID]) -> None:
    if removed:
        ScoreRange.objects.filter(tenant_id=tenant.pk, pk__in=removed).delete()
    if changed:
        update(connection, changed, ["count"])
    if new:
        insert(connection, new)


def _range_row(tenant: Tenant, slot: Slot, each: Range) -> ScoreRange:
    carry, rest = split_score(each.low[0])
    values: dict[str, Any] = {
        "id": each.id or new_id(),
        "tenant_id": tenant.pk,
        "track": slot[0],
        "period": slot[1],
        "level": each.level,
        "carry": carry,
        "score": rest,
        "earliness": each.low[1],
        "participant_id": each.low[2],
        "count": each.count,
    }
    return instance_from(ScoreRange, values.items())
