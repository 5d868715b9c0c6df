"""The grant kind `badge`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gamify.badges.models import Badge
from gamify.badges.services import grant as grant_badge
from gamify.badges.services import loads_for
from gamify.facts.engine.outcomes import Grant, GrantRefused, GrantReport, Outcome
from gamify.facts.services import GrantKind, code_of, grant_kinds
from participants.catalog import Catalog
from participants.errors import FieldError
from participants.models import Participant, Tenant
from participants.work import Load, UnitOfWork


class AlreadyEarned(GrantRefused):
    code = "already_earned"

    def __init__(self, badge_code: str) -> None:
        super().__init__(f"They have badge {badge_code} already")


def _give(work: UnitOfWork, participant: Participant, grant: Grant) -> Iterator[Outcome]:
    metadata = {"source": grant.source.to_json()}
    awarded = grant_badge(work, participant, str(grant.spec["code"]), metadata=metadata, event_id=grant.event_id)
    if awarded.already_earned:
        raise AlreadyEarned(awarded.badge.code)
    yield GrantReport("badge", awarded.badge.name, grant.source, code=awarded.badge.code)


def _problem(tenant: Tenant, spec: Mapping[str, Any]) -> FieldError | None:
    code = spec.get("code")
    if isinstance(code, str) and Badge.objects.of(tenant).active().filter(code=code).exists():
        return None
    return FieldError("code", "must be the code of an active badge")


def _loads(catalog: Catalog, specs: Sequence[Mapping[str, Any]]) -> Sequence[Load]:
    return loads_for(catalog, [str(spec["code"]) for spec in specs])


def register() -> None:
    kind = GrantKind(
        label="Badge",
        give=_give,
        problem=_problem,
        fields={"code": code_of("badge")},
        loads=_loads,
        leads_to={"badge.awarded": "badge_code"},
        suggestions=lambda tenant: Badge.objects.of(tenant).active().in_order().values_list("code", "name"),
    )
    grant_kinds.register("badge", kind)
