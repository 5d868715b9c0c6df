"""What an import would change, and what is wrong with it. Nothing is written."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from uuid import UUID

from rest_framework.serializers import Serializer

from gamify.facts.services import grant_key_problem, grant_kinds
from gamify_project.programme.faults import Fault, InvalidProgramme
from gamify_project.programme.items import Item, Key, Programme, StoredProgramme
from gamify_project.programme.references import Reference, Translation, grants_in, name_in_file, path_in_file
from participants.api.kinds import DefinitionKind, definition_kinds
from participants.engine import SHOWN_CHARACTERS, unknown_key_problem
from participants.errors import FieldError, field_errors
from participants.ids import new_id
from participants.models import Tenant

ADDED, CHANGED, ARCHIVED = "added", "changed", "archived"
NO_ID = str(UUID(int=0))  # used as the id of a missing definition, so that the rest of the body can be checked


@dataclass(frozen=True)
class Change:
    """One definition that an import adds, changes or archives.

    - `row` is the stored definition, or the unsaved one that is added. `fields` are fields of the model.
    - `before` and `after` are the differing fields, as the file has them.
    - `needs` are definitions that the same import adds and to which this one refers.
    - `affected` is the number of participants who have something of the definition; None if it was not counted.
    """

    action: str
    key: Key
    row: Any
    fields: Mapping[str, Any]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    needs: Sequence[Key] = ()
    affected: int | None = None

    @property
    def kind(self) -> DefinitionKind:
        return definition_kinds[self.key.noun]

    @property
    def name(self) -> str:
        return str(self.row)


@dataclass(frozen=True)
class Plan:
    """All changes of an import, the warnings about them, and the version of the catalog to which they apply."""

    tenant: Tenant
    version: int
    changes: Sequence[Change]
    warnings: Sequence[FieldError] = ()

    def of(self, action: str) -> list[Change]:
        return [change for change in self.changes if change.action == action]

    def only(self, keys: Collection[Key]) -> "Plan":
        """Return the plan with these changes only. Raises: InvalidProgramme if one needs a change that is left out."""
        chosen = [change for change in self.changes if change.key in keys]
        faults = [
            Fault(0, str(change.key), f"needs {needed}, which is new too; choose both")
            for change in chosen
            for needed in change.needs
            if needed not in keys
        ]
        if faults:
            raise InvalidProgramme(faults)
        return replace(self, changes=chosen)

    def counted(self) -> "Plan":
        """Return the plan with the numbers of affected participants. One query for each kind."""
        counts: dict[UUID, int] = {}
        for kind in definition_kinds.values():
            rows = [change.row for change in self.changes if change.kind is kind and change.action != ADDED]
            counts.update(kind.reach(self.tenant, rows) if rows else {})
        changes = [replace(change, affected=counts.get(change.row.pk, 0)) for change in self.changes]
        return replace(self, changes=changes)


def plan_import(tenant: Tenant, programme: Programme, *, prunes: bool) -> Plan:
    """Compare `programme` with the definitions of `tenant`. With `prunes`, those that it lacks are archived.

    Raises: InvalidProgramme with all faults of the programme.
    """
    return _Planner(StoredProgramme(tenant), programme).plan(prunes=prunes)


@dataclass
class _Draft:
    """An item that is valid by itself: the unsaved definition, its body, and what it refers to."""

    item: Item
    row: Any
    fields: Mapping[str, Any]
    body: Mapping[str, Any]
    references: Sequence[Reference]


@dataclass
class _Planner:
    stored: StoredProgramme
    programme: Programme
    warnings: list[FieldError] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)

    def plan(self, *, prunes: bool) -> Plan:
        drafts = {item.key: draft for item in self.programme.items if (draft := self._draft(item))}
        for reference in self.references:
            self._check_target(reference, drafts)
        changes = [*self._changes(drafts.values()), *(self._archived() if prunes else ())]
        self._check_together(changes, drafts)
        if self.programme.document.faults:
            raise InvalidProgramme(self.programme.document.faults)
        order = {noun: place for place, noun in enumerate(definition_kinds)}
        changes.sort(key=lambda change: (order[change.key.noun], change.key.identity, change.key.number))
        return Plan(self.stored.tenant, self.stored.version, changes, self.warnings)

    # --- one item

    @cached_property
    def _bodies(self) -> Mapping[str, Serializer[Any]]:
        """One unbound serializer for each kind."""
        return {kind.noun: kind.shared_body for kind in definition_kinds.values()}

    @cached_property
    def _ids(self) -> Mapping[Key, UUID]:
        """The ids of all definitions to which items may refer. Those of new definitions are chosen here."""
        new = {item.key: new_id() for item in self.programme.items}
        return {**new, **{key: row.pk for key, row in self.stored.rows.items()}}

    @cached_property
    def _codes(self) -> dict[tuple[str, str], str]:
        return {(key.noun, str(row_id)): key.identity for key, row_id in self._ids.items()}

    @cached_property
    def _listed(self) -> Collection[Key]:
        return {item.key for item in self.programme.items}

    def _draft(self, item: Item) -> _Draft | None:
        """Check an item by itself, apart from what it refers to. Return None if it is not valid."""
        kind, known = item.kind, len(self.programme.document.faults)
        self._check_keys(item)
        references: list[Reference] = []  # of this item
        sent = self._translation(item, references).translate(self._bodies[kind.noun], dict(item.body))
        self.references += references
        complete = {**self.stored.defaults[kind.noun], **sent}
        row = self.stored.rows.get(item.key)
        judged = kind.body(instance=row, data=complete) if row is not None else kind.body(data=complete)
        if not judged.is_valid():
            self._refuse_all(item, complete, field_errors(judged.errors))
        self._refuse_all(item, complete, self._grant_problems(kind, complete))
        if len(self.programme.document.faults) > known:
            return None
        return self._valid_draft(item, kind, row, kind.to_fields(judged.validated_data, row), references)

    def _valid_draft(
        self, item: Item, kind: DefinitionKind, row: Any, fields: Mapping[str, Any], references: Sequence[Reference]
    ) -> _Draft:
        if row is None:
            changed = kind.model(tenant=self.stored.tenant, id=self._ids[item.key], **fields)
        else:
            changed = _with_fields(row, fields)
        return _Draft(item, changed, fields, self._present(kind, changed), references)

    def _present(self, kind: DefinitionKind, row: Any) -> dict[str, Any]:
        return self.stored.present(kind, row, self._codes)

    def _check_keys(self, item: Item) -> None:
        known = [name_in_file(name, each) for name, each in self._bodies[item.key.noun].fields.items()]
        for name in item.body:
            if name not in known:
                problem = unknown_key_problem(name[:SHOWN_CHARACTERS], known)
                self.programme.document.refuse(f"{item.path}.{name}", problem)

    def _translation(self, item: Item, references: list[Reference]) -> Translation:
        def refer(found: Reference) -> Any:
            reference = replace(found, path=f"{item.path}.{found.path}")
            references.append(reference)
            if not isinstance(found.value, str):
                return NO_ID if found.to.is_by_id else found.value
            target = self._ids.get(Key(found.to.noun, found.value))
            return str(target or NO_ID) if found.to.is_by_id else found.value

        def refuse(path: str, message: str) -> None:
            self.programme.document.refuse(f"{item.path}.{path}", message)

        return Translation(is_from_file=True, refer=refer, refuse=refuse)

    def _grant_problems(self, kind: DefinitionKind, body: Mapping[str, Any]) -> Iterator[FieldError]:
        """What is wrong with grants, except for what they refer to."""
        for path, spec in grants_in(self._bodies[kind.noun], body):
            if problem := grant_key_problem(spec) or self._content_problem(spec):
                yield FieldError(".".join(filter(None, (path, problem.field))), problem.message)

    def _content_problem(self, spec: Mapping[str, Any]) -> FieldError | None:
        kind = grant_kinds[spec["type"]]
        references = [name for name, each in kind.fields.items() if each.is_reference]
        if not references:
            return kind.problem(self.stored.tenant, spec)
        return next((FieldError(name, "is required") for name in references if spec.get(name) is None), None)

    def _refuse_all(self, item: Item, body: Mapping[str, Any], problems: Iterator[FieldError]) -> None:
        for problem in problems:
            path = path_in_file(self._bodies[item.key.noun], body, problem.field)
            self.programme.document.refuse(".".join(filter(None, (item.path, path))), problem.message)

    # --- references

    def _check_target(self, reference: Reference, drafts: Mapping[Key, _Draft]) -> None:
        key = Key(reference.to.noun, str(reference.value))
        if key not in self._ids:
            message = f"refers to nothing: there is no {key.noun} “{key.identity[:SHOWN_CHARACTERS]}” in the file or in the tenant"
            self.programme.document.refuse(reference.path, message)
            return
        body, row = self._target(key, drafts)
        if body is None:
            return  # the target has faults of its own
        if problem := reference.to.problem(body):
            self.programme.document.refuse(reference.path, problem)
        elif not row.is_active:
            self.warnings.append(FieldError(reference.path, f"{key} is not in use"))

    def _target(self, key: Key, drafts: Mapping[Key, _Draft]) -> tuple[Mapping[str, Any] | None, Any]:
        if draft := drafts.get(key):
            return draft.body, draft.row
        row = self.stored.rows.get(key)
        return (
            None if key in self._listed or row is None else self.stored.present(definition_kinds[key.noun], row)
        ), row

    # --- definitions together

    def _check_together(self, changes: Sequence[Change], drafts: Mapping[Key, _Draft]) -> None:
        """Refuse the added and changed definitions that conflict with others, as they would all be after the import.

        Conflicts that are stored already are not refused, so that a tenant which has one can still import and roll back.
        """
        changed = {change.key: change for change in changes}
        for kind in definition_kinds.values():
            after = {key: row for key, row in self.stored.rows.items() if key.noun == kind.noun}
            after |= {
                key: _with_fields(each.row, each.fields) for key, each in changed.items() if key.noun == kind.noun
            }
            stored = kind.conflicts([row for key, row in self.stored.rows.items() if key.noun == kind.noun])
            conflicts = {pk: problem for pk, problem in kind.conflicts(after.values()).items() if pk not in stored}
            for key, row in after.items():
                if key in changed and key in drafts and row.pk in conflicts:
                    item = drafts[key].item
                    self._refuse_all(item, drafts[key].body, iter([conflicts[row.pk]]))

    # --- differences

    def _changes(self, drafts: Collection[_Draft]) -> Iterator[Change]:
        new = {draft.item.key for draft in drafts} - self.stored.rows.keys()
        for draft in drafts:
            row, kind = self.stored.rows.get(draft.item.key), draft.item.kind
            needs = sorted({Key(each.to.noun, str(each.value)) for each in draft.references} & new, key=str)
            if row is None:
                after = self.stored.shorten(kind, draft.body)
                yield Change(ADDED, draft.item.key, draft.row, draft.fields, {}, after, needs)
            elif change := self._change(CHANGED, draft.item.key, row, draft.row, draft.fields):
                yield replace(change, needs=needs)

    def _archived(self) -> Iterator[Change]:
        for key, row in self.stored.rows.items():
            fields = definition_kinds[key.noun].archived
            if key not in self._listed and (
                change := self._change(ARCHIVED, key, row, _with_fields(row, fields), fields)
            ):
                yield change

    def _change(self, action: str, key: Key, row: Any, changed: Any, fields: Mapping[str, Any]) -> Change | None:
        """Return the change from `row` to `changed`. None if a file would not show the difference."""
        kind = definition_kinds[key.noun]
        old, new = self.stored.present(kind, row), self._present(kind, changed)
        names = [name for name in new if old.get(name) != new[name]]
        differing = {name: value for name, value in fields.items() if getattr(row, name) != value}
        if not names:
            return None
        before, after = ({name: body.get(name) for name in names} for body in (old, new))
        return Change(action, key, row, differing, before, after)


def _with_fields(row: Any, fields: Mapping[str, Any]) -> Any:
    changed = copy(row)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed
