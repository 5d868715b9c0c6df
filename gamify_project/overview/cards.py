"""The cards of the overview: one for each registered figure, with its number, what it was before, and a chart."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import chain

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.safestring import SafeString

from gamify_project.overview.charts import bar_chart, line_chart
from gamify_project.overview.stored import DAYS, StoredFigures
from participants.figures import DAY, POINTS, Figure, Section, figure_sources
from participants.models import Tenant

Reader = User | AnonymousUser


@dataclass(frozen=True)
class Card:
    """One figure as text. `change` compares it with the time before, and `is_up` says in which direction."""

    label: str
    value: str
    money: str
    when: str
    change: str
    is_up: bool | None
    help: str
    url: str
    chart: SafeString


@dataclass(frozen=True)
class Cards:
    """The cards of one section."""

    title: str
    cards: Sequence[Card]


def sections(tenant: Tenant, stored: StoredFigures, reader: Reader) -> Iterator[Cards]:
    """Yield the cards of the figures whose page `reader` may open, in the order of sections and of the registry."""
    for section in Section:
        figures = chain.from_iterable(
            each.figures.items() for each in figure_sources.values() if each.section == section
        )
        listed = ((name, figure) for name, figure in figures if figure.is_listed and may_open(reader, figure.page))
        if cards := [_card(tenant, stored, name, figure) for name, figure in listed]:
            yield Cards(section.value, cards)


def may_open(reader: Reader, page: str) -> bool:
    """Whether `reader` may view the list `page`, a route such as `badges_badge_changelist`."""
    app, model, _ = page.split("_")
    return reader.has_perm(f"{app}.view_{model}")


def _card(tenant: Tenant, stored: StoredFigures, name: str, figure: Figure) -> Card:
    days = stored.days.get(name, {})
    value, before = (_levels if figure.is_level else _sums)(days, stored)
    now_line, before_line = _line(days, stored.last_days), _line(days, stored.days_before)
    today = days.get(stored.today)
    if figure.is_level:
        now_line, before_line = [*now_line, today], [*before_line, days.get(stored.today - DAYS * DAY)]
    draw = line_chart if figure.is_level else bar_chart
    return Card(
        label=figure.label,
        value="–" if value is None else f"{value:,}",
        money=money(tenant, value) if figure.unit == POINTS and value is not None else "",
        when=_when(figure, today),
        change=_change(value, before, figure),
        is_up=None if value is None or before is None or value == before else value > before,
        help=figure.help,
        url=_url(figure, stored),
        chart=draw(now_line, before_line, about=_about(figure, days, stored, value, before)),
    )


def _line(days: Mapping[date, int], wanted: Sequence[date]) -> list[int | None]:
    return [days.get(day) for day in wanted]


def _levels(days: Mapping[date, int], stored: StoredFigures) -> tuple[int | None, int | None]:
    """Return the newest number, and the one of 30 days before."""
    known = [day for day in days if day <= stored.today]
    return (days[max(known)] if known else None), days.get(stored.today - DAYS * DAY)


def _sums(days: Mapping[date, int], stored: StoredFigures) -> tuple[int | None, int | None]:
    """Return the sum of the last 30 whole days, and that of the 30 before if all of them were measured."""
    now = [days[day] for day in stored.last_days if day in days]
    before = [days[day] for day in stored.days_before if day in days]
    has_any = bool(now) or stored.today in days
    return (sum(now) if has_any else None), (sum(before) if len(before) == DAYS else None)


def _when(figure: Figure, today: int | None) -> str:
    if figure.is_level:
        return "so far today"
    return f"in the last {DAYS} days" + ("" if today is None else f"; today so far {today:,}")


def _change(value: int | None, before: int | None, figure: Figure) -> str:
    compared = f"{DAYS} days ago" if figure.is_level else f"the {DAYS} days before"
    if value is None:
        return ""
    if before is None:
        return (
            f"Not measured for {compared}."
            if figure.is_level
            else f"{compared[0].upper()}{compared[1:]} are not complete."
        )
    against = f"{before:,}, {compared}" if figure.is_level else f"{before:,} in {compared}"
    if value == before:
        return f"the same as {against}"
    return f"{round((value - before) * 100 / abs(before)):+,} % against {against}" if before else f"after {against}"


def _about(
    figure: Figure, days: Mapping[date, int], stored: StoredFigures, value: int | None, before: int | None
) -> str:
    """Return the text alternative of the chart."""
    last = {day: days[day] for day in stored.last_days if day in days}
    if value is None or not last:
        return f"{figure.label}: no whole day was measured yet."
    best = max(last, key=lambda day: last[day])
    lowest = min(last, key=lambda day: last[day])
    return (
        f"{figure.label} per day, last {DAYS} days: highest {last[best]:,} on {best:%-d %B}, lowest {last[lowest]:,} on {lowest:%-d %B}. "
        f"{_change(value, before, figure)}"
    )


def _url(figure: Figure, stored: StoredFigures) -> str:
    query = figure.query
    if figure.column:
        days = f"{figure.column}_from={stored.last_days[0]}&{figure.column}_to={stored.last_days[-1]}"
        query = f"{query}&{days}" if query else days
    return reverse(f"admin:{figure.page}") + (f"?{query}" if query else "")


def money(tenant: Tenant, points: int) -> str:
    """Return what points are worth, such as `1,234.50 EUR`; empty if the tenant has no value for a point."""
    if tenant.point_value is None or not tenant.point_currency:
        return ""
    return f"{(Decimal(points) * tenant.point_value).quantize(Decimal('0.01')):,} {tenant.point_currency}"
