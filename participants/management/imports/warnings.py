"""Warnings of a run: columns that are not read, and ids that are probably mistakes. They are not errors."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from participants.engine import character_name
from participants.management.imports.bad_lines import SHOWN, printable
from participants.management.imports.columns import Columns

MAX_UNREAD = 20  # names; lines of NDJSON may have any number of keys
Say = Callable[[str], None]


class Warnings:
    """Collects the warnings of a run. `unread` has the names of unread columns, `suspicious` the number of odd ids."""

    def __init__(self, columns: Columns, say: Say) -> None:
        self._columns = columns
        self._say = say
        self.unread: list[str] = []
        self.suspicious = 0

    def look_at_columns(self, fields: Mapping[str, Any]) -> None:
        """Warn once about each column in `fields` that is not read."""
        for name in self._columns.unknown(fields):
            if name not in self.unread and len(self.unread) < MAX_UNREAD:
                self.unread.append(name)
                known = ", ".join((*self._columns.required, *self._columns.optional))
                self._say(f'Warning: the column "{printable(name)}" is not read. Columns that are read: {known}.')

    def look_at_ids(self, number: int, fields: Mapping[str, Any]) -> None:
        """Warn about odd ids in line `number`, which was parsed without an error."""
        for problem in oddities(self._columns, fields):
            self.suspicious += 1
            if self.suspicious <= SHOWN:
                self._say(f"Suspicious line {number}: {problem}")
            elif self.suspicious == SHOWN + 1:
                self._say("Further suspicious lines are counted and not shown.")


def oddities(columns: Columns, fields: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each odd id of a line. Such ids are valid and stored as written."""
    for name in columns.ids:
        value = fields.get(name)
        if isinstance(value, str) and (oddity := _oddity(value)):
            yield f'{name}: "{printable(value)}" {oddity}. It is stored as written, and is a different id than without it.'


def _oddity(value: str) -> str | None:
    if value != value.strip():
        return "begins or ends with white space"
    if value.isascii():
        return None
    found = next((each for each in value if unicodedata.category(each) == "Cf"), None)
    return None if found is None else f"holds the invisible character {character_name(found)}"
