"""The registry of domain events: each type with its fields. A misspelt type or field fails in the first test that emits it.

The registry is the only declaration of an event. The OpenAPI document, webhooks, rules and the console are derived from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings

from participants.registries import Registry


def event_retention() -> timedelta:
    """How long domain events are stored."""
    return timedelta(days=settings.EVENT_RETENTION_DAYS)


@dataclass(frozen=True)
class FieldKind:
    """What a field holds: its JSON schema, and an example of a value."""

    schema: Mapping[str, Any]
    example: Any


TEXT = FieldKind({"type": "string"}, "…")
PARTICIPANT = FieldKind({"type": "string"}, "user_123")
UUID = FieldKind({"type": "string", "format": "uuid"}, "01a20032-4f0a-7b6e-9d2f-6a1c0e8b7d95")
INSTANT = FieldKind({"type": "string", "format": "date-time"}, "2026-02-14T10:00:00Z")
INTEGER = FieldKind({"type": "integer"}, 7)
NUMBER = FieldKind({"type": "number"}, 1.5)
BOOLEAN = FieldKind({"type": "boolean"}, example=True)
OBJECT = FieldKind({"type": "object"}, {})
TIER = FieldKind({"type": "object"}, {"code": "gold", "name": "Gold", "level": 3})
CODES = FieldKind({"type": "array", "items": {"type": "string"}}, ["first_steps"])
GRANTS = FieldKind({"type": "array", "items": {"type": "object"}}, [{"type": "points", "amount": 10}])


@dataclass(frozen=True)
class EventField:
    """One field of an event's `data`: what it holds, and what that means (one sentence).

    A `nullable` field may be null. An `optional` field may be missing. A `confidential` field lets its reader use something up, such as
    a coupon code: receivers of the event get it, and the console masks it.
    """

    kind: FieldKind
    about: str
    nullable: bool = False
    optional: bool = False
    confidential: bool = False


@dataclass(frozen=True)
class EventType:
    """One type of domain event.

    `version` grows when a field is removed or changes its meaning; new fields may be added at any time. An event with
    `is_reversal` reports that something was undone. One with `is_report` reports what a client said about events and participants.
    Both are published, but definitions do not react to them.
    """

    name: str
    meaning: str
    fields: Mapping[str, EventField]
    is_reversal: bool = False
    is_report: bool = False
    version: int = 1

    @property
    def is_about_participant(self) -> bool:
        return PARTICIPANT_ID.keys() <= self.fields.keys()


event_types: Registry[EventType] = Registry("Domain event")

PARTICIPANT_ID = {"participant_id": EventField(PARTICIPANT, "The participant's id.")}


def register(
    name: str,
    meaning: str,
    fields: Mapping[str, EventField],
    *,
    is_reversal: bool = False,
    is_report: bool = False,
    is_about_participant: bool = True,
) -> None:
    """Register a type of event. An event about a participant also carries `participant_id`."""
    about = PARTICIPANT_ID if is_about_participant else {}
    event_types.register(name, EventType(name, meaning, about | dict(fields), is_reversal, is_report))


def register_all() -> None:
    """Register this package's own events."""
    profile = {
        "display_name": EventField(TEXT, "Name shown to people, or null.", nullable=True),
        "avatar_url": EventField(TEXT, "Address of a picture, or null.", nullable=True),
        "attributes": EventField(OBJECT, "The tenant's own data about the participant."),
        "visible": EventField(BOOLEAN, "Whether they are shown on leaderboards."),
    }
    register("participant.created", "A participant was seen for the first time.", {}, is_report=True)
    register("participant.updated", "Profile data changed.", profile, is_report=True)
    register("participant.anonymized", "Personal data was cleared; the id was replaced.", {}, is_report=True)
    register("participant.deleted", "The participant was erased with all their data.", {}, is_report=True)
