"""Reads a programme file: finds its definitions, and checks what can be said without a tenant."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from gamify_project.programme.faults import Fault, InvalidProgramme
from gamify_project.programme.items import FORMAT, Item, Key, Programme
from gamify_project.programme.yaml import Document, read_yaml
from participants.api.kinds import DefinitionKind, definition_kinds
from participants.engine import SHOWN_CHARACTERS, unknown_key_problem

VERSION = "version"


def read_programme(data: bytes) -> Programme:
    """Read a file of at most 1 MiB. Faults are collected in its document; planning adds further ones, and refuses the file.

    Raises: InvalidProgramme if the file is too large or cannot be read at all.
    """
    if len(data) > settings.MAX_BODY_BYTES:
        raise InvalidProgramme([Fault(0, "", f"is larger than {settings.MAX_BODY_BYTES:,} bytes")])
    return _programme_in(read_yaml(data))


def read_stored_programme(text: str) -> Programme:
    """Read a programme that the product has stored, whatever its size."""
    return _programme_in(read_yaml(text.encode()))


def _programme_in(document: Document) -> Programme:
    if not isinstance(document.content, dict):
        raise InvalidProgramme([Fault(1, "", f"must be a programme, which begins with “{VERSION}: {FORMAT}”")])
    return Programme(list(_items(document)), document)


def _items(document: Document) -> Iterator[Item]:
    kinds = {kind.plural: kind for kind in definition_kinds.values()}
    if document.content.get(VERSION) != FORMAT:
        document.refuse(VERSION, f"must be {FORMAT}")
    for name, listed in document.content.items():
        if name in kinds:
            yield from _items_of(kinds[name], listed, document)
        elif name != VERSION:
            document.refuse(name, unknown_key_problem(name[:SHOWN_CHARACTERS], [VERSION, *kinds]))


def _items_of(kind: DefinitionKind, listed: Any, document: Document) -> Iterator[Item]:
    if not isinstance(listed, list):
        document.refuse(kind.plural, "must be a list")
        return
    counts: dict[str, int] = {}
    for index, body in enumerate(listed):
        path = f"{kind.plural}.{index}"
        identity: Any = body.get(kind.identity) if isinstance(body, dict) else None
        if not isinstance(body, dict):
            document.refuse(path, "must be an object")
        elif problem := _identity_problem(identity):
            document.refuse(f"{path}.{kind.identity}", problem)
        else:
            counts[identity] = counts.get(identity, 0) + 1
            if counts[identity] > 1 and kind.is_identity_unique:
                document.refuse(f"{path}.{kind.identity}", f"{identity[:SHOWN_CHARACTERS]} is given twice")
            yield Item(Key(kind.noun, identity, counts[identity]), body, path)


def _identity_problem(identity: Any) -> str | None:
    if identity is None or identity == "":
        return "is required"
    if not isinstance(identity, str):
        return "must be a text; put it in quotes"
    return None if identity == identity.strip() else "must not begin or end with spaces"
