"""The first steps of an empty tenant. Each ticks itself off by looking at the data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import Model, QuerySet
from django.urls import reverse

from gamify.badges.models import Badge, BadgeAward
from gamify.facts.models import Event
from gamify.points.models import LedgerEntry
from gamify.rules.models import Rule
from participants.models import ApiKey, Tenant
from streaks.models import ParticipantStreak, Streak


@dataclass(frozen=True)
class Step:
    """One step. `page` is the route of the page where it is done, and `advice` says how."""

    title: str
    advice: str
    page: str
    is_done: bool


def first_steps(tenant: Tenant) -> Sequence[Step]:
    """Return all steps, or nothing if all are done. One query per row of _STEPS, each stops at the first row."""
    steps = [Step(title, advice, reverse(f"admin:{page}"), is_done(tenant)) for title, advice, page, is_done in _STEPS]
    return [] if all(step.is_done for step in steps) else steps


def _has(*models: type[Model]) -> Callable[[Tenant], bool]:
    return lambda tenant: any(_rows(model, tenant).exists() for model in models)


def _rows(model: type[Model], tenant: Tenant) -> "QuerySet[Model]":
    return model._default_manager.filter(tenant_id=tenant.pk)


_STEPS = (
    (
        "Create an API key",
        "Your application sends it with every request.",
        "participants_apikey_add",
        _has(ApiKey),
    ),
    (
        "Define something to earn",
        "A badge, a streak, or a rule that gives points for an event.",
        "badges_badge_add",
        _has(Rule, Badge, Streak),
    ),
    (
        "Send a first event or award",
        "POST events or points/award with your key. The API docs have an example of each call.",
        "facts_event_changelist",
        _has(Event, LedgerEntry),
    ),
    (
        "See a participant earn a badge or keep a streak",
        "By events that match a badge or a streak, or by badges/award and streaks/record.",
        "participants_participant_changelist",
        _has(BadgeAward, ParticipantStreak),
    ),
)
"""Title, advice, page and condition of each step."""
