"""A parsed expression: a tree that can be compiled, written out again, or explained."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from participants.errors import FieldError


class MalformedExpression(ValueError):
    """`problem.field` is the dotted path to the error; "" stands for the document as a whole."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.problem = FieldError(path, message)


@dataclass(frozen=True)
class Comparison:
    """A leaf, `condition` in JSON: one field, one operator, and the value that the operator compares with."""

    field: str
    operator: str
    value: Any


@dataclass(frozen=True)
class All:
    parts: Sequence["Node"]


@dataclass(frozen=True)
class AnyOf:
    parts: Sequence["Node"]


@dataclass(frozen=True)
class Not:
    part: "Node"


Node = Comparison | All | AnyOf | Not
