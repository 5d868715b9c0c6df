"""What a fold came to is written: scores, the ranges that count them, and the number of what is over."""

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
    """Whoever writes scores of a tenant holds this; who is second waits."""
    Folding.objects.get_or_create(tenant=tenant)
    return Folding.objects.select_for_update().get(tenant=tenant)


def store_fold(tenant: Tenant, folded: FoldResult) -> None:
    """Write it, in a transaction that holds the tenant's `lock`."""
    _store_lines(tenant, folded.drafts)
    _store_ranges(tenant, folded.moves)
    if folded.has_changed_closed_period:
        Folding.objects.filter(tenant=tenant).update(revision=F("revision") + 1)


def _store_lines(tenant: Tenant, lines: ScoreDrafts) -> None:
    changed = [(slot, line) for slot, line in lines if line.is_changed]
    kept = [_row(tenant, slot, line) for slot, line in changed if not line.is_removed]
    if kept:
        upsert(connection, kept, never_changed=SCORE_KEY)
    _drop(tenant, [(slot, line) for slot, line in changed if line.is_removed])


def _row(tenant: Tenant, slot: Slot, line: ScoreDraft) -> Score:
    carry, rest = split_score(line.score)
    values = {
        "tenant_id": tenant.pk,
        "participant_id": line.participant_id,
        "track": slot[0],
        "period": slot[1],
        "carry": carry,
        "score": rest,
        "earliness": line.earliness,
        "is_shown": line.place_after is not None,
    }
    return instance_from(Score, values.items())


def _drop(tenant: Tenant, lines: Iterable[tuple[Slot, ScoreDraft]]) -> None:
    people: dict[Slot, list[UUID]] = {}
    for slot, line in lines:
        people.setdefault(slot, []).append(line.participant_id)
    for (track, period), ids in people.items():
        Score.objects.filter(tenant_id=tenant.pk, track=track, period=period, participant_id__in=ids).delete()


def _store_ranges(tenant: Tenant, moves: Mapping[Slot, Moves]) -> None:
    """What is counted is written for all slots at once."""
    new: list[ScoreRange] = []
    changed: list[ScoreRange] = []
    removed: list[UUID] = []
    for slot, moved in moves.items():
        counted = _counted(StoredBoard(tenant.pk, *slot), list(moved.values()))
        gone = [each for part in counted for each in part.removed]
        for each in {each: None for part in counted for each in (*part.leaves, *part.groups) if each not in gone}:
            if each.id is None:
                new.append(_range_row(tenant, slot, each))
            elif each.is_changed:
                changed.append(_range_row(tenant, slot, each))
        removed += [each.id for each in gone if each.id is not None]
    _write(tenant, new, changed, removed)


def _counted(written: StoredBoard, moved: Sequence[Move]) -> Sequence[Ranges]:
    """The ranges that `moved` concerns, and those parts of the board that had to be arranged anew, of the same ranges.

    Scores are written by now: what a leaf holds is read where it is to be split.
    """
    ranges = _concerned(written, moved)
    ranges.apply(moved)
    return [ranges, *(_arranged(written, ranges, *run) for run in ranges.groups_to_rearrange())]


def _concerned(written: StoredBoard, moved: Sequence[Move]) -> Ranges:
    """With the leaves that hold the places of `moved`: looked up, where these are few and leaves are many."""
    places = {place for move in moved for place in (move.before, move.after) if place is not None}
    groups = written.groups()
    if should_look_up_leaves(groups, len(places)):
        return Ranges(written.leaves_holding(places), groups)
    return Ranges.from_stored([*written.leaves(), *groups])


def _arranged(written: StoredBoard, ranges: Ranges, first: int, last: int) -> Ranges:
    part = ranges.section(first, last, written.leaves(*ranges.span(first, last)))
    for low, end in list(part.oversized_leaves()):
        part.split(low, written.places(low, end))
    part.rearrange()
    return part


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
