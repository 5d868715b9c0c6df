"""Helpers of tests: create and fill boards, read pages and ranks."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from gamify.leaderboards.models import Leaderboard
from gamify.leaderboards.services import build, create_leaderboard
from participants.models import Tenant
from tests.client import Api, segment


def create_filled_board(tenant: Tenant, code: str = "top", *, now: datetime | None = None, **given: Any) -> Leaderboard:
    """Create a board and fill it."""
    now = now or timezone.now()
    data = {"code": code, "name": code.title(), **given}
    row = create_leaderboard(tenant=tenant, data=data, now=now)
    fill(row, now=now)
    return row


def fill(board: Leaderboard, *, now: datetime) -> None:
    for _ in build(board=board, now=now):
        pass
    board.refresh_from_db()
    board.tenant.refresh_from_db()


def page(api: Api, code: str = "top", **query: Any) -> dict[str, Any]:
    answer = api.get(f"/leaderboards/{code}?{'&'.join(f'{name}={value}' for name, value in query.items())}")
    assert answer.status_code == 200, answer.json()
    return exact_body(answer)


def exact_body(answer: Any) -> Any:
    """The body of an answer. A number that a float cannot hold exactly is a Decimal."""
    return json.loads(answer.content, parse_float=exact_number)


def exact_number(digits: str) -> float | Decimal:
    """The number that JSON writes with these digits: a float, or a Decimal if a float would lose digits."""
    return float(digits) if Decimal(repr(float(digits))) == Decimal(digits) else Decimal(digits)


def entries_of(api: Api, code: str = "top", **query: Any) -> list[tuple[int, str, Any]]:
    return [(each["rank"], each["participant_id"], each["score"]) for each in page(api, code, **query)["entries"]]


def rank(api: Api, participant_id: str, code: str = "top", **query: Any) -> dict[str, Any]:
    parameters = "&".join(f"{name}={value}" for name, value in query.items())
    answer = api.get(f"/leaderboards/{code}/rank/{segment(participant_id)}?{parameters}")
    assert answer.status_code == 200, answer.json()
    return exact_body(answer)


def award(api: Api, participant_id: str, amount: int) -> None:
    answer = api.post("/points/award", {"participant_id": participant_id, "amount": amount, "reason": "r"})
    assert answer.status_code == 200, answer.json()
