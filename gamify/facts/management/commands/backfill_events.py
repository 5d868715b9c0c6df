from collections.abc import Mapping, Sequence
from typing import Any

from gamify.facts.engine.events import EventInput, name_problem
from gamify.facts.services import record_history
from participants.engine import MAX_KEY, NestedTooDeep, json_problems, object_problem
from participants.errors import DomainError, InvalidInput
from participants.management.imports import (
    Batch,
    Columns,
    ImportCommand,
    ItemResult,
    decode_object,
    instant_in,
    text_in,
)

Fields = Mapping[str, Any]


class Command(ImportCommand[EventInput]):
    help = (
        "Record past events from a file with the columns participant_id, event_name and timestamp and, optionally, properties (an "
        "object; in CSV its JSON) and idempotency_key. The events are processed in the order in which they happened, and definitions "
        "react to them. The command can be resumed, and can be run twice."
    )
    columns = Columns(
        ("participant_id", "event_name", "timestamp"),
        optional=("properties", "idempotency_key"),
        ids=("participant_id", "idempotency_key"),
    )
    needs_order = True

    def sort_key(self, fields: Fields) -> float:
        """Sort lines by time. A line without a valid time will be refused, so its place does not matter."""
        try:
            return instant_in(fields, "timestamp").timestamp()
        except DomainError:
            return 0.0

    def item(self, fields: Fields) -> EventInput:
        return EventInput(
            participant_id=text_in(fields, "participant_id"),
            name=_name_in(fields),
            at=instant_in(fields, "timestamp"),
            properties=_properties_in(fields),
            idempotency_key=_key_in(fields),
        )

    def write_batch(self, batch: Batch[EventInput]) -> Sequence[ItemResult]:
        return record_history(
            tenant=batch.tenant,
            events=batch.items,
            now=batch.now,
            is_silent=batch.is_silent,
            is_dry_run=batch.is_dry_run,
            then=batch.before_end,
        )


def _name_in(fields: Fields) -> str:
    name = text_in(fields, "event_name").strip()
    if problem := name_problem(name):
        raise InvalidInput("event_name", problem)
    return name


def _key_in(fields: Fields) -> str | None:
    value = fields.get("idempotency_key")
    if value is None or value == "":
        return None
    key = text_in(fields, "idempotency_key")
    if found := next(json_problems(key), None):
        raise InvalidInput("idempotency_key", found.message)
    if len(key) > MAX_KEY:
        raise InvalidInput("idempotency_key", f"Must be 1 to {MAX_KEY} characters long.")
    return key


def _properties_in(fields: Fields) -> Mapping[str, Any]:
    value = fields.get("properties")
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        value, problem = decode_object(value)
        if problem is not None:
            raise InvalidInput("properties", f"Must be a JSON object; this text {problem}.")
    if not isinstance(value, dict):
        raise InvalidInput("properties", "Must be a JSON object.")
    if problem := _problem(value):
        raise InvalidInput("properties", problem)
    return value


def _problem(value: Mapping[str, Any]) -> str | None:
    try:
        found = next(json_problems(value), None)
    except NestedTooDeep as error:
        return str(error)
    return object_problem(value) if found is None else f"{found.field}: {found.message}"
