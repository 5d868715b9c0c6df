"""What a fold came to is written: scores, the ranges that count them, and the number of what is over."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F

from gamify.leaderboards.engine.places import Moves, Place
from gamify.leaderboards.engine.ranges import Range, Ranges
from gamify.leaderboards.engine.tally import Line, Lines, Slot
from gamify.leaderboards.models import Folding, Score, ScoreRange
from gamify.leaderboards.selectors.counting import Written
from gamify.leaderboards.selectors.folding import Folded
from participants.ids import new_id
from participants.models import Tenant
from participants.work import made
from participants.work.statements import insert, update, upsert

SCORE_KEY = frozenset({"tenant_id", "participant_id", "track", "period"})


def lock(tenant: Tenant) -> Folding:
    """Whoever writes scores of a tenant holds this; who is second waits."""
    Folding.objects.get_or_create(tenant=tenant)
    return Folding.objects.select_for_update().get(tenant=tenant)


def store(tenant: Tenant, folded: Folded) -> None:
    """Write it, in a transaction that holds the tenant's `lock`."""
    _store_lines(tenant, folded.lines)
    _store_ranges(tenant, folded.moves)
    if folded.rewrites_past:
        Folding.objects.filter(tenant=tenant).update(revision=F("revision") + 1)


def _store_lines(tenant: Tenant, lines: Lines) -> None:
    changed = [(slot, line) for slot, line in lines if line.is_changed]
    kept = [_row(tenant, slot, line) for slot, line in changed if not line.is_removed]
    if kept:
        upsert(connection, kept, never_changed=SCORE_KEY)
    _drop(tenant, [(slot, line) for slot, line in changed if line.is_removed])


def _row(tenant: Tenant, slot: Slot, line: Line) -> Score:
    values = {
        "tenant_id": tenant.pk,
        "participant_id": line.participant_id,
        "track": slot[0],
        "period": slot[1],
        "score": line.score,
        "earliness": line.earliness,
        "is_shown": line.after is not None,
    }
    return made(Score, values.items())


def _drop(tenant: Tenant, lines: Iterable[tuple[Slot, Line]]) -> None:
    people: dict[Slot, list[UUID]] = {}
    for slot, line in lines:
        people.setdefault(slot, []).append(line.participant_id)
    for (track, period), ids in people.items():
        Score.objects.filter(tenant_id=tenant.pk, track=track, period=period, participant_id__in=ids).delete()


def _store_ranges(tenant: Tenant, moves: Mapping[Slot, Moves]) -> None:
    """All slots at once: two statements to count, and more only where a range is split or joined."""
    stored = stored_ranges(tenant, moves)
    new: list[ScoreRange] = []
    changed: list[ScoreRange] = []
    removed: list[UUID] = []
    for slot, moved in moves.items():
        ranges = Ranges.of(stored.get(slot, ()))
        ranges.apply(moved.values())
        _rearrange(tenant, slot, ranges)
        for each in (*ranges.leaves, *ranges.groups):
            if each.id is None:
                new.append(_range_row(tenant, slot, each))
            elif each.is_changed:
                changed.append(_range_row(tenant, slot, each))
        removed += [each.id for each in ranges.removed if each.id is not None]
    _write(tenant, new, changed, removed)


def _write(tenant: Tenant, new: list[ScoreRange], changed: list[ScoreRange], removed: list[UUID]) -> None:
    if removed:
        ScoreRange.objects.filter(tenant_id=tenant.pk, pk__in=removed).delete()
    if changed:
        update(connection, changed, ["count"])
    if new:
        insert(connection, new)


def stored_ranges(tenant: Tenant, slots: Iterable[Slot]) -> Mapping[Slot, list[Range]]:
    wanted = set(slots)
    if not wanted:
        return {}
    found: dict[Slot, list[Range]] = {}
    rows = ScoreRange.objects.filter(
        tenant_id=tenant.pk, track__in={track for track, _ in wanted}, period__in={period for _, period in wanted}
    )
    columns = ("track", "period", "level", "score", "earliness", "participant_id", "count", "id")
    for track, period, level, score, early, who, count, pk in rows.values_list(*columns):
        if (track, period) in wanted:
            found.setdefault((track, period), []).append(Range(level, (score, early, who), count, pk))
    return found


def _rearrange(tenant: Tenant, slot: Slot, ranges: Ranges) -> None:
    """Scores are written by now: what a leaf holds is read where it is to be split."""
    for low, end in list(ranges.too_large()):
        ranges.split(low, _places(tenant, slot, low, end))
    ranges.settle()


def _places(tenant: Tenant, slot: Slot, low: Place, end: Place | None) -> list[Place]:
    return Written(tenant.pk, *slot).places(low, end)


def _range_row(tenant: Tenant, slot: Slot, each: Range) -> ScoreRange:
    values: dict[str, Any] = {
        "id": each.id or new_id(),
        "tenant_id": tenant.pk,
        "track": slot[0],
        "period": slot[1],
        "level": each.level,
        "score": each.low[0],
        "earliness": each.low[1],
        "participant_id": each.low[2],
        "count": each.count,
    }
    return made(ScoreRange, values.items())
