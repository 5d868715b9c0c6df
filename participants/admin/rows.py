"""Editors that consist of rows of inputs: the widget, and what it submits."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Generic, TypeVar

from participants.admin.shown import ShownValueWidget

MAX_ROWS = 500

Stored = TypeVar("Stored")
R = TypeVar("R")


@dataclass(frozen=True)
class SubmittedRows(Generic[Stored, R]):
    """The submitted rows, and the value that the form had shown.

    Only a difference between the two is a change. So an edit that somebody else made meanwhile is not undone.
    """

    shown: Stored
    rows: Sequence[R]


class RowsWidget(ShownValueWidget):
    """Subclasses set `row_class`, a dataclass of texts with one field for each input of a row, and override `show`.

    `nothing` is the value of an empty editor. `choices` are the choices of the selects, by their name in the template.
    """

    row_class: ClassVar[type[Any]]
    nothing: ClassVar[Any] = {}
    choices: ClassVar[Mapping[str, Mapping[str, str]]] = {}

    class Media:
        js = ("participants/attributes.js",)

    def show(self, value: Any) -> SubmittedRows[Any, Any]:
        """Return the stored `value` as rows."""
        raise NotImplementedError

    def value_from_datadict(self, data: Any, files: Any, name: str) -> SubmittedRows[Any, Any]:
        columns = (data.getlist(f"{name}-{field.name}")[:MAX_ROWS] for field in fields(self.row_class))
        rows = (self.row_class(*cells) for cells in zip(*columns, strict=False))
        return SubmittedRows(self._parse(data.get(f"{name}-shown", "")), [row for row in rows if not row.is_blank])

    def _parse(self, text: str) -> Any:
        """Parse the shown value. Forged text counts as an empty editor."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return self.nothing
        return value if isinstance(value, type(self.nothing)) else self.nothing

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        submitted = value if isinstance(value, SubmittedRows) else self.show(value or self.nothing)
        context = super().get_context(name, None, attrs)
        rows = {"rows": [*submitted.rows, self.row_class()], "shown": json.dumps(submitted.shown)}
        context["widget"] |= {**rows, **self.choices}
        return context
