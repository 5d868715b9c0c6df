"""Counting rows and domain events per day, for the sources of figures."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import Count, F, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform

from participants.figures.days import DaySpan
from participants.figures.registry import Measurement
from participants.models import DomainEvent


def count_events(
    span: DaySpan, figure_of: Mapping[str, str], *, by: str | Combinable | None = None
) -> Iterator[Measurement]:
    """Count domain events per day. `figure_of` names the figure of each type; `by` is the field of the event, or the expression, whose
    value is the dimension.
    """
    events = DomainEvent.objects.filter(span.has("occurred_at"), tenant_id=span.tenant.pk, type__in=list(figure_of))
    part = KeyTextTransform(by, "data") if isinstance(by, str) else by
    for type_name, day, dimension, number in count_rows(span, events, "occurred_at", "type", by=part):
        yield Measurement(figure_of[type_name], day, number, dimension)


def count_rows(
    span: DaySpan, rows: "QuerySet[Any]", column: str, *groups: str, by: str | Combinable | None = None
) -> Iterable[tuple[Any, ...]]:
    """Return (value of each of `groups`, day, dimension, number of rows) for the rows of a span."""
    part = F(by) if isinstance(by, str) else by
    columns = {"day_": span.day_of(column), **({} if part is None else {"part_": part})}
    counted = rows.order_by().values(*groups, **columns).annotate(number_=Count("pk"))
    for row in counted:
        yield *(row[group] for group in groups), row["day_"], str(row.get("part_") or ""), row["number_"]
