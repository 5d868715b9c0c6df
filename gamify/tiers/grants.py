"""The grant kind `tier`."""

from collections.abc import Iterator, Mapping
from typing import Any

from gamify.facts.engine.outcomes import Grant, GrantReport, Outcome
from gamify.facts.services import GrantKind, code_of, grant_kinds
from gamify.tiers.models import Tier
from gamify.tiers.services import grant_tier, undo_note_for
from participants.errors import FieldError
from participants.models import Participant, Tenant
from participants.work import UnitOfWork


def _give(work: UnitOfWork, participant: Participant, grant: Grant) -> Iterator[Outcome]:
    reason = f"{grant.source.type} {grant.source.code}"
    tier = grant_tier(work, participant, str(grant.spec["code"]), reason=reason)
    yield GrantReport("tier", tier.name, grant.source, code=tier.code)
    yield undo_note_for(tier.code, tier.name)


def _problem(tenant: Tenant, spec: Mapping[str, Any]) -> FieldError | None:
    code = spec.get("code")
    if isinstance(code, str) and Tier.objects.of(tenant).active().filter(code=code).exists():
        return None
    return FieldError("code", "must be the code of an active tier")


def register() -> None:
    kind = GrantKind(
        label="Tier",
        give=_give,
        problem=_problem,
        fields={"code": code_of("tier")},
        leads_to={"tier.assigned": "tier.code"},
        suggestions=lambda tenant: Tier.objects.of(tenant).active().in_order().values_list("code", "name"),
    )
    grant_kinds.register("tier", kind)
