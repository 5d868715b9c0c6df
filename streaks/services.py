"""Streaks are recorded and defined here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from participants import events
from participants.catalog import catalog_of
from participants.errors import DomainError, InvalidInput
from participants.models import Participant, Tenant
from participants.services.definitions import create_definition, update_definition
from participants.services.participants import Eraser, erasers
from participants.services.tenants import zone_changes
from participants.work import Load, Once, UnitOfWork, restartable, unit_of_work
from streaks.engine.counting import Standing, Ticked, standing, tick
from streaks.models import ParticipantStreak, Streak, StreakPause, StreakRevision
from streaks.selectors import CompiledStreak, excused_in, state_of, streaks_in

NOUN = "streak"
RECORD = "streaks.record"
FUTURE_ALLOWED = timedelta(minutes=5)
EARLIEST_YEAR = 1970

# What decides how windows count; a change of one carries the counts over to the new rules.
RULES = ("period", "grace_periods", "reset_on_miss")


class StreakNotFound(DomainError):
    code = "streak_not_found"
    status = 404

    def __init__(self, code: str) -> None:
        super().__init__(f"Streak '{code}' not found")


class StreakIdNotFound(DomainError):
    code = "streak_not_found"
    status = 404

    def __init__(self, _: str) -> None:
        super().__init__("Streak not found")


class StreakInactive(DomainError):
    code = "streak_inactive"

    def __init__(self, code: str) -> None:
        super().__init__(f"Streak '{code}' is not active")


@dataclass(frozen=True)
class StreakRecorded:
    """What a tick led to. `new_count` is the live run's length, else that of the run which holds the tick's window."""

    streak_code: str
    new_count: int
    longest_count: int
    is_new_record: bool
    already_recorded: bool
    is_replay: bool = False


@dataclass(frozen=True)
class Tick:
    """One activity as a history knows it."""

    participant_id: str
    streak_code: str
    at: datetime


@restartable
def record(
    *, tenant: Tenant, participant_id: str, streak_code: str, at: datetime, key: str | None = None, now: datetime
) -> StreakRecorded:
    """Tick a streak at the instant `at`. Raises StreakNotFound, StreakInactive, InvalidInput or IdempotencyKeyReused."""
    _check_instant(at, now=now)
    once = Once(RECORD, key, digest=streak_code, external_id=participant_id) if key else None
    work_of = unit_of_work(tenant, [participant_id], now=now, onces=[once], loads=_loads(tenant, [streak_code]))
    with work_of as work:
        if (answer := work.replayed(once)) is not None:
            return StreakRecorded(**answer, is_replay=True)
        recorded = _record(work, Tick(participant_id, streak_code, at))
        work.remember(once, {name: value for name, value in asdict(recorded).items() if name != "is_replay"})
        return recorded


@restartable
def record_many(*, tenant: Tenant, ticks: Sequence[Tick], now: datetime) -> Sequence[StreakRecorded]:
    """Tick many streaks in one unit of work, all or none; answers in the order given.

    For histories: hand in chunks of about a hundred participants. Repeating a chunk changes nothing. Raises
    StreakNotFound, StreakInactive or InvalidInput.
    """
    if not ticks:
        return []
    for each in ticks:
        _check_instant(each.at, now=now)
    loads = _loads(tenant, {each.streak_code for each in ticks})
    with unit_of_work(tenant, [each.participant_id for each in ticks], now=now, loads=loads) as work:
        return [_record(work, each) for each in ticks]


def _record(work: UnitOfWork, asked: Tick) -> StreakRecorded:
    streak = _active_streak(work, asked.streak_code)
    return _told(streak, _tick(work, work.participant(asked.participant_id), streak, at=asked.at))


def _check_instant(at: datetime, *, now: datetime) -> None:
    if at > now + FUTURE_ALLOWED:
        raise InvalidInput("timestamp", "Must not be more than 5 minutes in the future.")
    if at.year < EARLIEST_YEAR:
        raise InvalidInput("timestamp", f"Must not be before {EARLIEST_YEAR}.")


def _loads(tenant: Tenant, codes: Iterable[str]) -> list[Load]:
    known = streaks_in(catalog_of(tenant)).by_code
    ids = tuple(known[code].id for code in sorted(codes) if code in known)
    return [Load(ParticipantStreak, "streak_id", ids)] if ids else []


def _active_streak(work: UnitOfWork, code: str) -> CompiledStreak:
    streak = streaks_in(work.catalog).by_code.get(code)
    if streak is None:
        raise StreakNotFound(code)
    if not streak.is_active:
        raise StreakInactive(code)
    return streak


def _tick(work: UnitOfWork, participant: Participant, streak: CompiledStreak, *, at: datetime) -> Ticked:
    row = work.row(ParticipantStreak, participant, streak.id) or _new_row(work, participant, streak, at=at)
    if row.revision > streak.revision:
        work.find_stale()
    excused = excused_in(streak, streak.rules, now=work.now)
    ticked = tick(state_of(row, streak, now=work.now), streak.rules, at=at, now=work.now, excused=excused)
    work.touch(participant)
    _write(row, streak, ticked, at=at, told=standing(ticked.state, streak.rules, now=work.now, excused=excused))
    work.change(row)
    if ticked.has_effect:
        _emit_incremented(work, participant, streak, ticked)
    return ticked


def _new_row(work: UnitOfWork, participant: Participant, streak: CompiledStreak, *, at: datetime) -> ParticipantStreak:
    row = ParticipantStreak(
        tenant_id=work.tenant.pk,
        participant_id=participant.pk,
        streak_id=streak.id,
        revision=streak.revision,
        last_activity_at=at,
        created_at=work.now,
    )
    work.add(row)
    return row


def _write(row: ParticipantStreak, streak: CompiledStreak, ticked: Ticked, *, at: datetime, told: Standing) -> None:
    row.revision = streak.revision
    row.runs = [list(run) for run in ticked.state.runs]
    row.carried = list(asdict(ticked.state.carried).values())
    row.last_activity_at = max(row.last_activity_at, at)
    row.at_risk_at, row.breaks_at = told.at_risk_at, told.breaks_at


def _emit_incremented(work: UnitOfWork, participant: Participant, streak: CompiledStreak, ticked: Ticked) -> None:
    data = {
        "user_id": participant.external_id,
        "definition_id": str(streak.id),
        "streak_code": streak.code,
        "new_count": ticked.count,
    }
    work.emit("streak.incremented", participant, data)


def _told(streak: CompiledStreak, ticked: Ticked) -> StreakRecorded:
    return StreakRecorded(
        streak_code=streak.code,
        new_count=ticked.count,
        longest_count=ticked.longest,
        is_new_record=ticked.is_new_record,
        already_recorded=ticked.was_satisfied,
    )


def create_streak(*, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> Streak:
    """Define a streak. Raises CodeConflict."""
    return create_definition(Streak, noun=NOUN, tenant=tenant, data=data, now=now)


@transaction.atomic
def update_streak(streak: Streak, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime) -> Streak:
    """Change a definition. Counts are carried over where its rules change; the new rules apply from `now` on."""
    streak = Streak.objects.select_for_update().get(pk=streak.pk)
    if any(name in changes and changes[name] != getattr(streak, name) for name in RULES):
        # Read behind the streak's lock, which a change of the zone takes too: the caller's tenant may be of before it.
        zone = Tenant.objects.values_list("timezone", flat=True).get(pk=tenant.pk)
        _end_rules(streak, zone=zone, now=now)
        changes = {**changes, "revision": streak.revision + 1}
    if changes.get("is_active", streak.is_active) != streak.is_active:
        _pause_or_resume(streak, now=now)
    return update_definition(streak, tenant=tenant, changes=changes, now=now)


def _pause_or_resume(streak: Streak, *, now: datetime) -> None:
    if streak.is_active:
        StreakPause.objects.create(tenant_id=streak.tenant_id, streak=streak, began_at=now)
    else:
        StreakPause.objects.filter(tenant_id=streak.tenant_id, streak=streak, ended_at=None).update(ended_at=now)


def end_rules_of_zone(tenant: Tenant, now: datetime) -> None:
    """Before a tenant's zone changes: every streak goes on with the days of the new one, and keeps its counts."""
    for streak in Streak.objects.select_for_update().filter(tenant_id=tenant.pk).order_by("id"):
        _end_rules(streak, zone=tenant.timezone, now=now)
        Streak.objects.filter(pk=streak.pk).update(revision=streak.revision + 1)


def _end_rules(streak: Streak, *, zone: str, now: datetime) -> None:
    StreakRevision.objects.create(
        tenant_id=streak.tenant_id,
        streak=streak,
        number=streak.revision,
        timezone=zone,
        ended_at=now,
        **{name: getattr(streak, name) for name in RULES},
    )


def _delete_rows(participant: Participant) -> None:
    ParticipantStreak.objects.of(participant).delete()


def _keep_rows(participant: Participant) -> None:
    """A streak names nobody."""


def register() -> None:
    """Called once the apps are loaded."""
    zone_changes.register("streaks", end_rules_of_zone)
    erasers.register("streaks", Eraser(delete=_delete_rows, anonymize=_keep_rows))
    incremented = {
        "user_id": "The participant's id.",
        "definition_id": "Id of the streak.",
        "streak_code": "Code of the streak.",
        "new_count": "Length of the run after this tick.",
    }
    events.register("streak.incremented", "A window of a streak was satisfied.", incremented)
