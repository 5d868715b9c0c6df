"""The profile and the state of a participant, composed of sections that the domains register."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from rest_framework.fields import Field

from participants.catalog import Catalog, catalog_of
from participants.database import Query
from participants.models import Participant, Tenant
from participants.registries import Registry
from participants.selectors import find_participant_with

AnyField: TypeAlias = Field[Any, Any, Any, Any]


@dataclass(frozen=True)
class Subject:
    """The participant whose sections are requested. `participant` is None for an id that the tenant has never used."""

    tenant: Tenant
    external_id: str
    participant: Participant | None
    now: datetime
    rows: Mapping[Query[Any], Sequence[Any]] = field(default_factory=dict)
    """The rows of the queries that were read together with the participant."""

    @property
    def catalog(self) -> Catalog:
        return catalog_of(self.tenant)


@dataclass(frozen=True)
class Section:
    """One domain's part of the profile (several fields) and of the state (one value under the section's name).

    `profile` and `state` must work for an unknown participant too. `profile_fields` and `state_field` describe their values in the
    OpenAPI document. `state_queries` names the queries (made with `selectors.of_named_participant`) whose rows `state` needs: they are
    read together with the participant, into `Subject.rows`.
    """

    state: Callable[[Subject], Any]
    state_field: Callable[[], AnyField]
    state_queries: Callable[[Catalog], Sequence[Query[Any]]] = lambda catalog: ()
    profile: Callable[[Subject], Mapping[str, Any]] = lambda subject: {}
    profile_fields: Callable[[], Mapping[str, AnyField]] = dict


sections: Registry[Section] = Registry("Profile section")

# In the order of the API specification. A test checks that exactly these sections are registered.
SECTION_NAMES = ("points", "tier", "badges", "streaks", "challenges", "rewards")


def profile_of(subject: Subject, participant: Participant) -> dict[str, Any]:
    """Return the full profile of a known participant."""
    fields: dict[str, Any] = {}
    for name in SECTION_NAMES:
        fields |= sections[name].profile(subject)
    return {
        "participant_id": participant.external_id,
        "display_name": participant.display_name,
        "avatar_url": participant.avatar_url,
        "attributes": participant.attributes,
        "timezone": participant.timezone,
        "visible": participant.visible,
        **fields,
        "total_events": participant.total_events,
        "first_seen_at": participant.first_seen_at,
        "last_seen_at": participant.last_seen_at,
        "is_active": participant.is_active,
        "created_at": participant.first_seen_at,
    }


def read_subject(tenant: Tenant, external_id: str, *, include: Iterable[str], now: datetime) -> Subject:
    """Read the participant and the rows that the sections named by `include` need for `state_of`, in one round trip."""
    catalog = catalog_of(tenant)
    queries = [query for name in include for query in sections[name].state_queries(catalog)]
    participant, rows = find_participant_with(tenant, external_id, queries, now=now)
    return Subject(tenant, external_id, participant, now, rows)


def state_of(subject: Subject, *, include: Iterable[str]) -> dict[str, Any]:
    """Return the sections named by `include`. The others are not computed."""
    names = set(include)
    values = {name: sections[name].state(subject) for name in SECTION_NAMES if name in names}
    return {"participant_id": subject.external_id, **values}
