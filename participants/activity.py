"""Activity: what an actor did, newest first, from the rows that name their actors.

Every change of a participant emits a domain event, so most activity is read from domain events. They expire, and imports emit none.
So a domain can register a permanent table as a further source. Domain events that repeat its rows are then left out. A table that has
less to say than the domain events can take their place once these have expired.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from participants.events import event_retention, event_types
from participants.ids import first_id_at
from participants.models import DomainEvent, Participant, Tenant
from participants.registries import Registry
from participants.selectors import written_between, wrote


@dataclass(frozen=True)
class ActivitySource:
    """A permanent table of one domain.

    - `rows(tenant)`: its rows. They are `Attributed`, and their ids are ordered by time.
    - `types`: the types of domain events that repeat these rows, and are left out.
    - `is_late`: the rows are listed only when their domain events have expired, and only for one participant, whose rows an index
      finds. Until then the domain events are listed.
    - `describe(row)`: the type and the details of a row.
    """

    rows: Callable[[Tenant], QuerySet[Any]]
    types: frozenset[str]
    describe: Callable[[Any], tuple[str, Mapping[str, Any]]]
    is_late: bool = False


activity_sources: Registry[ActivitySource] = Registry("Activity source")


@dataclass(frozen=True)
class Activity:
    """One thing that was written. `id` orders all of them by time.

    `participant_id` is the client's id. `participant_pk` is ours; it is None if the participant does not exist any more.
    """

    id: UUID
    actor_json: Mapping[str, str] | None
    request_id: str | None
    participant_id: str | None
    participant_pk: UUID | None
    type: str
    data: Mapping[str, Any]

    @property
    def at(self) -> datetime:
        """When it was written: the time in its UUIDv7."""
        return datetime.fromtimestamp((self.id.int >> 80) / 1000, tz=UTC)


@dataclass(frozen=True)
class ActivityFilter:
    """Which activity is wanted; None: all.

    - `actor` is `kind:id`, an id or a kind.
    - `since` is included, `until` is not.
    - `before` is the id of the last item of the page before.
    - `participant_pk` is our id of the participant, `external_id` the client's.
    - `types` are names of domain events. A permanent table is listed as a whole if one of them repeats its rows.
    """

    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    external_id: str | None = None
    before: UUID | None = None
    participant_pk: UUID | None = None
    types: frozenset[str] | None = None


def activity_page(
    tenant: Tenant, wanted: ActivityFilter, *, limit: int, now: datetime
) -> tuple[Sequence[Activity], UUID | None]:
    """Return up to `limit` items, newest first, and the cursor of the next page, None after the last one."""
    condition = _condition(tenant, wanted)
    if condition is None:
        return (), None
    rows: list[tuple[ActivitySource, Any]] = []
    for source in _sources(wanted, first_id_at(now - event_retention())):
        rows = _newest([*rows, *_rows(source, tenant, condition, rows, limit + 1)], limit + 1)
    items = _items(tenant, rows[:limit])
    return items, items[-1].id if len(rows) > limit else None


def _sources(wanted: ActivityFilter, horizon: UUID) -> Iterator[ActivitySource]:
    """Yield the permanent tables that list some of the wanted types, and then the domain events of the types.

    `horizon` is the lowest id of a domain event that has not expired.
    """
    is_of_one = wanted.participant_pk is not None or wanted.external_id is not None
    for source in activity_sources.values():
        if (wanted.types is None or wanted.types & source.types) and (is_of_one or not source.is_late):
            yield _before(source, horizon) if source.is_late else source
    late = _types_of(is_late=True) if is_of_one else frozenset()
    yield replace(
        _DOMAIN_EVENTS,
        rows=lambda tenant: _events_of(tenant, wanted.types).exclude(type__in=late, pk__lt=horizon),
    )


def _before(source: ActivitySource, horizon: UUID) -> ActivitySource:
    return replace(source, rows=lambda tenant: source.rows(tenant).filter(pk__lt=horizon))


def _types_of(*, is_late: bool) -> frozenset[str]:
    return frozenset[str]().union(*(each.types for each in activity_sources.values() if each.is_late == is_late))


def _condition(tenant: Tenant, wanted: ActivityFilter) -> Q | None:
    """Return the condition for rows of all sources; None if no row can meet it, because there is no such participant."""
    condition = wrote(wanted.actor) & written_between(wanted.since, wanted.until, wanted.before)
    if wanted.participant_pk is not None:
        condition &= Q(participant_id=wanted.participant_pk)
    if wanted.external_id is None:
        return condition
    participant = Participant.objects.of(tenant).filter(external_id=wanted.external_id).values_list("pk", flat=True)
    found = participant.first()
    return None if found is None else condition & Q(participant_id=found)


def _rows(
    source: ActivitySource, tenant: Tenant, condition: Q, known: Sequence[tuple[ActivitySource, Any]], most: int
) -> Iterable[tuple[ActivitySource, Any]]:
    """Yield the newest rows of a source. Rows that are older than `most` known ones are not read.

    So the domain events that repeat rows of other sources, which are most of them, are only passed over as far as this page reaches.
    """
    if len(known) >= most:
        condition &= Q(pk__gt=known[-1][1].pk)
    return ((source, row) for row in source.rows(tenant).filter(condition).order_by("-pk")[:most])


def _newest(rows: Sequence[tuple[ActivitySource, Any]], most: int) -> list[tuple[ActivitySource, Any]]:
    return sorted(rows, key=lambda pair: pair[1].pk, reverse=True)[:most]


def _items(tenant: Tenant, rows: Sequence[tuple[ActivitySource, Any]]) -> Sequence[Activity]:
    ids = {row.participant_id for _, row in rows if row.participant_id is not None}
    names = dict(Participant.objects.of(tenant).filter(pk__in=ids).values_list("pk", "external_id"))
    return [_item(source, row, names) for source, row in rows]


def _item(source: ActivitySource, row: Any, names: Mapping[UUID, str]) -> Activity:
    type_name, data = source.describe(row)
    external_id = names.get(row.participant_id, data.get("participant_id"))
    pk = row.participant_id if row.participant_id in names else None
    details = {name: value for name, value in data.items() if name != "participant_id"}
    return Activity(row.pk, row.actor_json, row.request_id, external_id, pk, type_name, details)


# --- domain events ----------------------------------------------------------------------------------------------------


def _events_of(tenant: Tenant, types: frozenset[str] | None = None) -> "QuerySet[DomainEvent]":
    repeated = _types_of(is_late=False)
    events = DomainEvent.objects.filter(tenant_id=tenant.pk)
    return events.exclude(type__in=repeated) if types is None else events.filter(type__in=types - repeated)


def _describe_event(event: DomainEvent) -> tuple[str, Mapping[str, Any]]:
    """Return the data without confidential fields, such as coupon codes."""
    fields = event_types[event.type].fields if event.type in event_types else {}
    hidden = {name for name, field in fields.items() if field.confidential}
    return event.type, {name: value for name, value in event.data.items() if name not in hidden}


_DOMAIN_EVENTS = ActivitySource(rows=_events_of, types=frozenset(), describe=_describe_event)
