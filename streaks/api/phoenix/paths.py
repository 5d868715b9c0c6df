"""Path parameters of the Phoenix dialect."""

from uuid import UUID

from participants.engine import uuid_of
from participants.errors import InvalidInput


class MalformedDefinitionId(InvalidInput):
    def __init__(self) -> None:
        super().__init__("definition_id", "Must be a UUID.")


def definition_uuid(definition_id: str) -> UUID:
    """The id of a definition as a UUID.

    Raises: MalformedDefinitionId.
    """
    found = uuid_of(definition_id)
    if found is None:
        raise MalformedDefinitionId
    return found
