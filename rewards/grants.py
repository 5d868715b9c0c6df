"""Rewards as a grant kind of definitions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from gamify.facts.engine.outcomes import Grant, GrantReport, Outcome
from gamify.facts.services import GrantField, GrantKind, grant_kinds
from participants.catalog import Catalog
from participants.engine import uuid_of
from participants.errors import FieldError
from participants.models import Participant, Tenant
from participants.references import RefersTo
from participants.work import Load, UnitOfWork
from rewards.models import Reward
from rewards.services import grant as grant_reward
from rewards.services.issuing import tally_load


def _give(work: UnitOfWork, participant: Participant, grant: Grant) -> Iterator[Outcome]:
    reward_id, source = UUID(str(grant.spec["id"])), grant.source.to_json()
    claim = grant_reward(work, participant, reward_id, source=source, event_id=grant.event_id)
    yield GrantReport("reward", claim.reward_name, grant.source, id=claim.reward_id)


def _problem(tenant: Tenant, spec: Mapping[str, Any]) -> FieldError | None:
    known = uuid_of(str(spec.get("id")))
    if known is not None and Reward.objects.of(tenant).active().filter(pk=known).exists():
        return None
    return FieldError("id", "must be the id of an active reward")


def _loads(catalog: Catalog, specs: Sequence[Mapping[str, Any]]) -> Sequence[Load]:
    return [tally_load(UUID(str(spec["id"]))) for spec in specs]


ID = GrantField(
    schema={"type": "string", "format": "uuid"},
    about="its id.",
    label="Reward",
    refers_to=RefersTo("reward", is_by_id=True, name_in_file="code"),
)


def register() -> None:
    kind = GrantKind(
        label="Reward",
        give=_give,
        problem=_problem,
        fields={"id": ID},
        loads=_loads,
        leads_to={"reward.claimed": None, "reward.pending": None},
        suggestions=lambda tenant: Reward.objects.of(tenant).active().in_order().values_list("pk", "name"),
        names=lambda tenant: Reward.objects.of(tenant).order_by().values_list("pk", "name"),
    )
    grant_kinds.register("reward", kind)
