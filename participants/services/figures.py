"""Computes the daily figures of a tenant and stores them (docs/decisions/0033).

Reading and writing are separate: a snapshot measures all figures of a span of days, then one transaction replaces the numbers of these
days. So computing twice, late, or in two workers at once gives the same numbers.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from time import monotonic

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from participants.figures import DAY, DaySpan, FigureSource, Measurement, figure_sources, today_of
from participants.models import DailyFigure, FigureRun, Tenant
from participants.work.reading import reading
from participants.work.snapshots import snapshot

LATE = DAY
"""A day is final this long after its end. Events that are reported later are counted by `rebuild` only."""
FIRST_DAYS = 60
"""How many days the first computation of a tenant reaches back: those that the overview shows."""
STEP_DAYS = 7
REBUILD_DAYS = 31
KEPT_DAYS = 400
MAX_DIMENSIONS = 100
"""How many parts of one figure are stored for one day: those with the highest values. The number of the day contains them all."""
PAUSE_SWEEPS = 5
"""After a computation, a tenant waits for at least so many sweeps …"""
DUTY = 20
"""… and at least so many times as long as the computation took. So one tenant uses at most 5 % of a worker."""

Values = Mapping[tuple[str, date], Mapping[str, int]]
"""The values by figure and day, and there by dimension; the empty one is the number of the day."""


def tenants_with_due_figures(*, now: datetime) -> "QuerySet[Tenant]":
    """Return the tenants to compute, longest waiting first."""
    waiting = Q(figure_run=None) | Q(figure_run__due_at=None) | Q(figure_run__due_at__lte=now)
    return Tenant.objects.filter(waiting).order_by("figure_run__due_at", "pk")


def compute_in_steps(*, tenant: Tenant, now: datetime) -> Iterator[int]:
    """Generator: compute all days that are not final, a few days per step, and yield the number of days after each step.

    A caller may stop early; the next call continues with the first day that is not final.
    """
    began = monotonic()
    for span in _open_spans(tenant, _run_of(tenant), now):
        _compute(span)
        yield (span.last - span.first).days + 1
    pause = max(
        timedelta(seconds=PAUSE_SWEEPS * settings.SWEEP_SECONDS), timedelta(seconds=DUTY * (monotonic() - began))
    )
    FigureRun.objects.filter(tenant=tenant).update(due_at=now + pause)


def rebuild(*, tenant: Tenant, since: date, now: datetime) -> Iterator[int]:
    """Generator: compute all days from `since` to today again, and yield the number of days after each step.

    It also finds rows that were written long after their day, as an import of history writes them.
    """
    with reading(tenant):
        _run_of(tenant)
    for first, last in _steps(since, today_of(tenant, now), REBUILD_DAYS):
        with reading(tenant):
            _compute(DaySpan(tenant, first, last, now))
        yield (last - first).days + 1


def record_present(*, tenant: Tenant, now: datetime) -> None:
    """Store the figures that only the present state knows. The demo calls it while it replays its history."""
    today = today_of(tenant, now)
    span = DaySpan(tenant, today, today, now)
    momentary = [source for source in figure_sources.values() if source.is_momentary]
    with reading(tenant):
        _run_of(tenant)
        _store(span, _measure(span, momentary))


def _run_of(tenant: Tenant) -> FigureRun:
    return FigureRun.objects.get_or_create(tenant=tenant)[0]


def _open_spans(tenant: Tenant, run: FigureRun, now: datetime) -> Iterator[DaySpan]:
    today = today_of(tenant, now)
    first = max(today_of(tenant, tenant.created_at), today - FIRST_DAYS * DAY)
    if run.final_through is not None:
        first = max(first, run.final_through + DAY)
    for first_, last in _steps(min(first, today), today, STEP_DAYS):
        span = DaySpan(tenant, first_, last, now)
        yield replace(span, written_before=None if last == today else span.ends_at + LATE)


def _steps(first: date, last: date, days: int) -> Iterator[tuple[date, date]]:
    while first <= last:
        yield first, min(last, first + (days - 1) * DAY)
        first += days * DAY


# --- measuring --------------------------------------------------------------------------------------------------------


def _compute(span: DaySpan) -> None:
    with snapshot(span.tenant):
        values = _measure(span, figure_sources.values())
    _store(span, values)


def _measure(span: DaySpan, sources: Iterable[FigureSource]) -> Values:
    values: dict[tuple[str, date], Mapping[str, int]] = {}
    for source in sources:
        if (known := _known_days(source, span)) is not None:
            values |= _with_totals(source, known, source.measure(known))
    return values


def _known_days(source: FigureSource, span: DaySpan) -> DaySpan | None:
    """Return the days of the span that the source can measure; None if there are none."""
    if source.is_momentary:
        return span.since(today_of(span.tenant, span.now)) if span.includes_today else None
    if source.horizon is None:
        return span
    return span.since(today_of(span.tenant, span.now - source.horizon()) + DAY)


def _with_totals(source: FigureSource, span: DaySpan, measured: Iterable[Measurement]) -> Values:
    parts: dict[tuple[str, date], dict[str, int]] = defaultdict(dict)
    for figure, day, value, dimension in measured:
        parts[figure, day][dimension] = parts[figure, day].get(dimension, 0) + value
    return {(figure, day): _complete(parts[figure, day]) for figure in source.figures for day in span.days}


def _complete(parts: Mapping[str, int]) -> Mapping[str, int]:
    """Return the number of the day and the highest parts."""
    whole = parts[""] if "" in parts else sum(parts.values())
    named = sorted(
        ((name, value) for name, value in parts.items() if name and value), key=lambda part: (-part[1], part[0])
    )
    return {"": whole, **dict(named[:MAX_DIMENSIONS])}


# --- storing ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def _store(span: DaySpan, values: Values) -> None:
    """Replace the numbers of the measured days. If a worker that read later was faster, its numbers of the days that it saw open stay."""
    run = FigureRun.objects.select_for_update().get(tenant=span.tenant)
    if run.computed_at is not None and run.computed_at > span.now:
        newer = replace(span, now=run.computed_at)
        values = {key: parts for key, parts in values.items() if _is_final(newer, key[1])}
    names: dict[tuple[date, date], list[str]] = defaultdict(list)
    for figure in {figure for figure, _ in values}:
        days = [day for name, day in values if name == figure]
        names[min(days), max(days)].append(figure)
    mine = DailyFigure.objects.filter(tenant_id=span.tenant.pk)
    for days_, figures in names.items():
        mine.filter(day__range=days_, figure__in=figures).delete()
    DailyFigure.objects.bulk_create(_rows(span.tenant, values), batch_size=1_000)
    _advance(run, span)


def _rows(tenant: Tenant, values: Values) -> Iterator[DailyFigure]:
    for (figure, day), parts in values.items():
        for dimension, value in parts.items():
            yield DailyFigure(tenant_id=tenant.pk, day=day, figure=figure, dimension=dimension, value=value)


def _advance(run: FigureRun, span: DaySpan) -> None:
    """Note how far the figures are computed, and delete numbers that nobody looks at any more."""
    final = [day for day in span.days if _is_final(span, day)]
    if final and (run.final_through is None or run.final_through < final[-1]):
        run.final_through = final[-1]
        too_old = final[-1] - KEPT_DAYS * DAY
        DailyFigure.objects.filter(tenant_id=run.tenant_id, day__lt=too_old).delete()
    if span.includes_today and (run.computed_at is None or run.computed_at < span.now):
        run.computed_at = span.now
    run.save(update_fields=["computed_at", "final_through"])


def _is_final(span: DaySpan, day: date) -> bool:
    return span.start_of(day + DAY) + LATE <= span.now
