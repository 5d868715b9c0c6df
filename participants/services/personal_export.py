"""The personal export: everything that is stored about one participant (docs/contract.md §5)."""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Any

from django.db.models import QuerySet

from participants.errors import ParticipantNotFound
from participants.exact_json import exact_json
from participants.models import ConfigurationChange, Participant, Tenant
from participants.services.append_only import CHANGES, PERSONAL_EXPORT, anonymize
from participants.services.changes import record_export
from participants.services.participants import Eraser, erasers
from participants.services.personal_data import PersonalTable, columns_of
from participants.work import reading, restartable, unit_of_work


class ErasedMeanwhile(Exception):
    """The participant was deleted or anonymized while their data was sent. No more of it may be sent."""


def export_personal_data(*, tenant: Tenant, external_id: str, now: datetime) -> Iterator[bytes]:
    """Record the export in the change log, and return an iterator over the JSON text of all data of a participant.

    The text is read while it is sent: each page of rows by a statement of its own. So a slow client holds no transaction open, and a
    section can contain what was written since the section before. If the participant is erased meanwhile, the iterator raises
    ErasedMeanwhile, so the client gets a text that ends early and is not valid JSON.

    Raises: ParticipantNotFound. The first part is read here, and not while the answer is sent. So a participant who is erased right
    after the export was recorded is answered like one who does not exist.
    """
    participant = _record(tenant=tenant, external_id=external_id, now=now)
    text = _text(tenant, participant, now=now)
    try:
        return chain([next(text)], text)
    except ErasedMeanwhile as error:
        raise ParticipantNotFound(external_id) from error


@restartable
def _record(*, tenant: Tenant, external_id: str, now: datetime) -> Participant:
    """Record the export, and return the participant.

    It locks the participant: otherwise an erasure at the same time would not find this row, which names the participant.
    """
    with unit_of_work(tenant, [external_id], now=now) as work:
        participant = work.find(external_id)
        if participant is None:
            raise ParticipantNotFound(external_id)
        record_export(participant, object_type=PERSONAL_EXPORT, code=external_id, tenant_id=tenant.pk, now=now)
        return participant


def _text(tenant: Tenant, participant: Participant, *, now: datetime) -> Iterator[bytes]:
    profile = {name: value for name, value in columns_of(participant).items() if name != "external_id"}
    about = {"participant_id": participant.external_id, "exported_at": now, "profile": profile}
    with reading(tenant):
        _check_not_erased(participant)
    yield exact_json(about).removesuffix("}").encode()
    for name, table in personal_tables().items():
        yield from _section(tenant, participant, name, table)
    yield b"}"


def _check_not_erased(participant: Participant) -> None:
    """Call it after reading and before sending: what was read before an erasure must not be sent after it. Raises: ErasedMeanwhile."""
    same = Participant.objects.filter(tenant_id=participant.tenant_id, external_id=participant.external_id)
    if not same.filter(pk=participant.pk).exists():
        raise ErasedMeanwhile("The participant was erased during the export of their data. The answer ends here.")


def personal_tables() -> dict[str, PersonalTable]:
    """Return all tables with data of participants, by the name of their section."""
    return {name: table for eraser in erasers.values() for name, table in eraser.tables.items()}


def _section(tenant: Tenant, participant: Participant, name: str, table: PersonalTable) -> Iterator[bytes]:
    yield f',"{name}":['.encode()
    pages, separator = table.pages(participant), ""
    while True:
        with reading(tenant):
            page = next(pages, None)
            _check_not_erased(participant)
        if page is None:
            break
        yield (separator + ",".join(map(exact_json, page))).encode()
        separator = ","
    yield b"]"


# --- exports in the change log ----------------------------------------------------------------------------------------


def _exports_of(participant: Participant) -> "QuerySet[ConfigurationChange]":
    rows = ConfigurationChange.objects.filter(tenant_id=participant.tenant_id)
    return rows.filter(object_type=PERSONAL_EXPORT, object_id=str(participant.pk))


def _describe(change: ConfigurationChange) -> dict[str, Any]:
    return {"at": change.created_at, "actor": change.actor_json, "request_id": change.request_id}


def register() -> None:
    """Register the exports in the change log, which contain the id of the participant. Called when the apps are loaded."""
    about = "The personal exports of this participant, this one included."
    table = PersonalTable(ConfigurationChange, about, rows=_exports_of, describe=_describe)
    forget_name = anonymize(CHANGES)
    erasers.register("exports", Eraser({"exports": table}, delete=forget_name, anonymize=forget_name))
