"""The metric `streak_count`: the length of a run, which badges and leaderboards compare."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from gamify.facts.services import Fact, Metric, MetricValue, Selector, metrics
from participants.catalog import catalog_of
from participants.errors import FieldError
from participants.models import Participant, Tenant
from participants.work import UnitOfWork
from streaks.models import ParticipantStreak, Status, Streak
from streaks.selectors import status_of, streaks_in
from streaks.services.counting import loads_for, row_of


def _count_after(fact: Fact, selector: Selector) -> int | None:
    is_selected = fact.properties["streak_code"] == selector["streak_code"]
    return int(fact.properties["longest_count"]) if is_selected else None


def _values(
    tenant: Tenant, participants: Sequence[Participant], selector: Selector, now: datetime
) -> Mapping[UUID, MetricValue]:
    streak = streaks_in(catalog_of(tenant)).by_code.get(selector["streak_code"])
    if streak is None:
        return {}
    by_id = {participant.pk: participant for participant in participants}
    rows = ParticipantStreak.objects.in_streak(tenant, streak.id).filter(participant_id__in=by_id)
    statuses = {
        row.participant_id: status_of(row, streak, by_id[row.participant_id], now=now).streak_status for row in rows
    }
    return {pk: MetricValue(status.current, status.longest) for pk, status in statuses.items()}


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


def register() -> None:
    changes = dict.fromkeys(("streak.incremented", "streak.restored"), _count_after)
    metric = Metric(changes, _values, needs=("streak_code",), problem=_problem, read_in_unit=_longest_in_unit)
    metrics.register("streak_count", metric)
