"""Exports everything about one participant (docs/contract.md §5)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from participants.exact_json import exact_json
from participants.models import ConfigurationChange, Participant, Tenant
from participants.selectors import get_participant
from participants.services.changes import record_export
from participants.services.participants import Eraser, erasers
from participants.services.personal_data import PersonalTable, columns_of
from participants.work import reading

EXPORT = "participant_export"
"""The `object_type` of an export in the change log."""


def export(*, tenant: Tenant, external_id: str, now: datetime) -> Iterator[bytes]:
    """Note the export in the change log, and return an iterator over the JSON text of all data of a participant.

    The text is read while it is sent: each page of rows by a statement of its own. So a slow client holds no transaction open, and a
    section can contain what was written since the section before.

    Raises: ParticipantNotFound, before anything is noted.
    """
    participant = get_participant(tenant, external_id, now=now)
    with transaction.atomic():
        record_export(participant, object_type=EXPORT, code=external_id, tenant_id=tenant.pk, now=now)
    return _text(tenant, participant, now=now)


def _text(tenant: Tenant, participant: Participant, *, now: datetime) -> Iterator[bytes]:
    profile = {name: value for name, value in columns_of(participant).items() if name != "external_id"}
    about = {"participant_id": participant.external_id, "exported_at": now, "profile": profile}
    yield exact_json(about).removesuffix("}").encode()
    for name, table in personal_tables().items():
        yield from _section(tenant, participant, name, table)
    yield b"}"


def personal_tables() -> dict[str, PersonalTable]:
    """Return all tables with data of participants, by the name of their section."""
    return {name: table for eraser in erasers.values() for name, table in eraser.tables.items()}


def _section(tenant: Tenant, participant: Participant, name: str, table: PersonalTable) -> Iterator[bytes]:
    yield f',"{name}":['.encode()
    pages, separator = table.pages(participant), ""
    while True:
        with reading(tenant):
            page = next(pages, None)
        if page is None:
            break
        yield (separator + ",".join(map(exact_json, page))).encode()
        separator = ","
    yield b"]"


# --- exports in the change log ----------------------------------------------------------------------------------------


def _exports_of(participant: Participant) -> "QuerySet[ConfigurationChange]":
    rows = ConfigurationChange.objects.filter(tenant_id=participant.tenant_id)
    return rows.filter(object_type=EXPORT, object_id=str(participant.pk))


def _describe(change: ConfigurationChange) -> dict[str, Any]:
    return {"at": change.created_at, "actor": change.actor_json, "request_id": change.request_id}


def _forget_name(participant: Participant) -> None:
    """Replace the participant's id in the change log by the product's own."""
    _exports_of(participant).update(code=str(participant.pk))


def register() -> None:
    """Register the exports in the change log, which name the participant. Called when the apps are loaded."""
    about = "The exports of these data, this one included."
    table = PersonalTable(ConfigurationChange, about, rows=_exports_of, describe=_describe)
    erasers.register("exports", Eraser({"exports": table}, delete=_forget_name, anonymize=_forget_name))
