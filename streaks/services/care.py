"""Care for participants: freeze a streak, restore a broken run, nudge, declare an amnesty for everyone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from gamify.facts import services as facts
from participants.actors import current_actor
from participants.catalog import bump_catalog_version, catalog_of
from participants.errors import DomainError, InvalidInput, NotFound, ParticipantNotFound
from participants.models import Tenant
from participants.services.changes import Changes, created, record_change, updated
from participants.services.tenants import check_timezone
from participants.work import Load, UnitOfWork, restartable, unit_of_work
from streaks.engine.windows import iso_instant
from streaks.models import Amnesty, Streak
from streaks.selectors import ParticipantStreakStatus, status_of, streaks_in
from streaks.selectors.care import check_year, freezes_without, open_window, restorable_span, span_between
from streaks.services.announcements import emit_event, emit_restored, set_announced
from streaks.services.counting import loads_for, row_of, visible_streak
from streaks.services.reviews import grant_due_milestones, review_row

MAX_FREEZES = 200
MAX_AMNESTY = timedelta(days=366)


class StreakNotStarted(DomainError):
    code = "streak_not_started"
    status = 404
    text = "Participant '{}' has not started streak '{}'"


class NothingToRestore(DomainError):
    code = "nothing_to_restore"
    text = "Streak '{}' has no broken run to restore"


class NotAtRisk(DomainError):
    code = "not_at_risk"
    text = "The run of participant '{}' in streak '{}' is not at risk"


class FreezeNotFound(DomainError):
    code = "freeze_not_found"
    status = 404
    text = "Streak '{}' has no freeze that was given at {}"


class AmnestyNotFound(NotFound):
    code = "amnesty_not_found"
    noun = "Amnesty"


@dataclass(frozen=True)
class CareRequest:
    """A participant's streak and the reason of a freeze or a restore."""

    participant_id: str
    streak_code: str
    reason: str


@restartable
def freeze(
    *,
    tenant: Tenant,
    request: CareRequest,
    begin: date | datetime | None = None,
    end: date | datetime | None = None,
    now: datetime,
) -> ParticipantStreakStatus:
    """Excuse the windows that overlap [begin, end). Dates are local days, and `end` is included if it is a date.

    Without `begin` and `end` the open window is excused. A repeated call with the same span and reason changes nothing.

    Raises: ParticipantNotFound, StreakNotFound, StreakNotStarted, InvalidInput.
    """
    with unit_of_work(tenant, [request.participant_id], now=now, loads=_loads(tenant, request)) as work:
        status = _status(work, request)
        span = open_window(status, now=now) if begin is end is None else span_between(status, begin, end, now=now)
        if not _is_frozen(status, *span, reason=request.reason):
            _excuse(work, status, *span, reason=request.reason)
            data = {"from": iso_instant(span[0]), "to": iso_instant(span[1]), "reason": request.reason}
            emit_event(work, status.participant, status.streak, "streak.frozen", data)
            review_row(work, status.participant, status.streak, status.row)
            facts.publish_changes(work, status.participant, now=now)
        return _status(work, request)


@restartable
def lift_freeze(*, tenant: Tenant, request: CareRequest, given_at: datetime, now: datetime) -> ParticipantStreakStatus:
    """Take back the freeze or the restore that was given at `given_at`: its windows are no longer excused.

    A run that is alive only because of it breaks. Milestones that were paid stay paid.

    Raises: ParticipantNotFound, StreakNotFound, StreakNotStarted, FreezeNotFound.
    """
    with unit_of_work(tenant, [request.participant_id], now=now, loads=_loads(tenant, request)) as work:
        status = _status(work, request)
        lifted = _freeze_given_at(status, given_at)
        status.row.freezes = freezes_without(status.row, given_at)
        work.touch(status.participant, is_seen=False)
        work.change(status.row)
        begin, end = (datetime.fromisoformat(lifted[name]) for name in ("from", "to"))
        data = {"from": iso_instant(begin), "to": iso_instant(end), "reason": request.reason}
        emit_event(work, status.participant, status.streak, "streak.unfrozen", data)
        review_row(work, status.participant, status.streak, status.row)
        facts.publish_changes(work, status.participant, now=now)
        return _status(work, request)


def _freeze_given_at(status: ParticipantStreakStatus, given_at: datetime) -> Mapping[str, Any]:
    """Return the freeze that was given at this instant. Raises: FreezeNotFound."""
    freezes: Sequence[Mapping[str, Any]] = status.row.freezes
    found = next((freeze for freeze in freezes if freeze["at"] == given_at.isoformat()), None)
    if found is None:
        raise FreezeNotFound(status.streak.code, iso_instant(given_at))
    return found


@restartable
def restore(*, tenant: Tenant, request: CareRequest, now: datetime) -> ParticipantStreakStatus:
    """Revive the last broken run by excusing the windows missed since then.

    Raises: ParticipantNotFound, StreakNotFound, StreakNotStarted, NothingToRestore.
    """
    with unit_of_work(tenant, [request.participant_id], now=now, loads=_loads(tenant, request)) as work:
        before = _status(work, request)
        span = restorable_span(before, now=now)
        if span is None:
            raise NothingToRestore(request.streak_code)
        _excuse(work, before, *span, reason=request.reason)
        status = _status(work, request)
        emit_restored(work, status.participant, status.streak, status.streak_status, reason=request.reason)
        grant_due_milestones(work, status)
        set_announced(status.row, status.streak_status)
        facts.publish_changes(work, status.participant, now=now)
        return status


