"""Points as something that definitions grant."""

from collections.abc import Iterator

from gamify.facts.engine.outcomes import Grant, Granted, Outcome, Source
from gamify.facts.services import GrantKind, grant_kinds
from gamify.points import engine
from gamify.points.services import Note, credit
from participants.models import Participant
from participants.work import UnitOfWork


def _give(work: UnitOfWork, participant: Participant, grant: Grant) -> Iterator[Outcome]:
    amount = engine.granted_amount(grant.spec, grant.properties, participant.attributes)
    source = grant.source
    note = Note(f"{source.type} {source.code}", {"source": {"type": source.type, "code": source.code}}, grant.event_id)
    credited = credit(work, participant, amount, note=note)
    yield Granted("points", "Points", source, id=credited.entry.id, amount=amount)
    if credited.upgrade is not None:
        tier = credited.upgrade
        yield Granted("tier", tier.name, Source("tier", tier.code), code=tier.code)


def register() -> None:
    grant_kinds.register("points", GrantKind(_give, lambda tenant, spec: engine.grant_problem(spec)))
