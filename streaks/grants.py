"""The grant kind `streak_tick`: a definition ticks a streak."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gamify.facts.engine.outcomes import Grant, Outcome
from gamify.facts.services import CODE, GrantKind, grant_kinds
from participants.catalog import Catalog
from participants.errors import FieldError
from participants.models import Participant, Tenant
from participants.work import Load, UnitOfWork
from streaks.models import Streak
from streaks.models.definitions import any_tick
from streaks.services import grant_tick, loads_of_codes


def _give(work: UnitOfWork, participant: Participant, grant: Grant) -> Iterator[Outcome]:
    at, is_direct = grant.at or work.now, grant.event_id is None
    yield from grant_tick(work, participant, str(grant.spec["code"]), at=at, is_direct=is_direct)


def _problem(tenant: Tenant, spec: Mapping[str, Any]) -> FieldError | None:
    code = spec.get("code")
    kinds = Streak.objects.of(tenant).active().filter(code=code).values_list("condition__type", flat=True)
    if not isinstance(code, str) or not (found := list(kinds)):
        return FieldError("code", "must be the code of an active streak")
    return None if found == [any_tick()["type"]] else FieldError("code", "must be a streak that counts ticks")


def _loads(catalog: Catalog, specs: Sequence[Mapping[str, Any]]) -> Sequence[Load]:
    return loads_of_codes(catalog, [str(spec["code"]) for spec in specs])


def register() -> None:
    kind = GrantKind(
        label="Tick of a streak",
        give=_give,
        problem=_problem,
        fields={"code": CODE},
        loads=_loads,
        leads_to={"streak.incremented": "streak_code", "streak.milestone_reached": "streak_code"},
        suggestions=lambda tenant: Streak.objects.of(tenant).active().in_order().values_list("code", "name"),
    )
    grant_kinds.register("streak_tick", kind)
