"""Registers, updates, erases and anonymizes participants."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db.models import QuerySet

from participants.causes import irreversible_events
from participants.engine import object_problem
from participants.errors import InvalidInput, ParticipantNotFound
from participants.models import DomainEvent, IdempotencyKey, Participant, Tenant
from participants.registries import Registry
from participants.services.batch_keys import hash_keys_that_name
from participants.services.personal_data import PersonalTable
from participants.services.tenants import check_timezone
from participants.work import UnitOfWork, restartable, unit_of_work

PROFILE_FIELDS = ("display_name", "avatar_url", "attributes", "timezone", "visible")
DELETE_CHUNK = 100
MAX_PAST_ZONES = 50
PUBLISHED_FIELDS = ("display_name", "avatar_url", "attributes", "visible")


@dataclass(frozen=True)
class Eraser:
    """How one domain erases a participant: `delete` deletes all their rows, `anonymize` clears everything that could identify them.

    Big tables have no foreign key constraint to cascade along (docs/decisions/0003), so each domain registers an eraser.

    `tables` are the tables with these rows, by the name of their section in the personal export.
    """

    tables: Mapping[str, PersonalTable]
    delete: Callable[[Participant], object]
    anonymize: Callable[[Participant], object]


erasers: Registry[Eraser] = Registry("Eraser")


def delete_rows(*models: Any) -> Callable[[Participant], None]:
    """Return a function that deletes a participant's rows of these models (subclasses of `ParticipantRow`)."""

    def delete(participant: Participant) -> None:
        for model in models:
            model.objects.of(participant).delete()

    return delete


def update_rows(model: Any, **values: Any) -> Callable[[Participant], None]:
    """Return a function that sets columns of all rows that a participant has in `model`. Other columns stay as they are."""
    return lambda participant: model.objects.of(participant).update(**values)


def keep_rows(participant: Participant) -> None:
    """For rows without personal data, which stay when a participant is anonymized."""


after_participant_zone_change: Registry[Callable[[UnitOfWork, Participant], object]] = Registry(
    "Participant zone handler"
)
"""Functions that are called with (work, participant) in the unit that changes a participant's time zone."""


@restartable
def register(*, tenant: Tenant, external_id: str, changes: Mapping[str, Any], now: datetime) -> Participant:
    """Create or update a participant. Profile fields in `changes` replace stored values. Raises InvalidInput for an unknown zone."""
    with unit_of_work(tenant, [external_id], now=now) as work:
        participant = work.participant(external_id)
        _apply(work, participant, changes)
        return participant


@restartable
def update(*, tenant: Tenant, external_id: str, changes: Mapping[str, Any], now: datetime) -> Participant:
    """Change a profile. `attributes` is a merge patch (RFC 7396). Raises ParticipantNotFound or InvalidInput."""
    with unit_of_work(tenant, [external_id], now=now) as work:
        participant = _existing(work, external_id)
        changes = dict(changes)
        if "attributes" in changes:
            changes["attributes"] = _patched_attributes(participant, changes["attributes"])
        _apply(work, participant, changes)
        return participant


def _existing(work: UnitOfWork, external_id: str) -> Participant:
    participant = work.find(external_id)
    if participant is None:
        raise ParticipantNotFound(external_id)
    return participant


