"""Boards are compared with the history that they repeat, and their ranges with the scores that these count."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from gamify.leaderboards.engine.measures import STREAK_CURRENT
from gamify.leaderboards.engine.periods import Kind, period_of_code, periods_at
from gamify.leaderboards.engine.ranges import GROUP, LEAF, Range
from gamify.leaderboards.engine.tally import Lines, Slot
from gamify.leaderboards.models import ScoreRange
from gamify.leaderboards.selectors.catalog import Board, boards_in
from gamify.leaderboards.selectors.counting import Written
from gamify.leaderboards.selectors.folding import Fold
from gamify.leaderboards.selectors.refilling import refill
from gamify.leaderboards.services.folding import drop, whole_of
from gamify.leaderboards.services.storing import lock, store, stored_ranges
from participants.catalog import catalog_of
from participants.models import Participant, Tenant
from participants.work import reading

CHUNK = 200


@dataclass(frozen=True)
class Drift:
    """Something that is not as it should be: `what` names the score or the range."""

    board: str
    what: str
    stored: int
    expected: int


@dataclass(frozen=True)
class Verified:
    """What was found among so many participants; ranges, which belong to none, come at the end."""

    participants: int
    drifts: Sequence[Drift]


def verify(*, tenant: Tenant, now: datetime) -> Iterator[Verified]:
    """Compare every score of every board that is complete, a chunk of participants each time it is asked, then the ranges."""
    last: UUID | None = None
    while people := _next_people(tenant, last):
        last = people[-1]
        yield Verified(len(people), _of_people(tenant, people, now=now))
    yield Verified(0, _of_ranges(tenant))


def drifts(*, tenant: Tenant, now: datetime) -> Iterator[Drift]:
    """As `verify`, without the steps."""
    for step in verify(tenant=tenant, now=now):
        yield from step.drifts


def _next_people(tenant: Tenant, last: UUID | None) -> Sequence[UUID]:
    people = Participant.objects.of(tenant).order_by("pk").values_list("pk", flat=True)
    return list((people if last is None else people.filter(pk__gt=last))[:CHUNK])


@transaction.atomic
def _of_people(tenant: Tenant, ids: Sequence[UUID], *, now: datetime) -> Sequence[Drift]:
    """What waits for them is folded first; they are locked, so that nothing else comes meanwhile."""
    with reading(tenant):
        lock(tenant)
        tenant.refresh_from_db()
        boards = boards_in(catalog_of(tenant))
        changes = whole_of(tenant, ids)
        fold = Fold(tenant, boards, changes, now=now)
        store(tenant, fold.run())
        drop(tenant, changes)
        people = list(Participant.objects.of(tenant).filter(pk__in=ids))
        complete = [board for board in boards.active.values() if not board.is_building]
        return [drift for board in complete for drift in _of_board(fold, board, people, now=now)]


def _of_board(fold: Fold, board: Board, people: Sequence[Participant], *, now: datetime) -> Iterator[Drift]:
    members = [person for person in people if board.takes(person)]
    fold.read_track(board.track, [person.pk for person in members])
    expected = Lines()
    refill(expected, fold.tenant, board, members, now=now)
    names = {person.pk: person.external_id for person in members}
    compared = _compared(board, now=now)
    for code, who in _keys(fold.lines, expected, board, names):
        kept, due = fold.lines.line((board.track, code), who), expected.line((board.track, code), who)
        if _is_compared(code, compared) and kept.score != due.score and not _is_untold(board, due.score):
            yield Drift(board.code, f"{names[who]} in {period_of_code(code).key}", kept.score, due.score)


def _keys(kept: Lines, expected: Lines, board: Board, people: Collection[UUID]) -> list[tuple[int, UUID]]:
    found = {
        (slot[1], line.participant_id)
        for lines in (kept, expected)
        for slot, line in lines.of(people)
        if slot[0] == board.track
    }
    return sorted(found)


def _compared(board: Board, *, now: datetime) -> Collection[int] | None:
    """Of boards that rank some, who was among them when a period ended is not in the history: those that last are compared."""
    return None if board.only is None else {period.code for period in periods_at(now, board.zone)}


def _is_compared(code: int, compared: Collection[int] | None) -> bool:
    return period_of_code(code).kind <= Kind.DAILY and (compared is None or code in compared)


def _is_untold(board: Board, due: int) -> bool:
    """A run may have ended that nobody has announced: the board follows when it is."""
    return board.measure.metric == STREAK_CURRENT and due == 0


@transaction.atomic
def _of_ranges(tenant: Tenant) -> Sequence[Drift]:
    with reading(tenant):
        lock(tenant)
        tracks = {board.track: board for board in boards_in(catalog_of(tenant)).active.values()}
        kept = ScoreRange.objects.filter(tenant_id=tenant.pk, track__in=tracks)
        slots = list(kept.order_by("track", "period").values_list("track", "period").distinct())
        return [drift for slot in slots for drift in _of_slot(tenant, tracks[slot[0]], slot)]


def _of_slot(tenant: Tenant, board: Board, slot: Slot) -> Iterator[Drift]:
    ranges = sorted(stored_ranges(tenant, [slot])[slot], key=lambda each: each.low)
    written = Written(tenant.pk, *slot)
    leaves = [each for each in ranges if each.level == LEAF]
    for index, leaf in enumerate(leaves):
        end = leaves[index + 1].low if index + 1 < len(leaves) else None
        if (counted := len(written.places(leaf.low, end))) != leaf.count:
            yield Drift(board.code, f"leaf {index} of {period_of_code(slot[1]).key}", leaf.count, counted)
    yield from _of_groups(board, slot, leaves, [each for each in ranges if each.level == GROUP])


def _of_groups(board: Board, slot: Slot, leaves: Sequence[Range], groups: Sequence[Range]) -> Iterator[Drift]:
    for index, group in enumerate(groups):
        within = [leaf for leaf in leaves if leaf.low >= group.low]
        if index + 1 < len(groups):
            within = [leaf for leaf in within if leaf.low < groups[index + 1].low]
        if (counted := sum(leaf.count for leaf in within)) != group.count:
            yield Drift(board.code, f"group {index} of {period_of_code(slot[1]).key}", group.count, counted)
