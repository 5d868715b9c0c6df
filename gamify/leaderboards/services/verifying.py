"""Boards are compared with the history that they repeat, and their ranges with the scores that these count."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gamify.facts.services import board_metrics
from gamify.leaderboards.engine.drafts import ScoreDrafts, Slot
from gamify.leaderboards.engine.periods import Kind, period_from_code, periods_at
from gamify.leaderboards.engine.ranges import Range
from gamify.leaderboards.models import LargeSum, ScoreChange, ScoreRange
from gamify.leaderboards.selectors.catalog import Board, Boards, boards_in
from gamify.leaderboards.selectors.fold import Fold
from gamify.leaderboards.selectors.history import amounts_in_history
from gamify.leaderboards.selectors.refill import refill
from gamify.leaderboards.selectors.stored_board import StoredBoard
from participants.catalog import catalog_of
from participants.models import Participant, Tenant

CHUNK = 200


@dataclass(frozen=True)
class Drift:
    """Something that is not as it should be: `what` names the score or the range."""

    board: str
    what: str
    stored: int
    expected: int


def rows_to_verify(tenant: Tenant) -> int:
    """How many participants `drifts` will look at."""
    return Participant.objects.of(tenant).count()


def drifts(
    *, tenant: Tenant, now: datetime, report_progress: Callable[[int], object] = lambda looked_at: None
) -> Iterator[Drift]:
    """Compare every score of every board that is complete, a chunk of participants at a time, of which `seen` is told, then the
    ranges. It only reads: in a snapshot, what is written meanwhile is no drift.
    """
    last: UUID | None = None
    while people := _next_people(tenant, last):
        last = people[-1]
        yield from _of_people(tenant, people, now=now)
        report_progress(len(people))
    yield from _of_ranges(tenant)


def _next_people(tenant: Tenant, last: UUID | None) -> Sequence[UUID]:
    people = Participant.objects.of(tenant).order_by("pk").values_list("pk", flat=True)
    return list((people if last is None else people.filter(pk__gt=last))[:CHUNK])


def _of_people(tenant: Tenant, ids: Sequence[UUID], *, now: datetime) -> Iterator[Drift]:
    """What waits for them is folded in memory first."""
    boards = boards_in(catalog_of(tenant))
    fold = Fold(tenant, boards, list(ScoreChange.objects.filter(tenant_id=tenant.pk, participant_id__in=ids)), now=now)
    fold.run()
    people = list(Participant.objects.of(tenant).filter(pk__in=ids))
    yield from _of_sums(tenant, boards, people)
    for board in boards.active.values():
        if not board.is_building:
            yield from _of_board(fold, board, people, now=now)


def _of_sums(tenant: Tenant, boards: Boards, people: Sequence[Participant]) -> Iterator[Drift]:
    """The sums that say whether one more amount may be counted."""
    by_id = {person.pk: person for person in people}
    for row in LargeSum.objects.filter(tenant_id=tenant.pk, participant_id__in=by_id):
        board = next((board for board in boards.by_measure.get(row.measure, ()) if not board.is_building), None)
        if board is not None:
            person = by_id[row.participant_id]
            expected = sum(each.amount for each in amounts_in_history(tenant, [person], board.measure))
            if row.total != expected:
                yield Drift(board.code, f"{person.external_id} in all events", row.total, expected)


def _of_board(fold: Fold, board: Board, people: Sequence[Participant], *, now: datetime) -> Iterator[Drift]:
    # Of who is anonymised nothing is shown, and what their events said has gone with their name.
    members = [person for person in people if person.is_active and board.has_member(person)]
    fold.load_track(board.track, [person.pk for person in members])
    expected = ScoreDrafts()
    refill(expected, fold.tenant, board, members, now=now)
    names = {person.pk: person.external_id for person in members}
    compared = _compared(board, now=now)
    for code, who in _keys(fold.drafts, expected, board, names):
        kept, due = (
            fold.drafts.get_or_create((board.track, code), who),
            expected.get_or_create((board.track, code), who),
        )
        if _is_compared(code, compared) and kept.score != due.score and not _is_untold(board, due.score):
            yield Drift(board.code, f"{names[who]} in {period_from_code(code).key}", kept.score, due.score)


def _keys(kept: ScoreDrafts, expected: ScoreDrafts, board: Board, people: Collection[UUID]) -> list[tuple[int, UUID]]:
    found = {
        (slot[1], line.participant_id)
        for lines in (kept, expected)
        for slot, line in lines.of_participants(people)
        if slot[0] == board.track
    }
    return sorted(found)


def _compared(board: Board, *, now: datetime) -> Collection[int] | None:
    """Of boards that rank some, who was among them when a period ended is not in the history: those that last are compared."""
    return None if board.member_filter is None else {period.code for period in periods_at(now, board.zone)}


def _is_compared(code: int, compared: Collection[int] | None) -> bool:
    return period_from_code(code).kind <= Kind.DAILY and (compared is None or code in compared)


def _is_untold(board: Board, due: int) -> bool:
    """A run may have ended that nobody has announced: the board follows when it is."""
    return board_metrics[board.measure.metric].is_announced_late and due == 0


def _of_ranges(tenant: Tenant) -> Iterator[Drift]:
    tracks = {board.track: board for board in boards_in(catalog_of(tenant)).active.values()}
    kept = ScoreRange.objects.filter(tenant_id=tenant.pk, track__in=tracks)
    for slot in list(kept.order_by("track", "period").values_list("track", "period").distinct()):
        yield from _of_slot(tenant, tracks[slot[0]], slot)


def _of_slot(tenant: Tenant, board: Board, slot: Slot) -> Iterator[Drift]:
    written = StoredBoard(tenant.pk, *slot)
    leaves = written.leaves()
    for index, leaf in enumerate(leaves):
        end = leaves[index + 1].low if index + 1 < len(leaves) else None
        if (counted := len(written.places(leaf.low, end))) != leaf.count:
            yield Drift(board.code, f"leaf {index} of {period_from_code(slot[1]).key}", leaf.count, counted)
    yield from _of_groups(board, slot, leaves, written.groups())


def _of_groups(board: Board, slot: Slot, leaves: Sequence[Range], groups: Sequence[Range]) -> Iterator[Drift]:
    for index, group in enumerate(groups):
        within = [leaf for leaf in leaves if leaf.low >= group.low]
        if index + 1 < len(groups):
            within = [leaf for leaf in within if leaf.low < groups[index + 1].low]
        if (counted := sum(leaf.count for leaf in within)) != group.count:
            yield Drift(board.code, f"group {index} of {period_from_code(slot[1]).key}", group.count, counted)
