"""Typed version of unfold's decorator `display`, which turns a method into a column or a read-only field."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from unfold import decorators

F = TypeVar("F", bound=Callable[..., Any])


def display(
    description: str, *, ordering: str | None = None, label: Mapping[str, str] | None = None
) -> Callable[[F], F]:
    """`label` maps values to the colour of their tag: success, info, warning or danger."""
    options: dict[str, Any] = {"description": description, "ordering": ordering, "label": label}
    return cast("Callable[[F], F]", decorators.display(**options))
