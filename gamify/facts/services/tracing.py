"""The decision trace: which definitions heard what, what each came to, and why something was not given.

    {"facts": [{"name", "is_change", "depth", "heard": [{"type", "code", "result", "note"?, "conditions"?}], "more"?}],
     "granted": [...], "refused": [{"type", "source", "reason"}], "cut": ["tier.upgraded", ...]}

It is kept with the event, so it has bounds: of the definitions that did not match the first are told and the rest are
counted (`more`), and conditions are left out when there are too many of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gamify.facts.engine.outcomes import MAX_NOT_MATCHED, NOT_MATCHED, Grant, GrantReport, Source, TraceEntry
from gamify.facts.services.facts import Fact

MAX_CONDITIONS = 300

Trace = Mapping[str, Any]


class Tracer:
    """Takes down one run of the pipeline."""

    def __init__(self) -> None:
        self._facts: list[dict[str, Any]] = []
        self._refused: list[dict[str, Any]] = []
        self._cut: list[str] = []
        self._not_matched = 0
        self._conditions = 0

    def begin_fact(self, fact: Fact) -> None:
        self._not_matched = 0
        self._facts.append({"name": fact.name, "is_change": fact.is_change, "depth": fact.depth, "heard": []})

    def add_entry(self, told: TraceEntry) -> None:
        if not self._facts:
            return
        if told.result == NOT_MATCHED and self._not_matched >= MAX_NOT_MATCHED:
            self.add_rest(1)
            return
        self._not_matched += told.result == NOT_MATCHED
        self._facts[-1]["heard"].append(self._entry(told))

    def add_rest(self, definitions: int) -> None:
        fact = self._facts[-1]
        fact["more"] = fact.get("more", 0) + definitions

    def _entry(self, told: TraceEntry) -> dict[str, Any]:
        entry = {**_source(told.source), "result": told.result}
        if told.note is not None:
            entry["note"] = told.note
        conditions = told.conditions() if self._conditions < MAX_CONDITIONS else ()
        self._conditions += len(conditions)
        return {**entry, "conditions": list(conditions)} if conditions else entry

    def add_refusal(self, grant: Grant, reason: str) -> None:
        self._refused.append({"type": grant.kind, "source": _source(grant.source), "reason": reason})

    def add_cut(self, what: str) -> None:
        self._cut.append(what)

    def trace(self, granted: Sequence[GrantReport]) -> Trace | None:
        """All of it; None where nobody listened and nothing came of it."""
        if not (granted or self._refused or self._cut or any(fact["heard"] for fact in self._facts)):
            return None
        told = [given.to_json() for given in granted]
        return {"facts": self._facts, "granted": told, "refused": self._refused, "cut": self._cut}


def _source(source: Source) -> dict[str, str]:
    return {"type": source.type, "code": source.code}
