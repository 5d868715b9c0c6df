"""The columns that a file must have and may have, and a check for names that only look like them.

A name that differs from a known one only in case, hyphens, underscores, spaces or invisible characters is refused, because the
column would otherwise be ignored: events would lose their properties, or count twice without their keys.
"""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

_DROPPED = str.maketrans("", "", "-_ ")


@dataclass(frozen=True)
class Columns:
    """Names of CSV columns and NDJSON keys. The values of `ids` identify participants or other objects."""

    required: Sequence[str]
    optional: Sequence[str] = ()
    ids: Sequence[str] = ()

    def header_problem(self, header: Sequence[str]) -> str | None:
        """Return what is wrong with the first line of a CSV file, as the end of a sentence, or None."""
        if problem := self.key_problem(header):
            return problem
        if missing := [name for name in self.required if name not in header]:
            return f"lacks {', '.join(missing)}{_separator_hint(header)}"
        if twice := [name for name in self._known.values() if header.count(name) > 1]:
            return f"has {', '.join(twice)} more than once"
        return None

    def key_problem(self, names: Iterable[str]) -> str | None:
        """Return an error about a name that is similar to a known one, as the end of a sentence, or None."""
        for name in self.unknown(names):
            if meant := self._known.get(_normalize(name)):
                return f"has the column {json.dumps(name)}, which must be called {meant}"
        return None

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Return the `names` that are not read, in their order."""
        return [name for name in names if name not in self._names]

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self._known.values())

    @cached_property
    def _known(self) -> Mapping[str, str]:
        return {_normalize(name): name for name in (*self.required, *self.optional)}


def _normalize(name: str) -> str:
    visible = name if name.isascii() else "".join(each for each in name if unicodedata.category(each) != "Cf")
    return "".join(visible.split()).translate(_DROPPED).casefold()


def _separator_hint(header: Sequence[str]) -> str:
    has_other = len(header) == 1 and any(separator in header[0] for separator in ";\t")
    return " (columns are separated by commas, not by semicolons or tabs)" if has_other else ""
