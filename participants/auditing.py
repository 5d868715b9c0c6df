"""Audits: what rows must say of each other, whatever has happened. Each domain registers its own.

An audit only reads, rows as they come, a participant at a time where the rows are theirs: its memory does not grow with the
table. What holds while the product runs must hold in every state that is committed, so that whatever it finds is a fault.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import groupby, islice
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from participants.engine import uuid_of
from participants.models import DomainEvent, Participant, Tenant
from participants.registries import Registry

T = TypeVar("T")
Row = tuple[Any, ...]

CHUNK = 2_000
GONE = "participant.deleted"


@dataclass(frozen=True)
class Drift:
    """Two rows that do not agree: `what` of `about`, such as the balance of a participant, what the other rows make of it and what
    it says. `audit` is the name of the audit that found it.
    """

    about: str
    what: str
    expected: Any
    found: Any
    audit: str = ""


ProgressReporter = Callable[[int], object]
"""Told how many more rows were looked at."""


@dataclass(frozen=True)
class Audit:
    """`size(tenant)` is how many rows it will look at; `find(tenant, seen)` looks at them and tells `seen` of each chunk."""

    size: Callable[[Tenant], int]
    find: Callable[[Tenant, ProgressReporter], Iterator[Drift]]


audits: Registry[Audit] = Registry("Audit")


# --- rows, never many at once --------------------------------------------------------------------------------------------


def stream_rows(rows: "QuerySet[Any, Any]", report_progress: ProgressReporter) -> Iterator[Any]:
    """All of `rows`, read chunk by chunk."""
    for chunk in chunks_of(rows.iterator(chunk_size=CHUNK)):
        report_progress(len(chunk))
        yield from chunk


def chunks_of(things: Iterable[T]) -> Iterator[Sequence[T]]:
    iterator = iter(things)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def group_by_participant(*streams: Iterable[Row]) -> Iterator[tuple[UUID, Iterator[tuple[int, Row]]]]:
    """Rows of several tables that each come in the order of their first column, the participant: together, for one participant
    after the other. Each row comes with the number of its stream, those of the first stream first.
    """
    numbered = [_numbered(number, rows) for number, rows in enumerate(streams)]
    return groupby(merge(*numbered, key=_order), key=_owner)


def _numbered(number: int, rows: Iterable[Row]) -> Iterator[tuple[int, Row]]:
    return ((number, row) for row in rows)


def _order(numbered: tuple[int, Row]) -> int:
    owner: int = numbered[1][0].int
    return owner


def _owner(numbered: tuple[int, Row]) -> Any:
    return numbered[1][0]


PEOPLE = 0


def group_with_participants(
    tenant: Tenant, columns: Sequence[str], *streams: Iterable[Row], report_progress: ProgressReporter
) -> Iterator[tuple[UUID, Row | None, Iterator[tuple[int, Row]]]]:
    """Of every participant these columns and their rows of the streams, which are numbered from 1; None instead of the columns
    where rows belong to nobody.
    """
    people = Participant.objects.of(tenant).order_by("pk").values_list("pk", *columns)
    for participant_id, rows in group_by_participant(stream_rows(people, report_progress), *streams):
        number, first = next(rows)
        if number == PEOPLE:
            yield participant_id, first[1:], rows
        else:
            yield participant_id, None, _begun(number, first, rows)


def _begun(number: int, first: Row, rows: Iterator[tuple[int, Row]]) -> Iterator[tuple[int, Row]]:
    yield number, first
    yield from rows


def orphan_drift(participant_id: UUID, what: str, rows: Iterator[Any]) -> Drift:
    """`rows`, called `what`, of a participant who does not exist."""
    return Drift(f"participant {participant_id}", f"{what} of nobody", 0, sum(1 for _ in rows))


def differences(about: str, expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Drift]:
    """A drift for each name of `expected` under which something else was found."""
    for what, value in expected.items():
        if found[what] != value:
            yield Drift(about, what, value, found[what])


# --- rows that name others -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mention:
    """One row says of another, which it names by id, that these columns hold these values."""

    about: str
    row_id: Any
    values: Mapping[str, Any]


def check_mentions(
    tenant: Tenant, model: type[Model], mentions: Iterable[Mention], *, may_be_gone: bool = False
) -> Iterator[Drift]:
    """What rows of `model` do not say themselves; all mentions tell the same columns. One question for each chunk of them."""
    for chunk in chunks_of(mentions):
        ids = [_id(each.row_id) for each in chunk]
        known = _columns_of(tenant, model, [each for each in ids if each], columns=list(chunk[0].values))
        for mention, row_id in zip(chunk, ids, strict=True):
            row = known.get(row_id)
            if row is not None:
                yield from differences(mention.about, mention.values, row)
            elif not may_be_gone:
                yield Drift(mention.about, str(model._meta.verbose_name), mention.row_id, None)


def _id(named: Any) -> UUID | None:
    return named if isinstance(named, UUID) else uuid_of(str(named))


def _columns_of(
    tenant: Tenant, model: type[Model], ids: Sequence[UUID], *, columns: Sequence[str]
) -> Mapping[UUID | None, Mapping[str, Any]]:
    rows = model._default_manager.filter(tenant_id=tenant.pk, pk__in=ids).values("pk", *columns)
    return {row["pk"]: row for row in rows}


def has_erased_participants(tenant: Tenant) -> bool:
    """Whether anybody was ever erased: what is shared, such as stock, then remembers more than participants' rows do."""
    return DomainEvent.objects.filter(tenant_id=tenant.pk, type=GONE).exists()
