"""Results of use cases are stored as JSON and read back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from participants.errors import DomainError
from participants.work import OMIT_IF_NONE, answer_from, result_from

pytestmark = pytest.mark.engine

ID = UUID("01a20030-16b8-773b-a1f2-79a6f16a65ee")
AT = datetime(2026, 2, 14, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Name:
    code: str
    since: datetime | None = None


@dataclass(frozen=True)
class Result:
    entry_id: UUID
    participant_id: str
    factor: Decimal | None
    at: datetime
    name: Name
    former: Name | None = None
    granted: Sequence[Mapping[str, Any]] = ()
    bonus: int | None = field(default=None, metadata=OMIT_IF_NONE)
    is_replay: bool = False


@dataclass(frozen=True)
class Refused:
    participant_id: str
    error: DomainError


def test_a_result_is_read_back_as_a_replay():
    result = Result(ID, "ada", Decimal("1.50"), AT, Name("gold", AT), granted=[{"type": "badge"}])

    answer = json.loads(json.dumps(answer_from(result)))

    assert answer == {
        "entry_id": str(ID),
        "factor": "1.50",
        "at": "2026-02-14T10:00:00+00:00",
        "name": {"code": "gold", "since": "2026-02-14T10:00:00+00:00"},
        "former": None,
        "granted": [{"type": "badge"}],
    }
    assert result_from(Result, answer, participant_id="ada") == Result(
        ID, "ada", Decimal("1.50"), AT, Name("gold", AT), granted=[{"type": "badge"}], is_replay=True
    )


def test_answers_of_other_releases_are_read():
    answer = {"entry_id": str(ID), "factor": None, "at": AT.isoformat(), "name": {"code": "gold"}, "unknown": 1}

    assert result_from(Result, answer, participant_id="ada") == Result(
        ID, "ada", None, AT, Name("gold"), is_replay=True
    )


def test_a_refusal_is_read_back():
    answer = answer_from(Refused("ada", DomainError("No points", code="insufficient_points", status=409)))
    read = result_from(Refused, answer, participant_id="ada")

    assert answer == {"error": {"code": "insufficient_points", "message": "No points", "status": 409}}
    assert (read.participant_id, read.error.code, read.error.message, read.error.status) == (
        "ada", "insufficient_points", "No points", 409,
    )  # fmt: skip
