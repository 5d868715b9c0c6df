"""Definitions as programme files have them: bodies without ids, secrets and stock, which refer to each other by code."""

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from gamify_project.programme.references import Reference, Translation
from gamify_project.programme.yaml import Document, write_yaml
from participants.api.kinds import DefinitionKind, definition_kinds
from participants.engine import instant_text, plain_number
from participants.models import Tenant
from participants.work import reading

FORMAT = 1  # of the file, as its `version`
FIRST = ("name", "description")  # fields that stand after the identity


@dataclass(frozen=True)
class Key:
    """What identifies a definition within its tenant. `number` counts definitions with the same identity, as webhooks may have."""

    noun: str
    identity: str
    number: int = 1

    def __str__(self) -> str:
        return f"{self.noun} {self.identity}" + (f" ({self.number})" if self.number > 1 else "")


@dataclass(frozen=True)
class Item:
    """A definition in a programme. `body` may lack fields that have a default. `path` is its place in the file."""

    key: Key
    body: Mapping[str, Any]
    path: str

    @property
    def kind(self) -> DefinitionKind:
        return definition_kinds[self.key.noun]


@dataclass
class Programme:
    """All definitions of a file or of a tenant. `document` knows lines, and collects faults."""

    items: Sequence[Item]
    document: Document = field(default_factory=Document)


class StoredProgramme:
    """All definitions of a tenant as they are stored. `version` is the version of its catalog when they were read, or an older one."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = Tenant.objects.get(pk=tenant.pk)
        self.version = self.tenant.catalog_version  # read first: if a definition changes after this, an import notices
        with reading(self.tenant):
            self.rows = {key: row for kind in definition_kinds.values() for key, row in _numbered(kind, self.tenant)}
        self._codes = {(key.noun, str(row.pk)): key.identity for key, row in self.rows.items()}
        self.defaults = {kind.noun: plain(kind.defaults(self.tenant)) for kind in definition_kinds.values()}

    def items(self) -> list[Item]:
        """Return all definitions, sorted by kind and identity. Fields that have their default are left out."""
        places = dict.fromkeys(definition_kinds, 0)
        found = []
        for key, row in self.rows.items():
            kind = definition_kinds[key.noun]
            found.append(Item(key, self.shorten(kind, self.present(kind, row)), f"{kind.plural}.{places[key.noun]}"))
            places[key.noun] += 1
        return found

    def present(
        self, kind: DefinitionKind, row: Any, codes: dict[tuple[str, str], str] | None = None
    ) -> dict[str, Any]:
        """Return all fields of a definition as the file has them. `codes` are those of definitions that are not stored yet."""
        known = ChainMap(self._codes, codes or {})

        def code_for(reference: Reference) -> Any:
            is_by_id = reference.to.is_by_id
            return (
                known.get((reference.to.noun, str(reference.value)), reference.value) if is_by_id else reference.value
            )

        translated = Translation(is_from_file=False, refer=code_for).translate(
            kind.shared_body, plain(kind.body_of(row))
        )
        order = [kind.identity, *FIRST, *translated]
        return {name: translated[name] for name in dict.fromkeys(order) if name in translated}

    def shorten(self, kind: DefinitionKind, body: Mapping[str, Any]) -> dict[str, Any]:
        """Leave out the fields that have their default in every tenant."""
        own, defaults = kind.tenant_defaults(self.tenant), self.defaults[kind.noun]
        is_default = {name for name, value in body.items() if name in defaults and defaults[name] == value}
        return {name: value for name, value in body.items() if name in own or name not in is_default}


def _numbered(kind: DefinitionKind, tenant: Tenant) -> Iterator[tuple[Key, Any]]:
    counts: dict[str, int] = {}
    rows = kind.model._default_manager.filter(tenant_id=tenant.pk)
    for row in sorted(rows, key=lambda row: (getattr(row, kind.identity), row.pk)):  # databases sort texts differently
        identity = getattr(row, kind.identity)
        counts[identity] = counts.get(identity, 0) + 1
        yield Key(kind.noun, identity, counts[identity]), row


def programme_text(tenant: Tenant) -> str:
    """Return the programme of `tenant` as YAML. The same definitions always give the same text."""
    content: dict[str, Any] = {"version": FORMAT}
    for item in StoredProgramme(tenant).items():
        content.setdefault(item.kind.plural, []).append(item.body)
    return write_yaml(content)


def plain(value: Any) -> Any:
    """Return `value` with JSON types only, and with sorted keys: databases return the keys of an object in different orders."""
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, datetime):
        return instant_text(value)
    return str(value) if isinstance(value, str | UUID) else value
