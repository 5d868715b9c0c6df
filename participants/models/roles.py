"""The roles of the console: what a person may do in one tenant.

Pages declare the capability that they need. A role is a set of capabilities. So nothing lists which role may open which page.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Capability(StrEnum):
    """Something that a person may do in a tenant. The value completes the sentence "this page is for people who may …"."""

    SEE_DEFINITIONS = "see definitions"
    SEE_PARTICIPANTS = "see participants"
    CARE = "care for participants"
    DRAFT = "edit drafts"
    PUBLISH = "publish"
    DEVELOP = "connect applications"
    OWN = "decide about the tenant"
    OPERATE = "operate the installation"
    """About all tenants. No role has it: superusers do this."""


@dataclass(frozen=True)
class Role:
    """A set of capabilities. `about` says in one sentence what a person with this role may do."""

    name: str
    about: str
    capabilities: frozenset[Capability]

    @property
    def title(self) -> str:
        return self.name.capitalize()


def _role(name: str, about: str, *capabilities: Capability) -> Role:
    return Role(name, about, frozenset({Capability.SEE_DEFINITIONS, *capabilities}))


_DECLARED = (
    _role(
        "viewer",
        "Sees definitions, participants and what happened, and changes nothing.",
        Capability.SEE_PARTICIPANTS,
    ),
    _role(
        "support",
        "Sees what a viewer sees, and cares for participants: profiles, streaks, badges, tiers, claims, and points up to a daily limit.",
        Capability.SEE_PARTICIPANTS,
        Capability.CARE,
    ),
    _role(
        "editor",
        "Sees what a viewer sees, and writes drafts of definitions.",
        Capability.SEE_PARTICIPANTS,
        Capability.DRAFT,
    ),
    _role(
        "publisher",
        "Sees what a viewer sees, and writes and publishes definitions: activates, pauses and archives them, and imports programmes.",
        Capability.SEE_PARTICIPANTS,
        Capability.DRAFT,
        Capability.PUBLISH,
    ),
    _role(
        "developer",
        "Sees definitions, and has API keys, partner secrets, webhooks and their deliveries. An API key can do what the API can.",
        Capability.DEVELOP,
    ),
    _role(
        "owner",
        "Does everything in the tenant: also points without a limit, undo, exports, erasure, settings, and the roles of others.",
        *(set(Capability) - {Capability.OPERATE}),
    ),
)

ROLES: Mapping[str, Role] = {role.name: role for role in _DECLARED}
"""The roles by name, from the one that may do least."""


def roles_with(capability: Capability) -> Iterable[Role]:
    return (role for role in ROLES.values() if capability in role.capabilities)


def sees_all_tenants(user: Any) -> bool:
    """Whether `user` is a superuser, or has permissions of Django, which hold in all tenants."""
    return bool(user.is_superuser or user.get_all_permissions())
