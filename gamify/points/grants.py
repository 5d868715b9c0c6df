"""The grant kind `points`."""

from collections.abc import Iterator, Mapping
from typing import Any

from gamify.facts.engine.outcomes import Grant, GrantReport, Outcome, Source, TraceEntry
from gamify.facts.services import GrantField, GrantForm, GrantKind, grant_kinds
from gamify.points import engine
from gamify.points.services import Note, credit
from gamify.tiers.services import undo_note_for
from participants.models import Participant
from participants.work import UnitOfWork


def _give(work: UnitOfWork, participant: Participant, grant: Grant) -> Iterator[Outcome]:
    granted, source = engine.granted_amount(grant.spec, grant.properties, participant.attributes), grant.source
    note = Note(f"{source.type} {source.code}", {"source": source.to_json()}, grant.event_id)
    credited = credit(work, participant, granted.points, note=note, at=grant.at)
    yield GrantReport("points", "Points", source, id=credited.entry.id, amount=credited.entry.delta)
    if granted.is_capped:
        yield TraceEntry(source, "capped", f"{granted.uncapped:,} points, limited to the maximum of {granted.points:,}")
    if credited.upgrade is not None:
        tier = credited.upgrade
        yield GrantReport("tier", tier.name, Source("tier", tier.code), code=tier.code)
        yield undo_note_for(tier.code, tier.name)


FIELDS = {
    "amount": GrantField(schema={"type": "integer"}, about="how many.", label="Number of points", placeholder="points"),
    "field": GrantField(
        schema={"type": "string"},
        about="the field of the event that holds the number, which is multiplied by `factor`.",
        label="Property",
        placeholder="property",
        is_property=True,
    ),
    "factor": GrantField(
        schema={"type": "number"}, about="defaults to 1.", label="Factor", placeholder="times 1", default=1
    ),
    "rounding": GrantField(
        schema={"type": "string", "enum": list(engine.ROUNDINGS)},
        about="defaults to `floor`.",
        label="Rounding",
        choices={"floor": "rounded down", "round": "rounded", "ceil": "rounded up"},
        default="floor",
    ),
    "max": GrantField(
        schema={"type": "integer"}, about="upper limit.", label="Maximum", placeholder="at most", default=None
    ),
}


def _in_words(spec: Mapping[str, Any]) -> str:
    """Return a grant of points in words, such as “10 points” or “1.5 × amount points, rounded up, at most 500”."""
    if isinstance(spec.get("amount"), int):
        return f"{spec['amount']:,} points"
    factor = f"{spec['factor']} × " if spec.get("factor", 1) != 1 else ""
    rounding = FIELDS["rounding"].choices.get(str(spec.get("rounding")))
    rounded = f", {rounding}" if rounding and spec["rounding"] != "floor" else ""
    most = f", at most {spec['max']}" if spec.get("max") else ""
    return f"{factor}{spec.get('field')} points{rounded}{most}"


def register() -> None:
    kind = GrantKind(
        label="Points",
        give=_give,
        problem=lambda tenant, spec: engine.grant_problem(spec),
        fields=FIELDS,
        leads_to={"points.awarded": None, "tier.entered": None, "tier.upgraded": None},
        endless=["points.awarded"],
        in_words=_in_words,
        forms={
            "points": GrantForm("Points", ["amount"]),
            "points_by": GrantForm("Points by a property", ["field", "factor", "rounding", "max"]),
        },
    )
    grant_kinds.register("points", kind)
