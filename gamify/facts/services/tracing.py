"""The decision trace: which definitions listened to what, what each of them did, and why something was not given.

    {"facts": [{"name", "is_change", "depth", "heard": [{"type", "code", "version", "result", "note"?, "conditions"?}], "more"?}],
     "granted": [...], "refused": [{"type", "source", "reason"}], "cut": ["tier.upgraded", ...]}

The trace is stored with the event, so its size is limited. It lists the first definitions that did not match and counts the others
(`more`), and it leaves out conditions after MAX_CONDITIONS of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gamify.facts.engine.outcomes import MAX_NOT_MATCHED, NOT_MATCHED, Grant, GrantReport, TraceEntry
from gamify.facts.services.facts import Fact
from participants.catalog import Catalog
from participants.selectors import versions_in

MAX_CONDITIONS = 300

Trace = Mapping[str, Any]


class Tracer:
    """Records the trace of one run of the pipeline."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._facts: list[dict[str, Any]] = []
        self._refused: list[dict[str, Any]] = []
        self._cut: list[str] = []
        self._not_matched = 0
        self._conditions = 0

    def begin_fact(self, fact: Fact) -> None:
        self._not_matched = 0
        self._facts.append({"name": fact.name, "is_change": fact.is_change, "depth": fact.depth, "heard": []})

    def add_entry(self, entry: TraceEntry) -> None:
        if not self._facts:
            return
        if entry.result == NOT_MATCHED and self._not_matched >= MAX_NOT_MATCHED:
            self.add_rest(1)
            return
        self._not_matched += entry.result == NOT_MATCHED
        self._facts[-1]["heard"].append(self._to_json(entry))

    def add_rest(self, definitions: int) -> None:
        fact = self._facts[-1]
        fact["more"] = fact.get("more", 0) + definitions

    def _to_json(self, entry: TraceEntry) -> dict[str, Any]:
        version = versions_in(self._catalog).get((entry.source.type, entry.source.code), 1)
        document = {**entry.source.to_json(), "version": version, "result": entry.result}
        if entry.note is not None:
            document["note"] = entry.note if isinstance(entry.note, str) else entry.note()
        conditions = entry.conditions() if self._conditions < MAX_CONDITIONS else ()
        self._conditions += len(conditions)
        return {**document, "conditions": list(conditions)} if conditions else document

    def add_refusal(self, grant: Grant, reason: str) -> None:
        self._refused.append({"type": grant.kind, "source": grant.source.to_json(), "reason": reason})

    def add_cut(self, what: str) -> None:
        self._cut.append(what)

    def trace(self, granted: Sequence[GrantReport]) -> Trace | None:
        """Return the whole trace; None if no definition listened and nothing was given, refused or cut."""
        if not (granted or self._refused or self._cut or any(fact["heard"] for fact in self._facts)):
            return None
        reports = [report.to_json() for report in granted]
        return {"facts": self._facts, "granted": reports, "refused": self._refused, "cut": self._cut}


class NoTracer(Tracer):
    """Records nothing. For changes without an event: their trace would be stored nowhere."""

    def begin_fact(self, fact: Fact) -> None:
        pass

    def add_entry(self, entry: TraceEntry) -> None:
        pass

    def add_rest(self, definitions: int) -> None:
        pass

    def add_refusal(self, grant: Grant, reason: str) -> None:
        pass

    def add_cut(self, what: str) -> None:
        pass
