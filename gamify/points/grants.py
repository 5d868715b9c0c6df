"""The grant kind `points`."""

from collections.abc import Iterator

from gamify.facts.engine.outcomes import Grant, GrantReport, Outcome, Source, TraceEntry
from gamify.facts.services import GrantKind, grant_kinds
from gamify.points import engine
from gamify.points.services import Note, credit
from gamify.tiers.services import undo_note_for
from participants.models import Participant
from participants.work import UnitOfWork


def _give(work: UnitOfWork, participant: Participant, grant: Grant) -> Iterator[Outcome]:
    granted, source = engine.granted_amount(grant.spec, grant.properties, participant.attributes), grant.source
    note = Note(f"{source.type} {source.code}", {"source": {"type": source.type, "code": source.code}}, grant.event_id)
    credited = credit(work, participant, granted.points, note=note, at=grant.at)
    yield GrantReport("points", "Points", source, id=credited.entry.id, amount=credited.entry.delta)
    if granted.is_capped:
        yield TraceEntry(source, "capped", f"{granted.uncapped:,} points, limited to the maximum of {granted.points:,}")
    if credited.upgrade is not None:
        tier = credited.upgrade
        yield GrantReport("tier", tier.name, Source("tier", tier.code), code=tier.code)
        yield undo_note_for(tier.code, tier.name)


def register() -> None:
    kind = GrantKind(_give, lambda tenant, spec: engine.grant_problem(spec), keys=engine.GRANT_KEYS)
    grant_kinds.register("points", kind)
