"""Creates exports, finds them, and removes what must not be in them any more."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from gamify_project.exports.models import Export, ExportPart, ExportStatus
from gamify_project.exports.requests import ExportRequest
from participants import messages
from participants.actors import current_actor
from participants.api.exporting import Scope, export_kinds
from participants.archiving import ArchiveRule, archive_rules
from participants.engine import uuid_of
from participants.errors import DomainError, NotFound
from participants.models import Participant, Tenant
from participants.services.changes import record_change
from participants.services.participants import Eraser, erasers

BUILD_TASK = "exports.build"
ONE = "(one participant)"


class ExportNotFound(NotFound):
    code = "export_not_found"
    noun = "Export"


class TooManyExports(DomainError):
    code = "too_many_exports"
    status = 409
    text = "{} exports of this tenant are not finished yet. Wait until one is."


class ExportNotReady(DomainError):
    code = "export_not_ready"
    status = 409
    text = "This export is {}. Fetch its file when it is done."


class ExportExpired(DomainError):
    code = "export_expired"
    status = 410
    text = "The file of this export was deleted. Create a new export."


@transaction.atomic
def create_export(*, tenant: Tenant, wanted: ExportRequest, now: datetime) -> Export:
    """Queue an export. The change log says who exports what.

    Raises:
        InvalidInput: a filter names nothing.
        TooManyExports: EXPORTS_RUNNING exports of the tenant are not finished.
    """
    export_kinds[wanted.kind].check(Scope(tenant, wanted.filters, now))
    Tenant.objects.select_for_update(no_key=True).get(
        pk=tenant.pk
    )  # so that two requests do not both take the last place
    if Export.objects.of(tenant).unfinished().count() >= settings.EXPORTS_RUNNING:
        raise TooManyExports(settings.EXPORTS_RUNNING)
    export = Export(
        tenant=tenant,
        kind=wanted.kind,
        filters=wanted.sent,
        format=wanted.format,
        has_bom=wanted.has_bom,
        created_at=now,
    )
    export.attribute_to(current_actor())
    export.save(force_insert=True)
    _record(export, now=now)
    transaction.on_commit(lambda: messages.send(BUILD_TASK))
    return export


def _record(export: Export, *, now: datetime) -> None:
    """Record the export in the change log, which outlives participants. So it does not name the participant in the filters."""
    filters = {name: ONE if name == "participant_id" else value for name, value in export.filters.items()}
    said = {"kind": export.kind, "format": export.format, "filters": filters}
    changes = {name: {"before": None, "after": value} for name, value in said.items()}
    record_change(export, object_type="export", code=export.kind, changes=changes, tenant_id=export.tenant_id, now=now)


def find_export(tenant: Tenant, export_id: str) -> Export:
    """Return an export of `tenant`. Raises ExportNotFound."""
    known = uuid_of(export_id)
    export = None if known is None else Export.objects.of(tenant).filter(pk=known).first()
    if export is None:
        raise ExportNotFound(export_id)
    return export


def available_export(tenant: Tenant, export_id: str, *, now: datetime) -> Export:
    """Return an export whose file can be fetched. Raises ExportNotFound, ExportNotReady or ExportExpired."""
    export = find_export(tenant, export_id)
    if export.expires_at is not None and export.expires_at <= now:
        raise ExportExpired
    if not export.is_available_at(now):
        raise ExportNotReady(export.status)
    return export


def exports_page(tenant: Tenant, *, before: UUID | None, limit: int) -> tuple[Sequence[Export], UUID | None]:
    """Return up to `limit` exports, newest first, and the cursor of the next page, None after the last one."""
    rows = Export.objects.of(tenant).order_by("-id")
    found = list((rows if before is None else rows.filter(pk__lt=before))[: limit + 1])
    return found[:limit], found[limit - 1].pk if len(found) > limit else None


def delete_expired_files(*, now: datetime) -> int:
    """Delete exports whose file has expired, with their parts. Returns how many. The change log still says who exported what."""
    with transaction.atomic():
        rows = Export.objects.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
        expired = list(rows.expired(now).values_list("pk", flat=True)[:100])
        ExportPart.objects.filter(export_id__in=expired).delete()
        Export.objects.filter(pk__in=expired).delete()
    return len(expired)


# --- erasure ----------------------------------------------------------------------------------------------------------


def build_again(participant: Participant) -> None:
    """Start all files of the participant's tenant again, because they may contain the participant.

    Exports about this participant alone are deleted. A part that a worker has read before this transaction ends is not added to its
    file: see `Export.build`.
    """
    exports = Export.objects.filter(tenant_id=participant.tenant_id)
    stale = exports.exclude(status=ExportStatus.FAILED)
    ids = list(exports.values_list("pk", flat=True))
    if not ids:
        return
    stale.update(
        build=F("build") + 1,
        status=ExportStatus.QUEUED,
        parts=0,
        cursor=None,
        rows=0,
        size=0,
        sha256=None,
        attempts=0,
        leased_until=None,
        finished_at=None,
    )
    ExportPart.objects.filter(tenant_id=participant.tenant_id, export_id__in=ids).delete()
    exports.filter(filters__participant_id=participant.external_id).delete()
    transaction.on_commit(lambda: messages.send(BUILD_TASK))


def register() -> None:
    """Called when the apps are loaded."""
    erasers.register("export files", Eraser({}, delete=build_again, anonymize=build_again))
    for label in ("exports.Export", "exports.ExportPart"):
        archive_rules.register(label, ArchiveRule("Files of exports are deleted after a day."))