def _patched_attributes(participant: Participant, patch: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the attributes after `patch`; None clears them. The result has a maximum size, which many small patches could exceed."""
    attributes: dict[str, Any] = {} if patch is None else merge_patch(participant.attributes, patch)
    if problem := object_problem(attributes):
        raise InvalidInput("attributes", problem)
    return attributes


def merge_patch(target: Any, patch: Any) -> Any:
    """Apply `patch` to `target` by RFC 7396: objects are merged key by key, null removes a key, all other values replace."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def _apply(work: UnitOfWork, participant: Participant, changes: Mapping[str, Any]) -> None:
    if changes.get("timezone"):
        check_timezone(changes["timezone"])
    before, zone = _profile(participant), _zone(work, participant)
    for field in PROFILE_FIELDS:
        if field in changes:
            setattr(participant, field, changes[field])
    participant.attributes = participant.attributes or {}
    if not participant.is_new and _zone(work, participant) != zone:
        _change_zone(work, participant, zone)
    work.touch(participant)
    if _profile(participant) != before:
        work.emit(
            "participant.updated", participant, {field: getattr(participant, field) for field in PUBLISHED_FIELDS}
        )


def _change_zone(work: UnitOfWork, participant: Participant, zone: str) -> None:
    """Note that the participant left time zone `zone` now, and call the handlers."""
    participant.past_zones = [*participant.past_zones, [zone, work.now.isoformat()]][-MAX_PAST_ZONES:]
    for handle in after_participant_zone_change.values():
        handle(work, participant)


def _zone(work: UnitOfWork, participant: Participant) -> str:
    return participant.timezone or work.tenant.timezone


def _profile(participant: Participant) -> dict[str, Any]:
    return {field: getattr(participant, field) for field in PROFILE_FIELDS}


@restartable
def delete(*, tenant: Tenant, external_id: str, now: datetime) -> None:
    """Erase a participant with all their data. Raises ParticipantNotFound."""
    with unit_of_work(tenant, [external_id], now=now) as work:
        _delete(work, _existing(work, external_id))


def _delete(work: UnitOfWork, participant: Participant) -> None:
    for eraser in erasers.values():
        eraser.delete(participant)
    participant_id = participant.pk
    participant.delete()
    participant.pk = participant_id
    work.emit("participant.deleted", participant, {})


def delete_all(*, tenant: Tenant, now: datetime) -> None:
    """Erase all participants of `tenant` with all their data, in chunks of DELETE_CHUNK."""
    external_ids = Participant.objects.of(tenant).order_by("id").values_list("external_id", flat=True)
    while chunk := list(external_ids[:DELETE_CHUNK]):
        _delete_chunk(tenant=tenant, external_ids=chunk, now=now)


@restartable
def _delete_chunk(*, tenant: Tenant, external_ids: Sequence[str], now: datetime) -> None:
    with unit_of_work(tenant, external_ids, now=now) as work:
        for participant in filter(None, map(work.find, external_ids)):
            _delete(work, participant)


@restartable
def anonymize(*, tenant: Tenant, external_id: str, now: datetime) -> str:
    """Erase everything that identifies a participant, but keep the ledger and the counts. Returns the new id.

    Raises ParticipantNotFound.
    """
    with unit_of_work(tenant, [external_id], now=now) as work:
        participant = _existing(work, external_id)
        for eraser in erasers.values():
            eraser.anonymize(participant)
        participant.external_id = f"anon_{uuid4()}"
        participant.display_name = participant.avatar_url = participant.timezone = None
        participant.attributes, participant.past_zones = {}, []
        participant.is_active = False
        participant.anonymized_at = now
        work.touch(participant)
        work.emit("participant.anonymized", participant, {})
        return participant.external_id


def _keys_of(participant: Participant) -> "QuerySet[IdempotencyKey]":
    return IdempotencyKey.objects.filter(tenant_id=participant.tenant_id, subject=participant.pk)


def _delete_keys(participant: Participant) -> None:
    _keys_of(participant).delete()
    hash_keys_that_name(participant)


def _events_of(participant: Participant) -> "QuerySet[DomainEvent]":
    return DomainEvent.objects.filter(tenant_id=participant.tenant_id, participant_id=participant.pk)


def _delete_events(participant: Participant) -> None:
    _events_of(participant).delete()


def register_erasers() -> None:
    """Register the erasers of this package. Called when the apps are loaded."""
    irreversible_events.register("participant.updated", "The values before this change of the profile are not stored")
    irreversible_events.register("participant.anonymized", "Personal data that was erased cannot be restored")
    irreversible_events.register(
        "participant.deleted", "The participant was deleted, and deleted data cannot be restored"
    )
    keys = PersonalTable(
        IdempotencyKey,
        "Requests with an idempotency key, and their stored answers.",
        order=("operation", "key"),
        rows=_keys_of,
    )
    erasers.register(
        "idempotency keys", Eraser({"idempotency_keys": keys}, delete=_delete_keys, anonymize=_delete_keys)
    )
    events = PersonalTable(
        DomainEvent,
        "The outbox: domain events about the participant, delivered or not. `position` is null until the feed has the event.",
        order=("id",),
        rows=_events_of,
    )
    erasers.register(
        "domain events", Eraser({"domain_events": events}, delete=_delete_events, anonymize=_delete_events)
    )
