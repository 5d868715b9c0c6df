"""The metrics of streaks: the length of the current run, and of the longest run."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gamify.facts.engine.metrics import MetricKind
from gamify.facts.services import Fact, Metric, MetricValue, Selector, level_changed, register_metric
from participants.catalog import catalog_of
from participants.errors import FieldError
from participants.models import Participant, Tenant
from participants.work import UnitOfWork
from streaks.models import ParticipantStreak, Status, Streak
from streaks.selectors import status_of, streaks_in
from streaks.services.counting import loads_for, row_of


def _longest_after(fact: Fact, selector: Selector) -> int | None:
    is_meant = fact.properties["streak_code"] == selector["streak_code"]
    return int(fact.properties["longest_count"]) if is_meant else None


def _read_longest(
    tenant: Tenant, participants: Sequence[Participant], selector: Selector, now: datetime
) -> Mapping[UUID, MetricValue]:
    streak = streaks_in(catalog_of(tenant)).by_code.get(selector["streak_code"])
    if streak is None:
        return {}
    people = {participant.pk: participant for participant in participants}
    rows = ParticipantStreak.objects.in_streak(tenant, streak.id).filter(participant_id__in=people)
    statuses = {
        row.participant_id: status_of(row, streak, people[row.participant_id], now=now).streak_status for row in rows
    }
    return {participant_id: MetricValue(status.current, status.longest) for participant_id, status in statuses.items()}


def _read_current(
    tenant: Tenant, participants: Sequence[Participant], selector: Selector, now: datetime
) -> Mapping[UUID, MetricValue]:
    values = _read_longest(tenant, participants, selector, now)
    return {participant_id: MetricValue(value.current, value.current) for participant_id, value in values.items()}


def _longest_in_unit(work: UnitOfWork, participant: Participant, selector: Selector) -> int:
    streak = streaks_in(work.catalog).by_code.get(selector["streak_code"])
    if streak is None:
        return 0
    work.load(loads_for([streak]))
    row = row_of(work, participant, streak)
    return 0 if row is None else status_of(row, streak, participant, now=work.now).streak_status.longest


def _problem(tenant: Tenant, selector: Selector) -> FieldError | None:
    known = Streak.objects.of(tenant).exclude(status=Status.ARCHIVED).filter(code=selector["streak_code"])
    return None if known.exists() else FieldError("streak_code", "must be the code of a streak")


def _key(selector: Mapping[str, Any]) -> str:
    """One key for both metrics of a streak, because they change together."""
    return f"streak:{selector['streak_code']}"


CHANGES = (
    "streak.incremented", "streak.decremented", "streak.broken", "streak.at_risk", "streak.restored", "streak.frozen",
    "streak.unfrozen", "streak.milestone_reached",
)  # fmt: skip


def register() -> None:
    """Called when the apps are loaded."""
    shared: dict[str, Any] = {
        "kind": MetricKind.LEVEL,
        "needs": ("streak_code",),
        "problem": _problem,
        "changed_by": dict.fromkeys(CHANGES, level_changed),
        "change_key": _key,
    }
    register_metric(
        Metric(
            label="current run of a streak",
            display_order=50,
            board_name="streak_current",
            read=_read_current,
            is_announced_late=True,
            **shared,
        )
    )
    register_metric(
        Metric(
            label="longest run of a streak",
            display_order=60,
            badge_name="streak_count",
            board_name="streak_longest",
            read=_read_longest,
            raised_by=dict.fromkeys(("streak.incremented", "streak.restored"), _longest_after),
            read_in_unit=_longest_in_unit,
            **shared,
        )
    )
