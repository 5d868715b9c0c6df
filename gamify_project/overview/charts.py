"""Charts as SVG text. They need no script and no file. Colours are classes of the console's stylesheet."""

from collections.abc import Iterator, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 240, 48
Number = int | None
"""None is a day that was not measured: a gap."""


def bar_chart(now: Sequence[Number], before: Sequence[Number], *, about: str) -> SafeString:
    """Draw `now` as bars, and `before` as a line behind them, on one scale. `about` is the text for people who do not see it."""
    scale = _Scale([*now, *before], len(now))
    bars = ((*scale.bar(place, value),) for place, value in enumerate(now) if value)
    drawn = format_html_join("", '<rect x="{}" y="{}" width="{}" height="{}"/>', bars)
    return _svg(format_html('{}<g class="is-now">{}</g>', _lines(before, scale, "is-before"), drawn), about)


def line_chart(now: Sequence[Number], before: Sequence[Number], *, about: str) -> SafeString:
    """Draw `now` and `before` as lines on one scale."""
    scale = _Scale([*now, *before], len(now))
    return _svg(format_html("{}{}", _lines(before, scale, "is-before"), _lines(now, scale, "is-now")), about)


class _Scale:
    """Places numbers in the box. The scale always contains 0."""

    def __init__(self, numbers: Sequence[Number], places: int) -> None:
        known = [number for number in numbers if number is not None]
        self.low, self.high = min([0, *known]), max([0, *known])
        self.step = WIDTH / max(places, 1)

    def y(self, value: int) -> float:
        span = (self.high - self.low) or 1
        return round(HEIGHT - 1 - (value - self.low) / span * (HEIGHT - 3), 1)

    def middle(self, place: int) -> float:
        return round((place + 0.5) * self.step, 1)

    def bar(self, place: int, value: int) -> tuple[float, float, float, float]:
        top, bottom = self.y(max(value, 0)), self.y(min(value, 0))
        return round(place * self.step + 1, 1), top, round(self.step - 2, 1), max(round(bottom - top, 1), 1)


def _lines(numbers: Sequence[Number], scale: _Scale, name: str) -> SafeString:
    """Draw a line through the numbers, interrupted where a day was not measured."""
    points = ((" ".join(piece),) for piece in _pieces(numbers, scale))
    drawn = format_html_join("", '<polyline points="{}" fill="none"/>', points)
    return format_html('<g class="{}">{}</g>', name, drawn)


def _pieces(numbers: Sequence[Number], scale: _Scale) -> Iterator[list[str]]:
    piece: list[str] = []
    for place, value in enumerate([*numbers, None]):
        if value is not None:
            piece.append(f"{scale.middle(place)},{scale.y(value)}")
        elif piece:
            yield piece if len(piece) > 1 else [*piece, *piece]
            piece = []


def _svg(content: SafeString, about: str) -> SafeString:
    return format_html(
        '<svg class="console-chart" role="img" aria-label="{}" viewBox="0 0 {} {}" preserveAspectRatio="none"><title>{}</title>{}</svg>',
        about, WIDTH, HEIGHT, about, content,
    )  # fmt: skip