@restartable
def nudge(*, tenant: Tenant, request: CareRequest, now: datetime) -> bool:
    """Emit `streak.nudged` about a run at risk, so that the application reminds its participant.

    Returns whether it was emitted: once for each time that the run is at risk, however often it is called.

    Raises: ParticipantNotFound, StreakNotFound, StreakNotStarted, NotAtRisk.
    """
    with unit_of_work(tenant, [request.participant_id], now=now, loads=_loads(tenant, request)) as work:
        status = _status(work, request)
        run, row = status.streak_status, status.row
        if not run.is_at_risk or run.breaks_at is None:
            raise NotAtRisk(request.participant_id, request.streak_code)
        if row.nudged_of == run.breaks_at:
            return False
        row.nudged_of = run.breaks_at
        work.change(row)
        data = {"current_count": run.current, "window_ends_at": iso_instant(run.breaks_at), "reason": request.reason}
        emit_event(work, status.participant, status.streak, "streak.nudged", data)
        return True


def _loads(tenant: Tenant, request: CareRequest) -> list[Load]:
    streak = streaks_in(catalog_of(tenant)).by_code.get(request.streak_code)
    return loads_for([streak] if streak else [])


def _status(work: UnitOfWork, request: CareRequest) -> ParticipantStreakStatus:
    participant = work.find(request.participant_id)
    if participant is None:
        raise ParticipantNotFound(request.participant_id)
    streak = visible_streak(work.catalog, request.streak_code)
    row = row_of(work, participant, streak)
    if row is None:
        raise StreakNotStarted(request.participant_id, request.streak_code)
    return status_of(row, streak, participant, now=work.now)


def _is_frozen(status: ParticipantStreakStatus, begin: datetime, end: datetime, *, reason: str) -> bool:
    """Whether the same freeze exists: the form or request was sent twice."""
    same = {"from": begin.isoformat(), "to": end.isoformat(), "reason": reason}
    return any(same.items() <= freeze.items() for freeze in status.row.freezes)


def _excuse(work: UnitOfWork, status: ParticipantStreakStatus, begin: datetime, end: datetime, *, reason: str) -> None:
    row = status.row
    if len(row.freezes) >= MAX_FREEZES:
        raise InvalidInput("from", f"A streak can be frozen at most {MAX_FREEZES} times.")
    freeze = {"from": begin.isoformat(), "to": end.isoformat(), "reason": reason, "at": work.now.isoformat()}
    freeze |= {"actor": work.actor.key, "actor_label": work.actor.label}
    row.freezes = [*row.freezes, freeze]
    work.touch(status.participant, is_seen=False)
    work.change(row)


# --- amnesties --------------------------------------------------------------------------------------------------------


@transaction.atomic
def declare_amnesty(*, tenant: Tenant, data: Mapping[str, Any], now: datetime, dry_run: bool = False) -> Amnesty:
    """Excuse all participants on some local dates, which may be in the past. `data` are fields of the model.

    A missing zone means the tenant's. A dry run writes nothing and returns an amnesty without an id.

    Raises: InvalidInput.
    """
    codes = data.get("streak_codes")
    amnesty = Amnesty(tenant=tenant, **{**data, "timezone": data.get("timezone") or tenant.timezone})
    check_timezone(amnesty.timezone)
    _check_days(amnesty.from_on, amnesty.to_on)
    _check_codes(tenant, codes)
    amnesty.streak_codes = None if codes is None else list(dict.fromkeys(codes))
    if dry_run:
        amnesty.pk = None
        return amnesty
    amnesty.created_at = now
    amnesty.attribute_to(current_actor())
    amnesty.save(force_insert=True)
    _record(amnesty, created(amnesty, "name", "from_on", "to_on", "timezone", "streak_codes", "reason"), now=now)
    _start_reviews(tenant, amnesty, now=now)
    return amnesty


def _check_days(first: date, last: date) -> None:
    check_year("from", first)
    check_year("to", last)
    if last < first:
        raise InvalidInput("to", "Must not be before `from`.")
    if last - first > MAX_AMNESTY:
        raise InvalidInput("to", f"Must be at most {MAX_AMNESTY.days} days after `from`.")


def _check_codes(tenant: Tenant, codes: Sequence[str] | None) -> None:
    if codes is None:
        return
    known = set(Streak.objects.of(tenant).filter(code__in=codes).values_list("code", flat=True))
    if unknown := sorted(set(codes) - known):
        raise InvalidInput("streak_codes", f"Unknown streaks: {', '.join(unknown)}.")


@transaction.atomic
def undo_amnesty(*, tenant: Tenant, amnesty_id: UUID, now: datetime) -> Amnesty:
    """Withdraw an amnesty. Runs that are alive only because of it break. A repeated call changes nothing.

    Raises: AmnestyNotFound.
    """
    amnesty = Amnesty.objects.of(tenant).select_for_update().filter(pk=amnesty_id).first()
    if amnesty is None:
        raise AmnestyNotFound(str(amnesty_id))
    if amnesty.undone_at is None:
        amnesty.undone_at = now
        amnesty.save(update_fields=["undone_at"])
        _record(amnesty, updated({"undone_at": None}, amnesty), now=now)
        _start_reviews(tenant, amnesty, now=now)
    return amnesty


def _record(amnesty: Amnesty, changes: Changes, *, now: datetime) -> None:
    record_change(
        amnesty, object_type="amnesty", code=amnesty.name, changes=changes, tenant_id=amnesty.tenant_id, now=now
    )


def _start_reviews(tenant: Tenant, amnesty: Amnesty, *, now: datetime) -> None:
    streaks = Streak.objects.of(tenant)
    if amnesty.streak_codes is not None:
        streaks = streaks.filter(code__in=amnesty.streak_codes)
    streaks.update(review_due_at=now, review_cursor=None)
    bump_catalog_version(tenant)
