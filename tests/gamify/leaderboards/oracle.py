"""The naive computation of boards: add up everything that counts, and sort. It ignores cost."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Context, Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from gamify.badges.models import BadgeAward
from gamify.facts.engine.expressions import compile_filter
from gamify.facts.models import Event
from gamify.leaderboards.models import Leaderboard
from gamify.points.models import EntryType, LedgerEntry
from participants.models import Participant
from tests.gamify.leaderboards.boards import exact_number

Rows = list[tuple[int, UUID, Decimal]]
"""Rank, participant id and score, from the top downwards."""


def naive_page(board: Leaderboard, window: str, *, now: datetime, back: int = 0) -> dict[str, Any]:
    """All entries of the board as the API answers them, in the period that is `back` periods before the one of `now`."""
    zone = ZoneInfo(board.timezone)
    start, end = _bounds(window, now.astimezone(zone), back)
    entries = _rows(board, start, end)
    before = _before(board, window, now=now, back=back)
    people = {person.pk: person for person in Participant.objects.filter(tenant=board.tenant)}
    listed = [
        {
            "rank": rank,
            "participant_id": people[who].external_id,
            "display_name": people[who].display_name,
            "score": _shown(score),
            "change": _change(rank, before.get(who)),
        }
        for rank, who, score in entries
    ]
    return {"entries": listed, "total_participants": len(listed)}


def _shown(score: Decimal) -> float | Decimal:
    return int(score) if score == int(score) else exact_number(str(score))


def _before(board: Leaderboard, window: str, *, now: datetime, back: int) -> Mapping[UUID, int]:
    local = now.astimezone(ZoneInfo(board.timezone))
    if window == "all_time":
        today, _ = _bounds("daily", local, 0)
        return {who: rank for rank, who, _ in _rows(board, None, today)}
    start, end = _bounds(window, local, back + 1)
    return {who: rank for rank, who, _ in _rows(board, start, end)}


def _change(rank: int, before: int | None) -> str:
    if before is None:
        return "new"
    return "same" if rank == before else "up" if rank < before else "down"


def _rows(board: Leaderboard, start: datetime | None, end: datetime | None) -> Rows:
    scores: defaultdict[UUID, Decimal] = defaultdict(Decimal)
    reached: dict[UUID, datetime] = {}
    for who, amount, at in _counted(board):
        if (start is None or start <= at) and (end is None or at < end):
            scores[who] += amount
            reached[who] = max(at, reached.get(who, at))
    only = compile_filter(board.participant_filter) if board.participant_filter else None
    shown = [
        person.pk
        for person in Participant.objects.filter(tenant=board.tenant, is_active=True, visible=True)
        if only is None or only.matches(person.attributes, {})
    ]
    listed = sorted(
        ((who, score) for who, score in scores.items() if score > 0 and who in shown),
        key=lambda each: (-each[1], reached[each[0]], -each[0].int),
    )
    return [(1 + sum(other > score for _, other in listed), who, score) for who, score in listed]


def _counted(board: Leaderboard) -> Iterator[tuple[UUID, Decimal, datetime]]:
    if board.metric == "badges_count":
        for award in BadgeAward.objects.filter(tenant_id=board.tenant_id):
            yield award.participant_id, Decimal(1), award.earned_at
    elif board.metric.startswith("event"):
        yield from _events(board)
    else:
        yield from _entries(board)


def _entries(board: Leaderboard) -> Iterator[tuple[UUID, Decimal, datetime]]:
    entries = list(LedgerEntry.objects.filter(tenant_id=board.tenant_id))
    awards = {each.pk: each for each in entries if each.type == EntryType.AWARD}
    for each in entries:
        if board.metric == "points_balance" or each.pk in awards:
            yield each.participant_id, Decimal(each.delta), each.created_at
        elif each.type == EntryType.REVERSAL and each.reverses_id in awards:
            yield each.participant_id, Decimal(each.delta), awards[each.reverses_id].created_at


def _events(board: Leaderboard) -> Iterator[tuple[UUID, Decimal, datetime]]:
    selector = board.selector
    for event in Event.objects.filter(tenant_id=board.tenant_id, reversed_at=None):
        if selector.get("event_name", event.name) != event.name:
            continue
        if any(event.properties.get(name) != value for name, value in selector.get("filter", {}).items()):
            continue
        amount = Decimal(str(event.properties.get(selector["field"], 0))) if board.metric == "event_sum" else Decimal(1)
        amount = amount.quantize(Decimal("1e-6"), ROUND_DOWN, Context(prec=400))
        if 0 < amount <= 10**15:
            yield event.participant_id, amount, event.occurred_at


def _bounds(window: str, local: datetime, back: int) -> tuple[datetime | None, datetime | None]:
    """Start and end of the period. `local` is in the board's zone."""
    day = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if window == "all_time":
        return None, None
    if window == "daily":
        return day - timedelta(days=back), day - timedelta(days=back - 1)
    if window == "weekly":
        monday = day - timedelta(days=day.weekday() + 7 * back)
        return monday, monday + timedelta(days=7)
    if window == "yearly":
        first = day.replace(month=1, day=1, year=day.year - back)
        return first, first.replace(year=first.year + 1)
    months = day.year * 12 + day.month - 1 - back
    return tuple(day.replace(year=at // 12, month=at % 12 + 1, day=1) for at in (months, months + 1))
