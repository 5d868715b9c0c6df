"""Asks for the undo of what one cause wrote, and deletes old undos (docs/contract.md §14)."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Min

from gamify_project.undo.models import Undo, UndoItem, UndoStatus
from participants import messages
from participants.actors import MAX_KEY, ActorKind, current_actor
from participants.errors import DomainError, InvalidInput, NotFound
from participants.models import ConfigurationChange, Tenant

TASK, QUEUE = "undo.run", "sweeps"
CAUSE_KINDS = [kind.value for kind in ActorKind if kind is not ActorKind.PARTNER]  # partners only read
MAX_VERSION = 2**31 - 1
MAX_INSERTS = 3
PRUNED_ITEMS = 1_000


class UndoNotFound(NotFound):
    code = "undo_not_found"
    noun = "Undo"


class PreviewNotDone(DomainError):
    """A preview that is not done, or that failed, does not show what an undo would take back."""

    code = "preview_not_done"
    status = 409

    def __init__(self, status: str) -> None:
        has_failed = status == UndoStatus.FAILED
        remedy = "It failed. Start a new preview" if has_failed else "Wait until it shows what would be taken back"
        super().__init__(f"This preview is not done. {remedy}")


class UndoRunning(DomainError):
    """The same cause is being undone."""

    code = "undo_running"
    status = 409

    def __init__(self) -> None:
        super().__init__("An undo of this cause is running; wait until it is done")


@dataclass(frozen=True)
class Cause:
    """An actor as activity shows it, by kind and id. `version` limits a definition to the time in which this version was in force."""

    kind: str
    id: str
    version: int | None = None


@dataclass(frozen=True)
class UndoRequest:
    """What is to be undone: what `cause` wrote in [since, until). Without `until`, up to now."""

    cause: Cause
    since: datetime
    until: datetime | None = None
    reason: str | None = None
    is_dry_run: bool = False


def ask(*, tenant: Tenant, request: UndoRequest, now: datetime) -> Undo:
    """Store an undo, and wake a worker that runs it. Raises: what `store` raises."""
    undo = store(tenant=tenant, request=request, now=now)
    transaction.on_commit(lambda: messages.send(TASK, args=[str(undo.pk)], queue=QUEUE))
    return undo


def confirm(*, preview: Undo, now: datetime) -> Undo:
    """Ask for the undo that a preview showed. Its time is that of the preview, so it takes back nothing newer.

    Raises: PreviewNotDone, UndoRunning.
    """
    if preview.status != UndoStatus.DONE:
        raise PreviewNotDone(preview.status)
    kind, _, cause_id = preview.cause.partition(":")
    cause = Cause(kind, cause_id, preview.version)
    request = UndoRequest(cause, preview.since, preview.until, preview.reason)
    return ask(tenant=preview.tenant, request=request, now=now)


def store(*, tenant: Tenant, request: UndoRequest, now: datetime) -> Undo:
    """Store an undo. A worker finds it with the next sweep, unless the caller runs it before.

    Raises: InvalidInput, UndoRunning if another undo of the cause is not finished. A dry run does not compete with others.
    """
    cause = f"{request.cause.kind}:{request.cause.id}"
    if len(cause) > MAX_KEY:
        raise InvalidInput("cause.id", "Is too long to be the id of an actor.")
    since, until = _time_of(tenant, request, now=now)
    undo = Undo(
        tenant=tenant,
        cause=cause,
        version=request.cause.version,
        since=since,
        until=until,
        reason=request.reason,
        is_dry_run=request.is_dry_run,
        created_at=now,
    )
    undo.attribute_to(current_actor())
    _insert(undo)
    return undo


def _insert(undo: Undo) -> None:
    """Insert an undo. If the running undo in its way ends at this moment, try again. Raises: UndoRunning."""
    running = Undo.objects.of(undo.tenant).unfinished().filter(cause=undo.cause, is_dry_run=False)
    for attempts_left in reversed(range(MAX_INSERTS)):
        try:
            with transaction.atomic():
                undo.save(force_insert=True)
        except IntegrityError as error:
            if running.exists():
                raise UndoRunning from error
            if not attempts_left:
                raise
        else:
            return


def _time_of(tenant: Tenant, request: UndoRequest, *, now: datetime) -> tuple[datetime, datetime]:
    """Return the time whose rows are taken back. Raises: InvalidInput."""
    until = now if request.until is None else min(request.until, now)
    if request.since >= until:
        raise InvalidInput("since", "Must be before `until`, and in the past.")
    if request.cause.version is None:
        return request.since, until
    begin, end = _time_of_version(tenant, request.cause)
    since, until = max(request.since, begin), until if end is None else min(until, end)
    if since >= until:
        raise InvalidInput("cause.version", "This version was not in force between `since` and `until`.")
    return since, until


def _time_of_version(tenant: Tenant, cause: Cause) -> tuple[datetime, datetime | None]:
    """Return when a version of a definition came into force, and when the next one did. Raises: InvalidInput."""
    object_type, _, code = cause.id.partition(":")
    if cause.kind != ActorKind.DEFINITION:
        raise InvalidInput("cause.version", "Only definitions have versions.")
    versions = ConfigurationChange.objects.filter(tenant_id=tenant.pk, object_type=object_type, code=code)
    first = versions.filter(number=cause.version).first()
    if first is None:
        raise InvalidInput("cause.version", "There is no such version of this definition in the change log.")
    later = versions.filter(number__gt=cause.version).aggregate(at=Min("created_at"))["at"]
    return first.created_at, later


def delete_old(*, before: datetime) -> int:
    """Delete the next chunk of the undos that ended before `before`, of all tenants, first their items. Returns the number of rows."""
    old = list(Undo.objects.finished_before(before).order_by("pk").values_list("pk", flat=True)[:PRUNED_ITEMS])
    items = list(UndoItem.objects.filter(undo_id__in=old).values_list("pk", flat=True)[:PRUNED_ITEMS])
    rows = UndoItem.objects.filter(pk__in=items) if items else Undo.objects.filter(pk__in=old)
    return rows.delete()[0] if old else 0
