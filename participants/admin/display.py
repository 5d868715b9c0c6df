"""unfold's `display`, with types: how a method becomes a column or a read-only field."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from unfold import decorators

F = TypeVar("F", bound=Callable[..., Any])


def display(
    description: str, *, ordering: str | None = None, label: Mapping[str, str] | None = None
) -> Callable[[F], F]:
    """`label` turns each value it knows into a coloured tag: value → success, info, warning or danger."""
    options: dict[str, Any] = {"description": description, "ordering": ordering, "label": label}
    return cast("Callable[[F], F]", decorators.display(**options))
