"""Creates exports, finds them, deletes expired ones, and builds files again after an erasure."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from gamify_project.exports.models import Export, ExportStatus
from gamify_project.exports.requests import ExportRequest
from participants import messages
from participants.actors import current_actor
from participants.api.exporting import Scope, export_kinds
from participants.archiving import ArchiveRule, archive_rules
from participants.errors import DomainError, NotFound
from participants.models import Participant, Tenant
from participants.selectors import row_by_id
from participants.services.changes import HIDDEN, record_change
from participants.services.participants import Eraser, erasers

BUILD_TASK = "exports.build"


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
    text = "The status of this export is '{}'. Its file can be fetched when it is 'done'. If it is 'failed', create a new export."


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
    export_kinds[wanted.kind].open(Scope(tenant, wanted.filters, now))
    # Lock the tenant, so that two requests do not both take the last place.
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
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
    """Record the export in the change log, which outlives participants. So filters that may name a participant are hidden."""
    hidden = export_kinds[export.kind].filters.personal
    filters = {name: HIDDEN["before"] if name in hidden else value for name, value in export.filters.items()}
    recorded = {"kind": export.kind, "format": export.format, "filters": filters}
    changes = {name: {"before": None, "after": value} for name, value in recorded.items()}
    record_change(export, object_type="export", code=export.kind, changes=changes, tenant_id=export.tenant_id, now=now)


def find_export(tenant: Tenant, export_id: str) -> Export:
    """Return an export of `tenant`. Raises ExportNotFound."""
    export = row_by_id(Export.objects.of(tenant), export_id)
    if export is None:
        raise ExportNotFound(export_id)
    return export


def available_export(tenant: Tenant, export_id: str, *, now: datetime) -> Export:
    """Return an export whose file can be fetched. Raises ExportNotFound, ExportNotReady or ExportExpired."""
    export = find_export(tenant, export_id)
    if export.expires_at is not None and export.expires_at <= now:
        raise ExportExpired
    if export.kind not in export_kinds:  # only the next release has this kind
        raise ExportNotFound(export_id)
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
        Export.objects.filter(pk__in=expired).delete_parts()
        Export.objects.filter(pk__in=expired).delete()
    return len(expired)


# --- erasure ----------------------------------------------------------------------------------------------------------


def build_again(participant: Participant) -> None:
    """Start all files of the participant's tenant again, because they may contain the participant.

    Exports whose filters may name the participant are deleted. A part that a worker has read before this transaction ends is not added
    to its file: see `Export.build`.
    """
    exports = Export.objects.filter(tenant_id=participant.tenant_id)
    if not exports.exists():
        return
    exports.exclude(status=ExportStatus.FAILED).start_again()
    exports.filter(_names(participant)).delete()
    transaction.on_commit(lambda: messages.send(BUILD_TASK))


def _names(participant: Participant) -> Q:
    """Condition: a filter of the export may be the id of the participant."""
    condition = Q(pk__in=[])
    for name, kind in export_kinds.items():
        for personal in kind.filters.personal:
            condition |= Q(kind=name, **{f"filters__{personal}": participant.external_id})
    return condition


def register() -> None:
    """Called when the apps are loaded."""
    erasers.register("export files", Eraser({}, delete=build_again, anonymize=build_again))
    for label in ("exports.Export", "exports.ExportPart"):
        archive_rules.register(label, ArchiveRule("Exports are deleted after EXPORT_HOURS."))
