"""Compare stored scores with the history, and stored ranges with the scores."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gamify.facts.services import board_metrics
from gamify.leaderboards.engine.periods import Kind, period_from_code, periods_at
from gamify.leaderboards.engine.ranking.drafts import ScoreDrafts, Slot
from gamify.leaderboards.engine.ranking.ranges import Range
from gamify.leaderboards.models import LargeSum, ScoreChange, ScoreRange
from gamify.leaderboards.selectors.catalog import Board, Boards, boards_in
from gamify.leaderboards.selectors.history import amounts_in_history
from gamify.leaderboards.selectors.ranking.fold import Fold
from gamify.leaderboards.selectors.ranking.refill import refill
from gamify.leaderboards.selectors.ranking.stored_board import StoredBoard
from gamify.leaderboards.services.building import CHUNK, next_people
from participants.catalog import catalog_of
from participants.models import Participant, Tenant


@dataclass(frozen=True)
class Drift:
    """A stored number that is wrong. `what` names the score or the range."""

    board: str
    what: str
    stored: int
    expected: int


def rows_to_verify(tenant: Tenant) -> int:
    """The number of participants that `drifts` will compare."""
    return Participant.objects.of(tenant).count()


def drifts(
    *, tenant: Tenant, now: datetime, report_progress: Callable[[int], object] = lambda compared: None
) -> Iterator[Drift]:
    """Compare all scores of all complete boards with the history, in chunks of participants, and then the ranges.

    Calls `report_progress` with the number of participants after each chunk. It only reads. It must run in a snapshot, so that
    changes that are made meanwhile do not appear as drifts.
    """
    last: UUID | None = None
    while people := next_people(tenant, last, size=CHUNK):
        last = people[-1]
        yield from _drifts_of_people(tenant, people, now=now)
        report_progress(len(people))
    yield from _drifts_of_ranges(tenant)


def _drifts_of_people(tenant: Tenant, ids: Sequence[UUID], *, now: datetime) -> Iterator[Drift]:
    """The drifts of some participants. Their waiting changes are folded in memory first."""
    boards = boards_in(catalog_of(tenant))
    fold = Fold(tenant, boards, list(ScoreChange.objects.filter(tenant_id=tenant.pk, participant_id__in=ids)), now=now)
    fold.run()
    people = list(Participant.objects.of(tenant).filter(pk__in=ids))
    yield from _drifts_of_large_sums(tenant, boards, people)
    for board in boards.active.values():
        if not board.is_building:
            yield from _drifts_of_board(fold, board, people, now=now)


def _drifts_of_large_sums(tenant: Tenant, boards: Boards, people: Sequence[Participant]) -> Iterator[Drift]:
    """Compare `LargeSum` rows, which decide whether one more amount may be counted."""
    by_id = {person.pk: person for person in people}
    for row in LargeSum.objects.filter(tenant_id=tenant.pk, participant_id__in=by_id):
        board = next((board for board in boards.by_measure.get(row.measure, ()) if not board.is_building), None)
        if board is not None:
            person = by_id[row.participant_id]
            expected = sum(each.amount for each in amounts_in_history(tenant, [person], board.measure))
            if row.total != expected:
                yield Drift(board.code, f"{person.external_id} in all events", row.total, expected)


def _drifts_of_board(fold: Fold, board: Board, people: Sequence[Participant], *, now: datetime) -> Iterator[Drift]:
    # Anonymised participants are hidden, and the properties of their events were deleted. So they cannot be compared.
    members = [person for person in people if person.is_active and board.has_member(person)]
    fold.load_track(board.track, [person.pk for person in members])
    expected = ScoreDrafts()
    refill(expected, fold.tenant, board, members, now=now)
    names = {person.pk: person.external_id for person in members}
    codes = _codes_to_compare(board, now=now)
    for code, participant_id in _keys(fold.drafts, expected, board, names):
        stored = fold.drafts.get_or_create((board.track, code), participant_id).score
        due = expected.get_or_create((board.track, code), participant_id).score
        if _is_compared(code, codes) and stored != due and not _is_unannounced_break(board, due):
            yield Drift(board.code, f"{names[participant_id]} in {period_from_code(code).key}", stored, due)


def _keys(stored: ScoreDrafts, expected: ScoreDrafts, board: Board, people: Collection[UUID]) -> list[tuple[int, UUID]]:
    found = {
        (slot[1], draft.participant_id)
        for drafts in (stored, expected)
        for slot, draft in drafts.of_participants(people)
        if slot[0] == board.track
    }
    return sorted(found)


def _codes_to_compare(board: Board, *, now: datetime) -> Collection[int] | None:
    """The codes of the periods to compare, or None for all.

    The history does not contain who was a member when a period ended. So boards with a filter are compared in current periods only.
    """
    return None if board.member_filter is None else {period.code for period in periods_at(now, board.zone)}


def _is_compared(code: int, compared: Collection[int] | None) -> bool:
    return period_from_code(code).kind <= Kind.DAILY and (compared is None or code in compared)


def _is_unannounced_break(board: Board, due: int) -> bool:
    """Whether a streak is broken but the break is not announced yet. The board follows the announcement."""
    return board_metrics[board.measure.metric].is_announced_late and due == 0


def _drifts_of_ranges(tenant: Tenant) -> Iterator[Drift]:
    tracks = {board.track: board for board in boards_in(catalog_of(tenant)).active.values()}
    ranges = ScoreRange.objects.filter(tenant_id=tenant.pk, track__in=tracks)
    for slot in list(ranges.order_by("track", "period").values_list("track", "period").distinct()):
        yield from _drifts_of_slot(tenant, tracks[slot[0]], slot)


def _drifts_of_slot(tenant: Tenant, board: Board, slot: Slot) -> Iterator[Drift]:
    stored = StoredBoard(tenant.pk, *slot)
    leaves = stored.leaves()
    for index, leaf in enumerate(leaves):
        end = leaves[index + 1].low if index + 1 < len(leaves) else None
        if (counted := len(stored.places(leaf.low, end))) != leaf.count:
            yield Drift(board.code, f"leaf {index} of {period_from_code(slot[1]).key}", leaf.count, counted)
    yield from _drifts_of_groups(board, slot, leaves, stored.groups())


def _drifts_of_groups(board: Board, slot: Slot, leaves: Sequence[Range], groups: Sequence[Range]) -> Iterator[Drift]:
    for index, group in enumerate(groups):
        within = [leaf for leaf in leaves if leaf.low >= group.low]
        if index + 1 < len(groups):
            within = [leaf for leaf in within if leaf.low < groups[index + 1].low]
        if (counted := sum(leaf.count for leaf in within)) != group.count:
            yield Drift(board.code, f"group {index} of {period_from_code(slot[1]).key}", group.count, counted)
