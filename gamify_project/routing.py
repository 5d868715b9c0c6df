"""A table of the API's routes, which finds the view of a path segment by segment.

Django's resolver tries one regular expression after the other, a hundred for the last routes. The table is built from the same
patterns, and answers the same for every path that it knows. For others it answers None, and Django's resolver decides.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import takewhile
from typing import Any

from django.urls import ResolverMatch, URLPattern, URLResolver, get_resolver
from django.urls.converters import get_converters
from django.urls.resolvers import RoutePattern

from gamify_project.dialects import GAMIFY_BASE, PHOENIX_BASE

_PARAMETER = re.compile(r"<(?:(?P<converter>[^:<>]+):)?(?P<name>\w+)>")
_PREFIXES = tuple(f"{base[1:]}/" for base in (GAMIFY_BASE, PHOENIX_BASE))

Route = tuple[int, str, URLPattern]
"""The place of a route among all, its whole text, and its pattern. The first route that matches wins."""


@dataclass(frozen=True)
class _Parameter:
    """A segment that a converter reads."""

    name: str
    converter: Any
    regex: re.Pattern[str]

    @classmethod
    def of(cls, segment: str) -> "_Parameter | None":
        found = _PARAMETER.fullmatch(segment)
        if found is None:
            return None
        converter = get_converters()[found["converter"] or "str"]
        return cls(found["name"], converter, re.compile(converter.regex))

    def read(self, segment: str) -> dict[str, Any] | None:
        """Return the argument of the view, or None if the segment does not match."""
        if not self.regex.fullmatch(segment):
            return None
        try:
            return {self.name: self.converter.to_python(segment)}
        except ValueError:
            return None


@dataclass
class _Node:
    """The routes that begin with the same segments. `route` is the route that ends here."""

    fixed: dict[str, "_Node"] = field(default_factory=dict)
    parameters: list[tuple[_Parameter, "_Node"]] = field(default_factory=list)
    route: Route | None = None

    def add(self, segments: Sequence[str], route: Route) -> None:
        if not segments:
            self.route = self.route or route
            return
        parameter = _Parameter.of(segments[0])
        if parameter is None:
            node = self.fixed.setdefault(segments[0], _Node())
        else:
            node = _Node()
            self.parameters.append((parameter, node))
        node.add(segments[1:], route)

    def find(self, segments: Sequence[str], place: int, captured: dict[str, Any]) -> "Iterator[_Found]":
        """Yield every route that matches `segments` from `place` on."""
        if place == len(segments):
            if self.route:
                yield self.route, captured
            return
        if fixed := self.fixed.get(segments[place]):
            yield from fixed.find(segments, place + 1, captured)
        for parameter, node in self.parameters:
            argument = parameter.read(segments[place])
            if argument is not None:
                yield from node.find(segments, place + 1, {**captured, **argument})


_Found = tuple[Route, dict[str, Any]]


class RouteTable:
    def __init__(self, urlconf: str) -> None:
        self._root = _Node()
        for place, (text, pattern) in enumerate(api_routes(urlconf)):
            self._root.add(text.split("/"), (place, text, pattern))

    def match(self, path: str) -> ResolverMatch | None:
        """Return what Django's resolver returns for `path`, a path in which slashes separate; None if no route is known."""
        found = min(self._root.find(path[1:].split("/"), 0, {}), key=_place, default=None)
        if found is None:
            return None
        (_, text, pattern), captured = found
        return ResolverMatch(pattern.callback, (), captured, pattern.name, route=text, captured_kwargs=captured)


def _place(found: _Found) -> int:
    return found[0][0]


@cache
def route_table(urlconf: str) -> RouteTable:
    return RouteTable(urlconf)


def api_routes(urlconf: str) -> Iterator[tuple[str, URLPattern]]:
    """Yield (whole text, pattern) for the routes of the API, in the order in which Django tries them.

    A group ends at its first pattern that the table cannot express, such as the one that matches everything.
    """
    for each in get_resolver(urlconf).url_patterns:
        if isinstance(each, URLResolver) and str(each.pattern) in _PREFIXES:
            yield from takewhile(_is_plain, _leaves(each, ""))


def _leaves(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    prefix += str(resolver.pattern)
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from _leaves(each, prefix)
        else:
            yield f"{prefix}{each.pattern}", each


def _is_plain(route: tuple[str, URLPattern]) -> bool:
    """Whether each segment of the route is either fixed or one parameter."""
    text, pattern = route
    segments = [segment for segment in text.split("/") if "<" in segment]
    is_route = isinstance(pattern.pattern, RoutePattern) and not pattern.default_args
    return is_route and all(_PARAMETER.fullmatch(segment) for segment in segments)
