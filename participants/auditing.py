"""Audits: checks that rows of different tables agree with each other. Each domain registers its own.

An audit only reads. It streams rows, one participant at a time where rows belong to participants, so that its memory does not grow
with the table. What it checks must hold in every committed state, so that every drift it finds is a fault.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import chain, groupby, islice, repeat
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from participants.engine import uuid_of
from participants.models import DomainEvent, Participant, Tenant
from participants.registries import Registry

T = TypeVar("T")
Row = tuple[Any, ...]

CHUNK = 2_000
PARTICIPANT_DELETED = "participant.deleted"


@dataclass(frozen=True)
class Drift:
    """One disagreement between rows. Example: about "participant ada", what "balance", expected 10, found 7.

    `expected` follows from other rows, `found` is what the row itself says. `audit` is the name of the audit that found it.
    """

    about: str
    what: str
    expected: Any
    found: Any
    audit: str = ""


ProgressReporter = Callable[[int], object]
"""Called with the number of rows read since the last call."""


@dataclass(frozen=True)
class Audit:
    """`size(tenant)` is the number of rows to read. `find(tenant, report_progress)` reads them and yields the drifts."""

    size: Callable[[Tenant], int]
    find: Callable[[Tenant, ProgressReporter], Iterator[Drift]]


audits: Registry[Audit] = Registry("Audit")


# --- rows, streamed -------------------------------------------------------------------------------------------------------


def stream_rows(rows: "QuerySet[Any, Any]", report_progress: ProgressReporter = lambda number: None) -> Iterator[Any]:
    """Yield all of `rows`, read in chunks of CHUNK, and report each chunk."""
    for chunk in chunks_of(rows.iterator(chunk_size=CHUNK)):
        report_progress(len(chunk))
        yield from chunk


def chunks_of(things: Iterable[T]) -> Iterator[Sequence[T]]:
    iterator = iter(things)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def group_by_participant(*streams: Iterable[Row]) -> Iterator[tuple[UUID, Iterator[tuple[int, Row]]]]:
    """Merge streams of rows by participant, and yield (participant id, its rows), one participant after the other.

    The first column of every row is the participant's id, and every stream must be sorted by it. Each row is yielded as (number of
    its stream, row), rows of the first stream first.
    """
    numbered = [zip(repeat(number), rows) for number, rows in enumerate(streams)]
    return groupby(merge(*numbered, key=lambda each: each[1][0].int), key=lambda each: each[1][0])


PARTICIPANTS = 0


def group_with_participants(
    tenant: Tenant, columns: Sequence[str], *streams: Iterable[Row], report_progress: ProgressReporter
) -> Iterator[tuple[UUID, Row | None, Iterator[tuple[int, Row]]]]:
    """Yield (participant id, `columns` of the participant, their rows of `streams`) for every participant.

    Streams are numbered from 1. The columns are None for rows whose participant does not exist.
    """
    participants = Participant.objects.of(tenant).order_by("pk").values_list("pk", *columns)
    for participant_id, rows in group_by_participant(stream_rows(participants, report_progress), *streams):
        number, first = next(rows)
        if number == PARTICIPANTS:
            yield participant_id, first[1:], rows
        else:
            yield participant_id, None, chain([(number, first)], rows)


def orphan_drift(participant_id: UUID, what: str, rows: Iterator[Any]) -> Drift:
    """Return the drift for `rows` of a participant who does not exist. `what` says what the rows are, such as "badges"."""
    return Drift(f"participant {participant_id}", f"{what} of no participant", 0, sum(1 for _ in rows))


def differences(about: str, expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Drift]:
    """Yield a drift for each name whose value in `found` is not the one in `expected`."""
    for what, value in expected.items():
        if found[what] != value:
            yield Drift(about, what, value, found[what])


def count_rows(*models: type[Model]) -> Callable[[Tenant], int]:
    """Return the `size` of an audit that reads all rows of a tenant in `models`."""
    return lambda tenant: sum(model._default_manager.filter(tenant_id=tenant.pk).count() for model in models)


# --- rows that refer to others --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mention:
    """What one row says about another: the row with id `row_id` has `values`, by column. `about` names the row that says so."""

    about: str
    row_id: Any
    values: Mapping[str, Any]


def check_mentions(
    tenant: Tenant, model: type[Model], mentions: Iterable[Mention], *, may_be_gone: bool = False
) -> Iterator[Drift]:
    """Compare mentions with the rows of `model` that they refer to, and yield a drift for each difference or missing row.

    All mentions must have the same columns. With `may_be_gone` a missing row is no drift. Takes one query for each chunk.
    """
    for chunk in chunks_of(mentions):
        ids = [_uuid(each.row_id) for each in chunk]
        known = _columns_of(tenant, model, [each for each in ids if each], columns=list(chunk[0].values))
        for mention, row_id in zip(chunk, ids, strict=True):
            row = known.get(row_id)
            if row is not None:
                yield from differences(mention.about, mention.values, row)
            elif not may_be_gone:
                yield Drift(mention.about, str(model._meta.verbose_name), mention.row_id, None)


def audit_of_events(model: type[Model], *, id_field: str, columns: Mapping[str, str], **types: Any) -> Audit:
    """Return an audit of domain events: each must name a row of `model` with the same participant and the same values.

    `id_field` is the field of the event that has the row's id. `columns` maps columns of the row to fields of the event. `types` filters
    the events, such as `type__startswith="points."`. The reverse is not checked, because imports of history emit no events.
    """

    def events(tenant: Tenant) -> QuerySet[DomainEvent]:
        return DomainEvent.objects.filter(tenant_id=tenant.pk, **types)

    def mentions(tenant: Tenant, report_progress: ProgressReporter) -> Iterator[Mention]:
        rows = events(tenant).values_list("id", "type", "participant_id", "data")
        for event_id, kind, participant_id, data in stream_rows(rows, report_progress):
            values = {column: data.get(field) for column, field in columns.items()}
            yield Mention(f"event {kind} {event_id}", data.get(id_field), {"participant_id": participant_id, **values})

    return Audit(
        lambda tenant: events(tenant).count(),
        lambda tenant, report_progress: check_mentions(tenant, model, mentions(tenant, report_progress)),
    )


def _uuid(row_id: Any) -> UUID | None:
    return row_id if isinstance(row_id, UUID) else uuid_of(str(row_id))


def _columns_of(
    tenant: Tenant, model: type[Model], ids: Sequence[UUID], *, columns: Sequence[str]
) -> Mapping[UUID | None, Mapping[str, Any]]:
    rows = model._default_manager.filter(tenant_id=tenant.pk, pk__in=ids).values("pk", *columns)
    return {row["pk"]: row for row in rows}


def has_erased_participants(tenant: Tenant) -> bool:
    """Whether a participant was ever erased. Shared rows, such as stock, then count more than the rows of participants show."""
    return DomainEvent.objects.filter(tenant_id=tenant.pk, type=PARTICIPANT_DELETED).exists()
