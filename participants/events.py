"""The domain events that may be emitted: a registry, so that a misspelt type fails in the first test that emits it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from participants.registries import Registry


@dataclass(frozen=True)
class EventType:
    """What one type of domain event means and which fields its `data` carries: name → what it holds.

    `optional` are those that are left out where there is nothing to say. `version` grows when a field is taken away or comes to
    mean something else; new fields may be added at any time. `confidential` fields let their reader use something up, such as a
    coupon code: receivers get them, and the console masks them. One that `takes_back` tells of something that is as if it had not happened: the outside hears it, definitions do not.
    """

    name: str
    meaning: str
    fields: Mapping[str, str]
    takes_back: bool = False
    version: int = 1
    optional: frozenset[str] = frozenset()
    confidential: frozenset[str] = frozenset()


event_types: Registry[EventType] = Registry("Domain event")

PARTICIPANT_ID = {"participant_id": "The participant's id."}


def register(
    name: str,
    meaning: str,
    fields: Mapping[str, str],
    *,
    takes_back: bool = False,
    is_about_participant: bool = True,
    optional: Collection[str] = (),
    confidential: Collection[str] = (),
) -> None:
    about = PARTICIPANT_ID if is_about_participant else {}
    event_type = EventType(
        name,
        meaning,
        about | dict(fields),
        takes_back,
        optional=frozenset(optional),
        confidential=frozenset(confidential),
    )
    event_types.register(name, event_type)


def unknown_fields(event_type: EventType, data: Mapping[str, Any]) -> set[str]:
    """Names in `data` that the registered type does not document."""
    return data.keys() - event_type.fields.keys()


def register_all() -> None:
    """This package's own events."""
    profile = {
        "display_name": "Name shown to people, or null.",
        "avatar_url": "Address of a picture, or null.",
        "attributes": "The tenant's own data about the participant.",
        "visible": "Whether they are shown on leaderboards.",
    }
    register("participant.created", "A participant was seen for the first time.", {})
    register("participant.updated", "Profile data changed.", profile)
    register("participant.anonymized", "Personal data was cleared; the id was replaced.", {})
    register("participant.deleted", "The participant and everything of theirs was erased.", {})
